"""A plan resolved: what it means for its data, its model and this device, worked out once.

Form, panel, queue, rules of a shared lab, comparison, script, loop, command line and lessons all ask the same `Job`,
so that none of them can count steps, cut sequences or refuse a plan differently. Nothing here loads weights.
"""

from __future__ import annotations

import json
import math
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lab import methods
from lab.data import tasks
from lab.data.tasks import TaskData
from lab.errors import LabError, Reason
from lab.events import Memory
from lab.methods.base import Method, Term
from lab.models import loading, precision
from lab.models.shape import ModelShape
from lab.plan import Plan
from lab.training.memory.estimate import estimate

if TYPE_CHECKING:
    from lab.data.encoding import Encoder

#: Jobs that are kept of the same data: a page asks for the same few again at each move of a slider.
CACHED = 8


class Job:
    """A plan with everything that follows from it; each property is worked out when it is first asked for.

    Any property raises LabError where the plan's data, model or settings cannot be read.
    """

    def __init__(self, plan: Plan, data: TaskData, device: str) -> None:
        self.plan, self.data, self.device = plan, data, device

    # -- the model and the method -----------------------------------------------------------------

    @cached_property
    def num_labels(self) -> int:
        """Outputs of a classification head; 2 for a task without labels."""
        return max(len(self.data.labels), 2)

    @cached_property
    def shape(self) -> ModelShape:
        """The shape of the model for the data's task."""
        return loading.shape(self.plan.model, self.data.task, self.num_labels)

    @cached_property
    def method(self) -> Method:
        return methods.method(self.plan.method)

    @cached_property
    def settings(self) -> Any:
        """The method's typed settings, completed by what only the number of steps tells (AdaLoRA's schedule)."""
        return self.method.prepare(methods.settings(self.plan), self.steps)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """Every tensor that will be trained."""
        return tuple(self.method.terms(self.settings, self.shape))

    @cached_property
    def trainable(self) -> int:
        """Trained parameters."""
        return sum(term.count for term in self.terms)

    # -- the data as the model reads them ---------------------------------------------------------

    @cached_property
    def max_length(self) -> int:
        """Tokens at which an example is cut: the plan's length, or the model's positions if they are fewer."""
        return min(self.plan.training.max_length, self.shape.max_length or self.plan.training.max_length)

    @cached_property
    def positions(self) -> int:
        """Positions of the model that are left for text; 0 where it reads any number."""
        return self.shape.text_positions(self.method.virtual_tokens(methods.settings(self.plan)))

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of the data for the model; loads its tokenizer."""
        from lab.data.encoding import Encoder

        tokenizer = loading.tokenizer(self.plan.model)
        return Encoder(
            tokenizer, self.data.task, self.data.labels, self.max_length, self.shape.family, self.positions
        )

    # -- how long it trains -----------------------------------------------------------------------

    @cached_property
    def rows_per_step(self) -> int:
        """Rows of one optimizer step: batch size times accumulation."""
        return self.plan.training.batch_size * self.plan.training.accumulation

    @cached_property
    def steps(self) -> int:
        """Optimizer steps: the plan's, or as many as its epochs need; the last may run into the next epoch."""
        training = self.plan.training
        return training.steps or max(1, math.ceil(training.epochs * len(self.data.train) / self.rows_per_step))

    @cached_property
    def epochs(self) -> float:
        """Passes over the training rows."""
        return self.steps * self.rows_per_step / len(self.data.train)

    @cached_property
    def tokens_per_step(self) -> int:
        """Tokens of one optimizer step at most, padding included."""
        return self.rows_per_step * self.max_length

    @cached_property
    def eval_every(self) -> int:
        """Steps between two evaluations."""
        return self.plan.training.eval_every or self.steps

    @cached_property
    def save_every(self) -> int:
        """Steps between two checkpoints."""
        return self.plan.training.save_every or self.eval_every

    @cached_property
    def evaluations(self) -> int:
        """Evaluations of the adapter; the base is evaluated once more, before the first step."""
        return math.ceil(self.steps / self.eval_every)

    # -- what can be said before anything is loaded -----------------------------------------------

    @cached_property
    def refusal(self) -> Reason | None:
        """Why the plan cannot be trained here; None if it can be."""
        reason = self.method.compatible(self.settings, self.shape, self.plan.precision, self.plan.training)
        reason = reason or precision.compatible(self.plan.precision, self.device)
        if reason is None:
            try:
                _ = self.terms
            except LabError as error:  # a setting that does not fit the model
                reason = Reason(error.message, error.hint)
        return reason

    @cached_property
    def warnings(self) -> tuple[Reason, ...]:
        """What a person should know of a plan that works."""
        if self.refusal:
            return ()
        warnings = list(self.method.warnings(self.settings, self.shape))
        if self.max_length < self.plan.training.max_length:
            warnings.append(
                Reason(
                    f"The model reads at most {self.max_length} tokens; the sequence length is "
                    f"{self.plan.training.max_length}.",
                    f"Choose {self.max_length} or less; longer examples are cut there.",
                )
            )
        return tuple(warnings)

    @cached_property
    def estimate(self) -> Memory:
        """Bytes at the peak of a step, by category (see `lab.training.memory.estimate`)."""
        return estimate(self.shape, self.method, self.settings, self.plan.precision, self.plan.training)

    def check(self) -> Job:
        """The job itself. Raises LabError if it cannot be trained here."""
        if self.refusal:
            raise LabError(self.refusal.message, self.refusal.hint)
        return self


_lock = threading.Lock()


def resolve(plan: Plan) -> Job:
    """The job of a plan: the same object for the same plan, data and device while it is kept, with its data.

    The data are read again (through their own cache, which sees a changed file), so that whoever asks must be
    allowed to read them. Raises LabError if they cannot be read.
    """
    data, device = tasks.prepare(plan.data), precision.device()
    key = (json.dumps(plan.to_dict(), sort_keys=True), device)
    with _lock:
        jobs = data.derived
        job = jobs.setdefault(key, Job(plan, data, device))
        jobs.move_to_end(key)
        while len(jobs) > CACHED:
            jobs.popitem(last=False)
    return job
