"""How long a comparison will take: the arithmetic of its members, at the speed that this machine's own runs had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from lab.compare.grid import Foresight, operations
from lab.compare.spec import SECONDS, STEPS, TUNED, Protocol
from lab.errors import LabError
from lab.events import DONE
from lab.runs import Run
from lab.training.job import resolve

#: Runs that are looked at, the newest first.
LOOKED = 20


def speed(runs: Iterable[Run], model: str) -> float | None:
    """Multiplications and additions per second, the median over the model's finished runs; None if none tells.

    Small models are slower than their arithmetic says, so runs of other models tell nothing.
    """
    found: list[float] = []
    for run in runs:
        try:
            if run.plan.model != model:
                continue
            if len(found) == LOOKED:
                break
            history = run.history()
            started, finished = history.started, history.finished
            if started is None or finished is None or finished.status != DONE or finished.seconds <= 0:
                continue
            found.append(operations(resolve(run.plan), started.trainable, started.eval_rows) / finished.seconds)
        except LabError:
            continue
    return median(found) if found else None


def seconds(seen: Sequence[Foresight], protocol: Protocol, pace: float | None) -> float | None:
    """Expected seconds of all members that can run, trials included; None where nothing was measured."""
    able = [item for item in seen if item.reason is None]
    if protocol.budget == SECONDS:
        return len(able) * protocol.amount
    if pace is None or protocol.budget != STEPS:
        return None
    total = 0.0
    arms: set[str] = set()
    for item in able:
        plan = item.member.plan
        one = operations(resolve(plan), item.trainable, plan.training.eval_rows)
        total += one
        if protocol.rate == TUNED and item.member.arm not in arms:
            arms.add(item.member.arm)
            total += one * len(protocol.rates) * protocol.trial_steps / max(plan.training.steps, 1)
    return total / pace
