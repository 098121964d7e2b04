from __future__ import annotations

import pytest
import torch

from lab.errors import LabError
from lab.insight.neighbours import neighbours
from tests import tiny
from tests.insight.test_attention import adapted


def test_a_vector_of_the_vocabulary_is_its_own_neighbour():
    model = adapted("llama", "prompt")
    table = model.get_base_model().get_input_embeddings().weight
    with torch.no_grad():
        model.prompt_encoder["default"].embedding.weight.copy_(3 * table[[9, 40, 77, 200]])
    told = neighbours(model, tiny.tokenizer(), 2)
    assert [row[0].token for row in told.rows] == [9, 40, 77, 200]
    assert [row[0].cosine for row in told.rows] == pytest.approx([1.0] * 4, abs=1e-5)
    assert list(told.norms) == pytest.approx((3 * table[[9, 40, 77, 200]].norm(dim=-1)).tolist(), rel=1e-5)
    assert told.rows[1][0].text == tiny.tokenizer().decode([40])


@pytest.mark.parametrize("method", ["prompt", "ptuning"])
def test_against_every_cosine_by_hand(method):
    model = adapted("llama", method)
    learned = model.get_prompt_embedding_to_save("default")
    table = model.get_base_model().get_input_embeddings().weight.detach()
    told = neighbours(model, tiny.tokenizer(), 3)
    for vector, row in zip(learned, told.rows):
        every = [float(vector @ word / vector.norm() / word.norm()) for word in table if word.norm() > 0]
        assert [item.cosine for item in row] == pytest.approx(sorted(every, reverse=True)[:3], abs=1e-5)
    assert -1 <= told.chance <= 1
    assert told.word_norm == pytest.approx(float(table.norm(dim=-1).mean()), rel=1e-5)


def test_a_prefix_has_no_words():
    with pytest.raises(LabError, match="keys and values"):
        neighbours(adapted("llama", "prefix"), tiny.tokenizer())
    projected = adapted("llama", "prefix", projection=True)
    projected.peft_config["default"].inference_mode = True
    del projected.prompt_encoder["default"].transform  # as peft loads it
    with pytest.raises(LabError, match="keys and values"):
        neighbours(projected, tiny.tokenizer())
    with pytest.raises(LabError, match="no virtual tokens"):
        neighbours(tiny.model("llama", "generate"), tiny.tokenizer())
