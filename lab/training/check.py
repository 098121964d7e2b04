"""What can be said of a plan before anything is loaded: form, queue, command line and comparison ask here."""

from __future__ import annotations

from lab import methods
from lab.data import tasks
from lab.data.tasks import TaskData
from lab.errors import Reason
from lab.models import loading, precision
from lab.models.shape import ModelShape
from lab.plan import Plan


def read(plan: Plan) -> tuple[TaskData, ModelShape]:
    """The plan's data, and the shape of its model for them. Raises LabError if either cannot be read."""
    data = tasks.prepare(plan.data)
    return data, loading.shape(plan.model, data.task, max(len(data.labels), 2))


def refusal(plan: Plan, shape: ModelShape) -> Reason | None:
    """Why the plan cannot be trained on a model of that shape on this device; None if it can be."""
    settings = methods.settings(plan)
    reason = methods.method(plan.method).compatible(settings, shape, plan.precision, plan.training)
    return reason or precision.compatible(plan.precision, precision.device())
