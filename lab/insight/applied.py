"""A method put on a real model, and what is counted there: parameters that learn, bytes that are held."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass

from lab import methods
from lab.errors import LabError
from lab.plan import CLASSIFY, Plan, Precision


@dataclass(frozen=True)
class Applied:
    """What the model itself says after the method was applied.

    `original` are the base's parameters, `total` all of the model's now; `printed` is what peft prints (empty for a
    method that is not peft's); `formula` is what the shape alone had promised.
    """

    original: int
    total: int
    trainable: int
    formula: int
    printed: str


def apply(plan: Plan, task: str, labels: int = 2) -> Applied:
    """Load the plan's base, apply its method and count. Raises LabError where the method does not fit the model."""
    from lab.insight.weights import whole
    from lab.models import loading

    method, settings = methods.method(plan.method), methods.settings(plan)
    shape = loading.shape(plan.model, task, labels)
    reason = method.compatible(settings, shape, Precision())
    if reason:
        raise LabError(reason.message, reason.hint)
    base = whole(plan, task, labels)
    original = sum(item.numel() for item in base.parameters())
    model = method.apply(base, settings, shape)
    output = io.StringIO()
    if hasattr(model, "print_trainable_parameters"):
        with contextlib.redirect_stdout(output):
            model.print_trainable_parameters()
    sizes = [(item.numel(), item.requires_grad) for item in model.parameters()]
    return Applied(
        original=original,
        total=sum(size for size, _ in sizes),
        trainable=sum(size for size, learns in sizes if learns),
        formula=method.trainable(settings, shape),
        printed=output.getvalue().strip(),
    )


def footprint(model: str, precision: Precision, task: str = CLASSIFY) -> tuple[int, int]:
    """Bytes of a base as loaded in a precision, constants included, and as the shape predicts them.

    Raises LabError for a precision that the device cannot hold.
    """
    from lab.models import loading
    from lab.models.precision import base_bytes, device
    from lab.models.randomness import alone
    from lab.training.memory.ledger import held, storages

    with alone(0):
        loaded = loading.load(model, task, 2, precision, device())
    measured = sum(storages(held(loaded)).values())
    return measured, base_bytes(loading.shape(model, task, 2), precision)
