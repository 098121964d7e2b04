"""Optional copies of a comparison's runs in TensorBoard, trackio or W&B, where the user has them installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from lab.compare.comparison import Comparison
from lab.compare.results import QUANTITIES, Outcome
from lab.errors import LabError

Tracker = Callable[[Comparison], None]


def scalars(item: Outcome) -> Iterator[tuple[int, dict[str, float]]]:
    """What was measured, step by step: (step, values by name)."""
    found: dict[int, dict[str, float]] = {}
    for step, loss in zip(item.curve.step, item.curve.loss):
        found.setdefault(step, {})["train/loss"] = loss
    for step, loss, score in item.curve.evaluations:
        found.setdefault(step, {}).update({"eval/loss": loss, "eval/score": score})
    yield from sorted(found.items())


def summaries(item: Outcome) -> dict[str, float]:
    """The figures at the end, by name."""
    return {f"final/{name}": value for name, (_, _, _, of) in QUANTITIES.items() if (value := of(item)) is not None}


def _tensorboard(comparison: Comparison) -> None:
    writer_of = import_module("torch.utils.tensorboard").SummaryWriter
    for item in comparison.outcomes():
        if not item.run:
            continue
        writer = writer_of(str(comparison.folder / "tensorboard" / item.label))
        for step, values in scalars(item):
            for name, value in values.items():
                writer.add_scalar(name, value, step)
        for name, value in summaries(item).items():
            writer.add_scalar(name, value, item.steps)
        writer.close()


def _wandb_like(package: str) -> Tracker:
    """trackio speaks W&B's language: `init`, `log`, `finish`."""

    def track(comparison: Comparison) -> None:
        library: Any = import_module(package)
        for item in comparison.outcomes():
            if not item.run:
                continue
            library.init(project=comparison.name, name=item.label, config=dict(item.choices, seed=item.seed))
            for step, values in scalars(item):
                library.log(values, step=step)
            library.log(summaries(item), step=item.steps + 1)
            library.finish()

    return track


#: By name: the package that must be installed, and what copies a comparison there.
TRACKERS: dict[str, tuple[str, Tracker]] = {
    "tensorboard": ("tensorboard", _tensorboard),
    "trackio": ("trackio", _wandb_like("trackio")),
    "wandb": ("wandb", _wandb_like("wandb")),
}


def tracker(name: str) -> Tracker:
    """The tracker of that name. Raises LabError if there is none, or its package is not installed."""
    if name not in TRACKERS:
        raise LabError(f"Runs cannot be logged to '{name}'.", f"Choose one of: {', '.join(TRACKERS)}.")
    package, track = TRACKERS[name]
    if find_spec(package) is None:
        raise LabError(f"{name} is not installed.", f"Run `pip install {package}`, or leave --log out.")
    return track
