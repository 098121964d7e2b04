"""How fast this device multiplies by a matrix stored in few bits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

#: The ways to store the matrix that are timed.
WAYS = ("fp32", "bf16", "int8", "nf4")


@dataclass(frozen=True)
class Timing:
    """Median seconds of one product of `tokens` rows with the matrix, stored in `way`, and the matrix's bytes."""

    way: str
    seconds: float
    bytes: int


def layer(matrix: Any, way: str, where: str) -> Any:
    """A linear map of this d×k matrix stored in one of `WAYS`, on a device."""
    import bitsandbytes as bnb
    import torch

    from lab.compat.bitsandbytes import keep_gradients

    outputs, inputs = matrix.shape
    linear: Any
    if way == "int8":
        linear = bnb.nn.Linear8bitLt(inputs, outputs, bias=False, has_fp16_weights=False)
        linear.weight = bnb.nn.Int8Params(matrix.detach().clone().cpu(), requires_grad=False, has_fp16_weights=False)
    elif way == "nf4":
        linear = bnb.nn.Linear4bit(inputs, outputs, bias=False, quant_type="nf4", compute_dtype=torch.float32)
        linear.weight = bnb.nn.Params4bit(matrix.detach().clone().cpu(), requires_grad=False, quant_type="nf4")
        keep_gradients(linear)
    else:
        linear = torch.nn.Linear(inputs, outputs, bias=False)
        linear.weight.data = matrix.detach().clone().to({"fp32": torch.float32, "bf16": torch.bfloat16}[way])
    return linear.to(where).eval()


def timings(matrix: Any, tokens: int, repeats: int = 15) -> Iterator[Timing]:
    """The timing of each way in turn; the first two products of each are not counted."""
    import torch

    from lab.models.precision import device
    from lab.training.memory.ledger import held, storages

    where = device()
    for way in WAYS:
        linear = layer(matrix, way, where)
        kind = (
            torch.bfloat16 if way == "bf16" else torch.float16 if way == "int8" and where == "cuda" else torch.float32
        )
        x = torch.ones(tokens, matrix.shape[1], dtype=kind, device=where)
        taken = []
        with torch.inference_mode():
            for _ in range(repeats + 2):
                began = time.perf_counter()
                linear(x)
                if where == "cuda":
                    torch.cuda.synchronize()
                taken.append(time.perf_counter() - began)
        yield Timing(way, median(taken[2:]), sum(storages(held(linear)).values()))
