"""Bytes for N tasks: a full copy of the model for each, or one base and N adapters. Arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.plan import Plan


@dataclass(frozen=True)
class Storage:
    """Bytes on disk: of the base once, and of what one task adds."""

    base: int
    adapter: int

    def copies(self, tasks: int) -> int:
        """N whole models."""
        return tasks * self.base

    def shared(self, tasks: int) -> int:
        """One base and N adapters."""
        return self.base + tasks * self.adapter

    def saving(self, tasks: int) -> float:
        """How many times less the adapters take."""
        return self.copies(tasks) / self.shared(tasks)


def storage(plan: Plan, task: str, labels: int = 2, width: int = 4) -> Storage:
    """Predicted from the shape alone, `width` bytes a number. Raises LabError where method and model do not fit."""
    from lab import methods
    from lab.errors import LabError
    from lab.models import loading
    from lab.plan import Precision

    method, settings = methods.method(plan.method), methods.settings(plan)
    shape = loading.shape(plan.model, task, labels)
    reason = method.compatible(settings, shape, Precision())
    if reason:
        raise LabError(reason.message, reason.hint)
    return Storage(shape.total * width, method.trainable(settings, shape) * width)


def weighed(plan: Plan, task: str, labels: int, folder: Path) -> tuple[int, int]:
    """(bytes of the weights' file, bytes predicted) of the plan's adapter, really made on the real base and saved.

    Prompt methods save what their network makes, not the network; the prediction counts what is saved.
    """
    from safetensors import safe_open

    from lab import methods
    from lab.insight.weights import whole
    from lab.models import loading

    method, settings = methods.method(plan.method), methods.settings(plan)
    shape = loading.shape(plan.model, task, labels)
    model: Any = method.apply(whole(plan, task, labels), settings, shape)
    method.save(model, folder)
    numbers = 0
    size = 0
    for file in folder.glob("*.safetensors"):
        size += file.stat().st_size
        with safe_open(str(file), "pt") as opened:
            numbers += sum(4 * _count(opened.get_slice(name).get_shape()) for name in opened.keys())  # noqa: SIM118
    return size, numbers


def _count(shape: list[int]) -> int:
    from math import prod

    return prod(shape)
