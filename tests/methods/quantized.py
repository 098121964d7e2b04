"""Tiny models whose linear maps are stored in few bits, and the same with those weights written out whole."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import torch

from lab.compat.bitsandbytes import keep_gradients
from lab.models.shape import auto_class
from lab.plan import Precision
from tests import tiny

PRECISIONS = (
    Precision(weights="int8", compute="fp32"),
    Precision(weights="nf4", double_quant=True, compute="fp32"),
    Precision(weights="fp4", double_quant=False, compute="fp32"),
)


@cache
def _saved(family: str, task: str, root: Any) -> Any:
    return tiny.save(root / f"{family}-{task}", family, task)


@cache
def _loaded(family: str, task: str, precision: Precision, root: Any) -> Any:
    from lab.models import precision as stored
    from lab.models.shape import derive

    place = _saved(family, task, root)
    shape = derive(tiny.config(family), task, 3)
    device = tiny.DEVICE
    model = auto_class(tiny.config(family), task).from_pretrained(
        str(place),
        dtype=stored.dtype(precision, device),
        quantization_config=stored.quantization(precision, (*shape.head, "lm_head"), device),
        device_map={"": device},
    )
    keep_gradients(model)
    return model.eval()


def quantized(family: str, task: str, precision: Precision, root: Any) -> Any:
    """A fresh copy of the family's tiny model in this precision."""
    return copy.deepcopy(_loaded(family, task, precision, root))


def whole(family: str, task: str, precision: Precision, root: Any) -> Any:
    """The same function with ordinary linear maps, whose weights are the quantized ones written out."""
    from peft.utils.integrations import dequantize_module_weight

    few = _loaded(family, task, precision, root)
    model = tiny.model(family, task).to(next(few.parameters()).device)
    own = dict(model.named_modules())
    for name, module in few.named_modules():
        if type(module).__name__ in ("Linear4bit", "Linear8bitLt"):
            weight = dequantize_module_weight(module).detach().float()
            plain = torch.nn.Linear(module.in_features, module.out_features, bias=module.bias is not None)
            with torch.no_grad():
                plain.weight.copy_(weight)
                if module.bias is not None:
                    plain.bias.copy_(own[name].bias)
            model.set_submodule(name, plain.to(weight.device))
            if precision.weights == "int8":
                plain.register_forward_pre_hook(_eight_bits)
    return model


def _eight_bits(module: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """What LLM.int8() multiplies is rounded too (Dettmers et al. 2022, section 3): each row of the inputs to 8 bits,
    but for columns with an entry above 6. The gradient goes through as if nothing were rounded."""
    (given,) = args
    half = given.detach().half()
    outliers = (half.abs() >= 6.0).flatten(0, -2).any(0)
    inner = half.masked_fill(outliers, 0.0).float()
    scale = inner.abs().amax(-1, keepdim=True).clamp(min=1e-12) / 127
    rounded = torch.where(outliers, half.float(), (inner / scale).round() * scale)
    return (given + (rounded - given.detach()),)
