"""peft's further types, as it describes them itself."""

from __future__ import annotations

import pytest
import torch

from lab.errors import LabError
from lab.knobs import build
from lab.methods import default_plan, method, others, settings, with_values
from lab.plan import CLASSIFY, GENERATE, Precision
from tests import tiny
from tests.methods.practice import begin, gradients, last, logits, steps
from tests.methods.quantized import PRECISIONS, quantized, whole
from tests.methods.test_quantized import error

#: Settings that fit a width of 32.
FIT = {
    "peft:c3a": {"block_size": 8},
    "peft:fourierft": {"n_frequency": 50},
    "peft:miss": {"r": 8},
    "peft:psoft": {"r": 4},
    "peft:road": {"group_size": 8},
    "peft:shira": {"r": 2},
    "peft:vblora": {"vector_length": 8, "num_vectors": 16, "topk": 2},
    "peft:waveft": {"n_frequency": 50},
    "peft:cpt": {"cpt_token_ids": "[5, 6, 7]", "cpt_mask": "[1, 1, 1]", "cpt_tokens_type_mask": "[1, 2, 2]"},
    "peft:trainable_tokens": {"token_indices": "[4, 5]", "target_modules": "embed_tokens"},
}

#: Types that need what a plan does not hold: adapters to mix, tasks to tell apart, a second model.
NOT_HERE = {
    "peft:xlora",
    "peft:poly",
    "peft:multitask_prompt_tuning",
    "peft:shadow",
    "peft:cartridge",
    "peft:adaption_prompt",
}


@pytest.mark.filterwarnings("ignore")  # what peft has to say of its types is its own affair
@pytest.mark.parametrize("key", sorted(set(others()) - NOT_HERE))
@pytest.mark.parametrize(("family", "task"), [("llama", GENERATE), ("bert", CLASSIFY)])
def test_it_trains_what_it_says(key, family, task):
    chosen_method, shape = others()[key], tiny.shape(family, task)
    chosen = build(chosen_method.Settings, FIT.get(key, {}))
    reason = chosen_method.compatible(chosen, shape, Precision())
    if reason:
        assert key in ("peft:cpt", "peft:trainable_tokens"), reason.message
        assert reason.message
        return
    torch.manual_seed(1)
    model = chosen_method.apply(tiny.model(family, task), chosen, shape)
    trained = [item for item in model.parameters() if item.requires_grad]
    assert sum(item.numel() for item in trained) == chosen_method.trainable(chosen, shape)
    batch = tiny.batch(family, task)
    before = last(logits(model, batch), task)
    losses = steps(chosen_method, chosen, model, begin(chosen_method, chosen, model), batch, 0, 6, 6)
    assert all(loss == loss for loss in losses)
    assert not torch.equal(before, last(logits(model, batch), task))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("bases")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("precision", PRECISIONS[:2], ids=lambda item: item.weights)
@pytest.mark.parametrize("key", sorted(set(others()) - NOT_HERE - {"peft:cpt", "peft:trainable_tokens"}))
def test_quantized_bases(key, precision, root):
    """Where it is allowed its gradients are right; where it is refused it fails, or they are wrong."""
    chosen_method, shape = others()[key], tiny.shape("llama", GENERATE)
    chosen, batch = build(chosen_method.Settings, FIT.get(key, {})), tiny.batch("llama", GENERATE)

    def measured() -> float:
        torch.manual_seed(1)
        model = chosen_method.apply(quantized("llama", GENERATE, precision, root), chosen, shape)
        torch.manual_seed(1)
        reference = chosen_method.apply(whole("llama", GENERATE, precision, root), chosen, shape)
        own = dict(reference.named_parameters())
        with torch.no_grad():
            for name, item in model.named_parameters():
                if item.requires_grad:
                    item.add_(torch.randn_like(item) * 0.02)
                    own[name].copy_(item)
        return error(gradients(model, batch), gradients(reference, batch))

    if chosen_method.compatible(chosen, shape, precision) is None:
        assert measured() < 1e-2
        return
    try:
        found = measured()
    except Exception:
        return
    assert found > 1e-2


@pytest.mark.parametrize("key", sorted(NOT_HERE & set(others())))
def test_what_it_lacks_is_told(key):
    chosen = others()[key]
    reason = chosen.compatible(chosen.Settings(), tiny.shape("llama", GENERATE), Precision())
    assert reason is not None
    assert reason.message.startswith(f"peft cannot put {chosen.title} on this model:")


def test_it_is_found_by_its_key():
    plan = with_values(default_plan("peft:hra"), {"r": 4})
    assert settings(plan).r == 4
    assert method("peft:hra").config(settings(plan), tiny.shape("llama", GENERATE)).arguments["r"] == 4
    with pytest.raises(LabError, match="no type 'nothing'"):
        method("peft:nothing")
