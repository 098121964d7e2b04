from __future__ import annotations

import pytest
import torch

from lab.errors import LabError
from lab.insight.ablation import loss
from lab.insight.mixture import learned, losses, mixed
from lab.methods import METHODS
from lab.plan import GENERATE
from tests import tiny
from tests.insight.test_ablation import batch
from tests.insight.test_attention import IDS


def saved(folder, seed: int, n: int = 4, method: str = "prefix"):
    torch.manual_seed(seed)
    found = METHODS[method]
    made = found.apply(tiny.model("llama", GENERATE), found.Settings(virtual_tokens=n), tiny.shape("llama", GENERATE))
    found.save(made, folder)
    return found.load(tiny.model("llama", GENERATE), folder)


@pytest.mark.parametrize("method", ["prefix", "prompt", "ptuning"])
def test_the_ends_of_the_line_are_the_two_runs(tmp_path, method):
    first, second = saved(tmp_path / "a", 1, method=method), saved(tmp_path / "b", 2, method=method)
    ids = torch.tensor([IDS])
    with torch.inference_mode():
        alone = first(input_ids=ids).logits, second(input_ids=ids).logits
        assert not torch.allclose(*alone, atol=1e-4)
        for weight, wanted in ((0.0, alone[0]), (1.0, alone[1])):
            with mixed(first, second, weight):
                assert torch.allclose(first(input_ids=ids).logits, wanted, atol=1e-5)
        with mixed(first, second, 0.25):
            middle = learned(first)[1].clone()
        assert torch.equal(first(input_ids=ids).logits, alone[0]), "the first run is itself again"
    assert torch.allclose(middle, 0.75 * learned(first)[1] + 0.25 * learned(second)[1])


def test_losses_along_the_line(tmp_path):
    first, second = saved(tmp_path / "a", 1), saved(tmp_path / "b", 2)
    steps = list(losses(first, second, [batch(), batch()], [0.0, 0.5, 1.0]))
    assert [len(rows[0]) for rows in steps] == [1, 2, 3]
    own, other = loss(first, batch()), loss(second, batch())
    assert steps[-1][0][0] == pytest.approx(own, abs=1e-6)
    assert steps[-1][1][2] == pytest.approx(other, abs=1e-5)


def test_what_cannot_be_mixed_is_told(tmp_path):
    first, second = saved(tmp_path / "a", 1), saved(tmp_path / "b", 2, n=6)
    with pytest.raises(LabError, match="different sizes"), mixed(first, second, 0.5):
        pass
    with pytest.raises(LabError, match="no virtual tokens"), mixed(tiny.model("llama", GENERATE), second, 0.5):
        pass
