"""What a run did to the base's matrices: W before, W after, and the update ΔW between them, for any method that has
one (all that change the base's own weights, and all that can be merged into them)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lab.errors import LabError
from lab.plan import Plan, Precision
from lab.runs import Run


@dataclass(frozen=True)
class Update:
    """The base and the run's model, both whole, with the names of the matrices inside the blocks."""

    base: Any
    tuned: Any
    modules: tuple[str, ...]

    def matrix(self, module: str) -> Any:
        """W, d×k, as the base has it."""
        return _matrix(self.base, module)

    def delta(self, module: str) -> Any:
        """ΔW, d×k: what training added to W."""
        return _matrix(self.tuned, module) - _matrix(self.base, module)

    def changed(self) -> tuple[str, ...]:
        """The matrices that are not what they were."""
        return tuple(name for name in self.modules if bool(self.delta(name).abs().max() > 0))


def _matrix(model: Any, module: str) -> Any:
    from transformers import Conv1D

    layer = model.get_submodule(module)
    weight = layer.weight.detach().float().cpu()
    return weight.T if isinstance(layer, Conv1D) else weight


def update(run: Run) -> Update:
    """The update of a finished run; kept for the runs that were looked at last.

    Raises LabError for a run that has saved nothing or whose method leaves the base's matrices as they are.
    """
    return _update(run, run.adapter.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _update(run: Run, _changed: int) -> Update:
    from lab import methods
    from lab.methods import combine
    from lab.models import loading

    method = methods.method(run.plan.method)
    if not method.mergeable:
        raise LabError(
            f"{method.title} leaves the base's matrices as they are: there is no ΔW to look at.",
            "Choose a run of a method that can be merged.",
        )
    task, labels = about(run)
    shape = loading.shape(run.plan.model, task, labels)
    tuned = method.load(whole(run.plan, task, labels), run.adapter)
    merged = combine.merge(method, tuned)
    return Update(whole(run.plan, task, labels), merged, tuple(item.name for item in shape.projections))


def about(run: Run) -> tuple[str, int]:
    """The run's task and its number of labels (at least 2, as the model was loaded).

    Raises LabError for a run that has not started.
    """
    started = run.history().started
    if started is None:
        raise LabError(f"The run '{run.name}' has not started yet.", "Wait until it has saved an adapter.")
    return started.task, max(len(started.labels), 2)


def whole(plan: Plan, task: str, labels: int) -> Any:
    """The plan's base with 32-bit weights on the CPU, its new head (if any) drawn from the plan's seed."""
    from lab.models import loading
    from lab.models.randomness import alone

    with alone(plan.seed):
        return loading.load(plan.model, task, labels, Precision(), "cpu")


@lru_cache(maxsize=2)
def base(model: str) -> Any:
    """A generating base with 32-bit weights on the CPU, kept: for reading only."""
    from lab.plan import GENERATE

    return whole(Plan(model=model), GENERATE, 2)


def matrix(model: str, module: str) -> Any:
    """W of one linear map of a base, d×k. Raises LabError for a module that the model does not have."""
    try:
        return _matrix(base(model), module)
    except AttributeError:
        raise LabError(f"'{model}' has no module '{module}'.", "Choose one from the list.") from None
