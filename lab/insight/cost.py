"""What fine-tuning costs: memory, disk, computation and deployment, as arithmetic on a model's shape. No torch.

The sums are those that the papers make, so their figures can be set beside them: 16-bit weights and gradients with
32-bit Adam are 12 bytes a parameter (780 GB for 65B: Dettmers et al. 2023, section 1); a checkpoint of GPT-3 is
350 GB, its LoRA of rank 4 on query and value 35 MB (Hu et al. 2021, section 4.2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lab.events import Memory
from lab.models.precision import base_bytes
from lab.models.shape import ModelShape
from lab.plan import Precision, Training
from lab.training.memory.estimate import activations


@dataclass(frozen=True)
class Scheme:
    """How trained parameters are kept: bytes of each one's weight, gradient, 32-bit copy and each Adam moment."""

    title: str
    weight: int
    gradient: int
    master: int
    moment: int


SCHEMES: dict[str, Scheme] = {
    "fp32": Scheme("32 bits throughout", 4, 4, 0, 4),
    "mixed": Scheme("Mixed: 16 bits and a 32-bit copy", 2, 2, 4, 4),
    "bf16": Scheme("16-bit weights and gradients, 32-bit Adam", 2, 2, 0, 4),
    "pure": Scheme("16 bits throughout", 2, 2, 0, 2),
}

#: Numbers of state that an optimizer keeps for each trained parameter, and whether they take one byte each.
OPTIMIZERS: dict[str, tuple[str, int, bool]] = {
    "adamw": ("AdamW: two moments", 2, False),
    "adamw8bit": ("8-bit AdamW: two moments of one byte", 2, True),
    "momentum": ("SGD with momentum: one", 1, False),
    "sgd": ("Plain SGD: none", 0, False),
}


@dataclass(frozen=True)
class Gpu:
    """A card: memory in bytes (10⁹ a GB) and its dense 16-bit products, in FLOP a second, by its data sheet."""

    memory: float
    flops: float


GPUS: dict[str, Gpu] = {
    "NVIDIA T4 16 GB": Gpu(16e9, 65e12),
    "NVIDIA L4 24 GB": Gpu(24e9, 121e12),
    "GeForce RTX 4090 24 GB": Gpu(24e9, 165e12),
    "NVIDIA A100 80 GB": Gpu(80e9, 312e12),
    "NVIDIA H100 80 GB": Gpu(80e9, 989e12),
    "NVIDIA H200 141 GB": Gpu(141e9, 989e12),
}

#: Share of a card's memory that is left for the training itself.
USABLE = 0.9


def total(memory: Memory) -> int:
    """The sum of all categories in bytes, as the papers add them up: nothing is freed in between."""
    return memory.weights + memory.adapter + memory.gradients + memory.optimizer + memory.activations


def training_memory(
    shape: ModelShape,
    trained: int,
    trains_base: bool,
    base: Precision,
    scheme: Scheme,
    optimizer: str,
    training: Training,
) -> Memory:
    """Bytes of one training step by category.

    `trained` parameters learn. With `own` they are the base's and are stored by the scheme; else they stand beside a
    base frozen in the precision `base`. `adapter` counts trained weights beside the base, 32-bit copies included.
    """
    _, moments, small = OPTIMIZERS[optimizer]
    weights = (
        base_bytes(shape, base)
        if not trains_base
        else (shape.total - trained) * base_bytes(shape, base) // shape.total + trained * scheme.weight
    )
    width = "bf16" if scheme.weight == 2 else "fp32"
    return Memory(
        weights=weights,
        adapter=trained * (scheme.master if trains_base else scheme.weight + scheme.master),
        gradients=trained * scheme.gradient,
        optimizer=trained * moments * (1 if small else scheme.moment),
        activations=activations(shape, Precision(weights=width), training, trained),
    )


def flops(shape: ModelShape, trained: int, tokens: float, checkpointing: bool = False) -> float:
    """Floating-point operations of training on `tokens` tokens (Kaplan et al. 2020, section 2.1).

    Two for each parameter in the forward pass, two in the backward pass for the activations' gradients, and two for
    each trained parameter's own gradient: 6N in full fine-tuning, about 4N where nearly all is frozen. Recomputed
    activations cost another forward pass.
    """
    return tokens * (shape.total * (6 if checkpointing else 4) + 2 * trained)


def gpu_seconds(operations: float, gpu: Gpu, utilisation: float) -> float:
    """Seconds of one card that reaches this share of its peak."""
    return operations / (gpu.flops * utilisation)


def cards(needed: float, gpu: Gpu) -> int:
    """How many of the card hold that many bytes, 10% of each left to the system."""
    return max(1, math.ceil(needed / (gpu.memory * USABLE)))


@dataclass(frozen=True)
class Deployment:
    """Bytes of N tasks: as full copies, and as one base with N adapters."""

    copies: float
    shared: float


def deployment(tasks: int, checkpoint: float, adapter: float) -> Deployment:
    """What N tasks take, on the disk or loaded together."""
    return Deployment(tasks * checkpoint, checkpoint + tasks * adapter)


def paged(memory: Memory, capacity: float) -> int:
    """Bytes of optimizer state that a paged optimizer must move out for the rest to fit; 0 if all fits.

    What does not fit even then is not its business: at most all of its state can move (QLoRA, section 3).
    """
    return int(min(memory.optimizer, max(0.0, total(memory) - capacity)))
