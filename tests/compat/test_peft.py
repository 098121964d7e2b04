"""peft still needs each patch, and still allows it."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, LoraModel, PeftModel, get_peft_model, get_peft_model_state_dict
from peft.utils import register_peft_method
from peft.utils.peft_types import PeftType
from safetensors.torch import load_file, save_file

from lab import methods
from lab.compat import peft as compat
from lab.errors import LabError
from lab.methods.bottleneck import tuner
from lab.plan import GENERATE, Precision
from tests import tiny
from tests.methods import quantized


def apply(key: str, family: str = "llama", **settings):
    """The method, and the tiny model that it was put on."""
    method = methods.method(key)
    shape = tiny.shape(family, GENERATE)
    return method, method.apply(tiny.model(family, GENERATE), method.Settings(**settings), shape)


def adalora(steps: int = 0):
    """AdaLoRA with an odd target, trained for a few steps: one matrix keeps no rank."""
    method, shape = methods.method("adalora"), tiny.shape("llama", GENERATE)
    settings = method.prepare(method.Settings(initial_rank=2, target_rank=1), 20)
    torch.manual_seed(0)
    model = method.apply(tiny.model("llama", GENERATE), settings, shape).train()
    optimizer = torch.optim.AdamW([item for item in model.parameters() if item.requires_grad], lr=0.1)
    for step in range(steps):
        model(**tiny.batch("llama", GENERATE)).loss.backward()
        optimizer.step()
        method.after_step(model, settings, step, 20)
        optimizer.zero_grad()
    return method, model


# -- the type of our own --------------------------------------------------------------------------


def test_peft_takes_no_type_that_it_does_not_list():
    with pytest.raises(ValueError, match="Unknown PEFT type"):
        register_peft_method(name="unheard", config_cls=LoraConfig, model_cls=LoraModel, prefix="unheard_")


def test_our_type_is_one_of_its_types():
    assert tuner.AVAILABLE
    assert PeftType("BOTTLENECK") in list(PeftType)
    assert compat.add_type("BOTTLENECK", tuner.BottleneckConfig, tuner.BottleneckModel, "bottleneck_")


def test_a_peft_without_our_type_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setattr(tuner, "NAME", "UNHEARD")
    with pytest.raises(LabError, match="takes no bottleneck adapters"):
        apply("bottleneck")


def test_a_peft_that_cannot_take_it_is_left_as_it_is(monkeypatch, caplog):
    monkeypatch.setattr("peft.utils.peft_types.PeftType", object())
    assert compat.add_type("UNHEARD", tuner.BottleneckConfig, tuner.BottleneckModel, "unheard_") is None
    assert "is left out" in caplog.text


# -- its warnings ---------------------------------------------------------------------------------


def checkpointed(folder: Path) -> None:
    get_peft_model(tiny.model("llama", GENERATE), LoraConfig(target_modules=["q_proj"]))


def butterflies(folder: Path) -> None:
    apply("boft")


def norms(folder: Path) -> None:
    apply("layernorm")


def stabilized(folder: Path) -> None:
    apply("lora", init="pissa", rslora=True, rank_pattern="q_proj=2")


def transposed(folder: Path) -> None:
    method = methods.method("vera")
    model = quantized.quantized("gpt2", GENERATE, Precision("nf4"), folder)
    method.apply(model, method.Settings(), tiny.shape("gpt2", GENERATE))


def reallocated(folder: Path) -> None:
    method, model = adalora(20)
    method.save(model, folder / "adapter")
    method.load(tiny.model("llama", GENERATE), folder / "adapter")


CALLS = (checkpointed, butterflies, butterflies, norms, transposed, stabilized, reallocated, reallocated)
NOISE = dict(zip(compat.NOISE, CALLS, strict=True))


@pytest.mark.parametrize("start", NOISE, ids=lambda start: start[:24])
def test_peft_still_says_what_is_not_shown(start, monkeypatch, tmp_path):
    monkeypatch.setattr(compat, "NOISE", {key: why for key, why in compat.NOISE.items() if key != start})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        NOISE[start](tmp_path)
    assert [item for item in shown if re.match(start, str(item.message))]


def test_within_quiet_nothing_of_it_is_shown(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        butterflies(tmp_path)


def test_the_missing_key_is_named(tmp_path):
    method, model = apply("lora")
    method.save(model, tmp_path)
    file = tmp_path / "adapter_model.safetensors"
    tensors = load_file(file)
    gone = min(tensors)
    save_file({name: item for name, item in tensors.items() if name != gone}, file)
    with pytest.warns(UserWarning, match="Found missing adapter keys"):  # a warning only, without `quiet`
        PeftModel.from_pretrained(tiny.model("llama", GENERATE), str(tmp_path))
    with pytest.raises(UserWarning, match="Found missing adapter keys") as caught, compat.quiet():
        PeftModel.from_pretrained(tiny.model("llama", GENERATE), str(tmp_path))
    assert compat.missing_key(caught.value).replace(".default", "") == gone
    assert compat.missing_key(ValueError("something else")) == ""


def test_a_merge_of_broken_numbers_is_known():
    _, model = apply("lora")
    next(item for name, item in model.named_parameters() if "lora_B" in name).data.fill_(float("nan"))
    with pytest.raises(ValueError, match="merged") as caught:
        model.merge_and_unload(safe_merge=True)
    assert compat.merged_is_not_finite(caught.value)
    assert not compat.merged_is_not_finite(ValueError("Cannot merge"))


# -- AdaLoRA --------------------------------------------------------------------------------------


def test_adalora_adds_its_regulariser_to_every_loss(monkeypatch):
    monkeypatch.setattr("lab.methods.adalora.without_orthogonal_loss", lambda model: None)
    batch = tiny.batch("llama", GENERATE)
    with torch.no_grad():
        base = tiny.model("llama", GENERATE)(**batch).loss
        _, model = adalora()
        assert float(model(**batch).loss - base) > 0.01
        compat.without_orthogonal_loss(model)
        assert float(model(**batch).loss) == pytest.approx(float(base), rel=1e-5)


def test_a_loaded_adalora_fails_with_labels(tmp_path):
    method, model = adalora()
    method.save(model, tmp_path)
    model = PeftModel.from_pretrained(tiny.model("llama", GENERATE), str(tmp_path))
    with pytest.raises(AttributeError, match="trainable_adapter_name"):
        model(**tiny.batch("llama", GENERATE))
    compat.without_orthogonal_loss(model)
    assert model(**tiny.batch("llama", GENERATE)).loss.isfinite()


def test_adalora_trains_its_ranks_once_they_were_moved(monkeypatch):
    monkeypatch.setattr("lab.methods.adalora.freeze_ranks", lambda model: None)
    _, model = adalora()
    layer = next(item for name, item in model.named_modules() if name.endswith("q_proj"))
    assert not layer.ranknum["default"].requires_grad
    layer._move_adapter_to_device_of_base_layer("default", device=torch.device("meta"))  # as peft does for a GPU
    assert layer.ranknum["default"].requires_grad
    compat.freeze_ranks(model)
    assert not layer.ranknum["default"].requires_grad


def test_adalora_saves_no_importance_and_takes_it_back():
    _, model = adalora(3)
    saved = compat.importance(model)
    assert set(saved) == set(compat.IMPORTANCE)
    assert all(saved[part] for part in compat.IMPORTANCE)
    assert not [name for name in get_peft_model_state_dict(model) if "ipt" in name]
    _, fresh = adalora()
    assert not any(compat.importance(fresh).values())
    compat.set_importance(fresh, saved)
    for part, tensors in compat.importance(fresh).items():
        assert all(torch.equal(item, saved[part][name]) for name, item in tensors.items())
        assert len(tensors) == len(saved[part])
