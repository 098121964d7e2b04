"""peft: a type of adapter of our own, AdaLoRA's inner state, and what peft says in words alone."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lab.compat import optional

#: The parts of AdaLoRA's estimate of importance, each a dict of tensors by the name of a parameter.
IMPORTANCE = ("ipt", "exp_avg_ipt", "exp_avg_unc")

#: Beginnings of peft's warnings that say nothing to a person here, as regular expressions.
NOISE = {
    "`is_gradient_checkpointing` is deprecated": "peft asks transformers for it by its old name",
    "Failed to load the CUDA extension": "BOFT says so at each layer",
    "Setting boft_n_butterfly_factor": "BOFT, whose form sets the factor",
    "Unsupported layer type": "LayerNorm tuning on RMSNorm, which works",
    "fan_in_fan_out is set to True but": "GPT-2's transposed maps are ordinary ones when they are quantized",
    "Using Rank-Stabilized LoRA with rank_pattern": "the file that Lora.save writes converts those too",
    "The following rank_pattern keys did not match any .*lora_E": "AdaLoRA's pattern, which peft reads later",
    r"Adapter '[^']*': \d+ LoRA tensor\(s\) have invalid shape": "AdaLoRA, where it gave a matrix rank 0",
}


@optional
def add_type(name: str, config: type, model: type, prefix: str) -> bool:
    """Make a type of adapter known to peft; True once it is.

    Why: `register_peft_method` takes only names of the closed enumeration `PeftType`.
    Without it: no bottleneck adapter, which peft does not have, can be trained, saved or loaded.
    Seen on: peft 0.21.
    """
    from peft.utils import register_peft_method
    from peft.utils.peft_types import PeftType

    if name in PeftType.__members__:
        return True
    member: Any = str.__new__(PeftType, name)
    member._name_, member._value_ = name, name
    member._sort_order_ = len(PeftType.__members__)
    PeftType._member_names_.append(name)
    PeftType._member_map_[name] = member
    PeftType._value2member_map_[name] = member
    type.__setattr__(PeftType, name, member)
    register_peft_method(name=name.lower(), config_cls=config, model_cls=model, prefix=prefix)
    return True


@contextmanager
def quiet() -> Iterator[None]:
    """Within the context, peft's warnings of `NOISE` are not shown, and a missing key is an error.

    Why: peft tells them apart from what matters by their words alone.
    Without it: a person reads warnings of what works, and an adapter that lacks a tensor loads as if it were whole.
    Seen on: peft 0.21.
    """
    with warnings.catch_warnings():
        for start in NOISE:
            warnings.filterwarnings("ignore", start)
        warnings.filterwarnings("error", "Found missing adapter keys")
        yield


def missing_key(error: Exception) -> str:
    """The first tensor that a saved adapter lacks, from the error of `quiet`; "" if it is another error.

    Why: `PeftModel.from_pretrained` gives the missing keys in a sentence only.
    Without it: the sentence that a person reads names no tensor.
    Seen on: peft 0.21.
    """
    match = re.search(r"Found missing adapter keys while loading the checkpoint: \['([^']*)'", str(error))
    return match[1] if match else ""


def merged_is_not_finite(error: ValueError) -> bool:
    """Whether `merge_and_unload(safe_merge=True)` refused because of the merged numbers.

    Why: peft raises the same ValueError for all of its reasons.
    Without it: a broken adapter is an unexpected fault and not a sentence.
    Seen on: peft 0.21.
    """
    return "NaNs detected in the merged weights" in str(error)


@optional
def without_orthogonal_loss(model: Any) -> None:
    """Keep AdaLoRA's regulariser out of the losses that the model computes.

    Why: `forward` adds it to every loss, an evaluation's too, and looks it up by `trainable_adapter_name`, which an
    adapter that was loaded for inference lacks.
    Without it: losses of AdaLoRA and of other methods cannot be compared, and a loaded adapter fails with labels.
    Seen on: peft 0.21.
    """
    model.peft_config["default"].orth_reg_weight = 0.0
    model.base_model.trainable_adapter_name = "default"


@optional
def freeze_ranks(model: Any) -> None:
    """Keep AdaLoRA's counts of ranks from being trained.

    Why: moved to a GPU, the parameter `ranknum`, by which peft divides, requires gradients again, and is not saved.
    Without it: a run on a GPU trains a divisor that its file does not hold.
    Seen on: peft 0.21.
    """
    for name, item in model.named_parameters():
        if ".ranknum." in name:
            item.requires_grad_(False)


def importance(model: Any) -> dict[str, dict[str, Any]]:
    """AdaLoRA's estimate of importance: for each of `IMPORTANCE` the tensors by parameter.

    Why: peft saves it nowhere.
    Without it: a run that is resumed gives its ranks to other matrices than one that was not stopped.
    Seen on: peft 0.21.
    """
    allocator = model.base_model.rankallocator
    return {part: dict(getattr(allocator, part)) for part in IMPORTANCE}


def set_importance(model: Any, tensors: Mapping[str, Mapping[str, Any]]) -> None:
    """Put the estimate of `importance` back, each tensor on the device of its parameter.

    Why: peft reads it from nowhere.
    Without it: as for `importance`.
    Seen on: peft 0.21.
    """
    allocator = model.base_model.rankallocator
    devices = {name: item.device for name, item in model.base_model.model.named_parameters()}
    for part in IMPORTANCE:
        setattr(allocator, part, {name: item.to(devices[name]) for name, item in tensors.get(part, {}).items()})
