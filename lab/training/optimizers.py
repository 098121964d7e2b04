"""Optimizers and learning-rate schedules."""

from __future__ import annotations

import math
from typing import Any

from lab.errors import LabError
from lab.plan import Training


def optimizer(groups: list[dict[str, Any]], training: Training, where: str) -> Any:
    """The plan's optimizer over the parameter groups. Raises LabError if the device has no such optimizer."""
    import torch

    options: dict[str, Any] = {"lr": training.learning_rate, "weight_decay": training.weight_decay}
    if training.optimizer == "adamw":
        return torch.optim.AdamW(groups, **options)
    if training.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=0.9, **options)
    if where == "mps":
        raise LabError("Apple GPUs have no 8-bit optimizer.", "Choose AdamW.")
    import bitsandbytes as bnb

    paged = training.optimizer == "paged_adamw8bit" and where == "cuda"
    return (bnb.optim.PagedAdamW8bit if paged else bnb.optim.AdamW8bit)(groups, **options)


def factor(step: int, steps: int, training: Training) -> float:
    """Share of the peak learning rate at `step` (from 0): a linear warm-up, then the schedule down to 0."""
    rise = math.ceil(training.warmup * steps)
    if step < rise:
        return (step + 1) / rise
    if training.schedule == "constant":
        return 1.0
    done = (step - rise) / max(1, steps - rise)
    return 1 - done if training.schedule == "linear" else (1 + math.cos(math.pi * done)) / 2
