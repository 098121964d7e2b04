"""How weights are stored, and what that costs. Importing this loads no torch."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from lab.errors import Reason
from lab.models import libraries
from lab.models.shape import CONV1D, LINEAR, ModelShape, Module
from lab.plan import Precision

#: Block of weights that share one quantization constant, and of constants that share one of the second level
#: (Dettmers et al. 2023, section 3).
BLOCK, BLOCK2 = 64, 256


def bits_per_weight(precision: Precision) -> float:
    """Bits that one quantizable weight takes, its share of the quantization constants included.

    NF4 and FP4: 4 + 32/64 = 4.5, or 4 + 8/64 + 32/(64·256) = 4.127 with double quantization (QLoRA, section 3).
    For int8 the scales are one 32-bit number a row, which is left out here and counted in `base_bytes`.
    """
    if precision.four_bit:
        constants = 8 / BLOCK + 32 / (BLOCK * BLOCK2) if precision.double_quant else 32 / BLOCK
        return 4 + constants
    return {"fp32": 32.0, "bf16": 16.0, "fp16": 16.0, "int8": 8.0}[precision.weights]


def quantized_modules(shape: ModelShape) -> tuple[Module, ...]:
    """The modules that bitsandbytes stores in few bits: every linear map but the head and the output layer."""
    left = (*shape.head, "lm_head")
    return tuple(
        item
        for item in shape.modules
        if item.kind in (LINEAR, CONV1D) and not any(item.name == n or item.name.startswith(n + ".") for n in left)
    )


def base_bytes(shape: ModelShape, precision: Precision) -> int:
    """Bytes of the base's weights in this precision, from the shape alone."""
    if not precision.quantized:
        return int(shape.total * bits_per_weight(precision) / 8)
    few = quantized_modules(shape)
    matrices = sum(item.inputs * item.outputs for item in few)
    rows = sum(item.outputs for item in few) * 4 if precision.weights == "int8" else 0
    unquantized = 2 if precision.compute in ("bf16", "fp16") else 4
    return int(matrices * bits_per_weight(precision) / 8) + rows + (shape.total - matrices) * unquantized


@cache
def device() -> str:
    """The best device here: "cuda", "mps" or "cpu".

    ZeroGPU pretends a GPU outside of the calls that have one (`lab.hosting.zero`): there it is the CPU.
    """
    if os.environ.get("SPACES_ZERO_GPU"):
        return "cpu"
    libraries.load()
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def device_title() -> str:
    """The device's name for people ("NVIDIA H100 80GB", "CPU, 2 threads")."""
    import torch

    if device() == "cuda":
        return torch.cuda.get_device_name()
    return "Apple GPU" if device() == "mps" else f"CPU, {torch.get_num_threads()} threads"


def compatible(precision: Precision, where: str) -> Reason | None:
    """Why a device cannot hold weights in this precision; None if it can."""
    if where == "mps" and precision.quantized:
        return Reason(
            f"{precision.weights} needs bitsandbytes kernels that Apple GPUs do not have.",
            "Choose bf16 or fp16.",
        )
    return None


def dtype(precision: Precision, where: str) -> Any:
    """The torch type of the weights that are not quantized, and of the products of those that are."""
    import torch

    name = precision.weights
    if precision.quantized:
        name = precision.compute
        if name == "auto":
            name = "bf16" if where == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[name]


def quantization(precision: Precision, keep: tuple[str, ...], where: str) -> Any:
    """The transformers quantization configuration, or None for whole weights.

    `keep` names the modules that stay whole: a quantized classification head could not be trained.
    """
    if not precision.quantized:
        return None
    from transformers import BitsAndBytesConfig

    if precision.weights == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=list(keep))
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=precision.weights,
        bnb_4bit_use_double_quant=precision.double_quant,
        bnb_4bit_compute_dtype=dtype(precision, where),
        llm_int8_skip_modules=list(keep),
    )
