"""The rules of a lab that strangers share."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import access
from lab.errors import LabError
from lab.hosting.accounts import Accounts
from lab.hosting.limits import Limits
from lab.knobs import Knob
from lab.plan import Plan

#: Measurements that run at a time, and those of one visitor that run or wait.
AT_ONCE, EACH = 2, 2

#: Bounds of a configuration of the Hub: layers, and any other whole number in it.
LAYERS, NUMBER = 256, 4_000_000

#: Bytes that a trained parameter may leave on the disk: itself, a checkpoint of it and the optimizer's two numbers.
LEFT = 4 * 4


class Shared(access.Rules):
    """Each visitor reads their own uploads, embedded models and data, and what fits of the Hub; no other path.

    `asks` gives the browser whose request is in course, or "" for none; `accounts` for whom it has signed in.
    """

    shared = True

    def __init__(
        self, limits: Limits, uploads: Path, asks: Callable[[], str], accounts: Accounts | None = None
    ) -> None:
        self.limits, self.uploads, self.asks = limits, uploads.resolve(), asks
        self.accounts = accounts or Accounts()
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._mine: Counter[str] = Counter()
        self._lock = threading.Lock()

    def owner(self) -> str:
        found = self.asks()
        if not found:
            raise LabError(
                "The lab cannot tell you from other visitors.",
                "Let this page keep a cookie, or open it in a tab of its own.",
            )
        return self.accounts.owner(found)

    def artifact(self, key: str) -> None:
        raise LabError(f"A shared lab does not make '{key}'.", "Run the lab on a machine of your own.")

    def now(self, owner: str) -> str:
        return self.accounts.now(owner)

    def file(self, path: Path) -> None:
        if not path.resolve().is_relative_to(self.uploads / access.owner()):
            raise LabError("A shared lab reads no files but your own uploads.", "Upload the file in the form.")

    def folder(self, path: Path) -> None:
        raise LabError("A shared lab reads no folders of its machine.", "Choose an embedded model or a Hub id.")

    def download(self, repo: str, size: int) -> None:
        if size > self.limits.download:
            raise LabError(
                f"'{repo}' has {size / 1e9:.1f} GB; the limit here is {self.limits.download / 1e9:.1f} GB.",
                "Choose a smaller one, or run the lab on a machine of your own.",
            )

    def config(self, model: str, told: Mapping[str, Any]) -> None:
        for name, value in _numbers(told):
            if value > (LAYERS if "layers" in name or name in ("n_layer", "depth") else NUMBER):
                raise LabError(f"The configuration of '{model}' has {name} = {value:,}.", "Choose a smaller model.")

    def setting(self, knob: Knob, value: Any) -> None:
        # A library may take a text for a path, an address or an expression: only what is known to be harmless passes.
        if not (knob.closed or knob.public or value == knob.default):
            raise LabError(
                f"A shared lab does not take a value of your own for '{knob.label}'.",
                "Leave it as it is, or run the lab on a machine of your own.",
            )

    def untried(self, title: str) -> None:
        # What a method of peft holds while it trains does not follow from what it trains: HRA keeps r copies of W.
        raise LabError(
            f"{title} on this model is too large for a shared lab to try.",
            "Choose smaller settings, a smaller model, or a method from the form.",
        )

    @contextmanager
    def measuring(self) -> Iterator[float]:
        owner = access.owner()
        with self._lock:
            if self._mine[owner] >= EACH:
                raise LabError("Two measurements of yours are under way.", "Wait for one, or stop it.")
            self._mine[owner] += 1
        try:
            with self._slots:
                yield self.limits.measuring
        finally:
            with self._lock:
                self._mine[owner] -= 1


def _numbers(told: Any, name: str = "") -> Iterator[tuple[str, int]]:
    if isinstance(told, Mapping):
        for key, value in told.items():
            yield from _numbers(value, str(key))
    elif isinstance(told, list):
        for value in told:
            yield from _numbers(value, name)
    elif isinstance(told, int) and not isinstance(told, bool) and not name.endswith("_id"):
        yield name, abs(told)


def permit(plan: Plan, limits: Limits, room: int) -> None:
    """Raises LabError if a visitor with `room` bytes left may not train the plan."""
    from lab.training.job import resolve

    training, job = plan.training, resolve(plan)
    _within("The run has", job.steps, limits.steps, "steps")
    _within("A step reads", job.tokens_per_step, limits.tokens, "tokens")
    _within(f"'{plan.model}' has", job.shape.total, limits.parameters, "parameters")
    _within("The run is evaluated", job.evaluations, limits.evaluations, "times")
    saves = max(limits.steps // 5, limits.evaluations)  # by itself a run is saved at each evaluation
    _within("The run saves", job.steps // job.save_every, saves, "times")
    _within("An evaluation reads", training.eval_rows, 1000, "rows")
    _within("An evaluation writes", training.reply_rows, 128, "replies")
    trained = job.trainable
    if trained * LEFT > room:
        raise LabError(
            f"The run may need {trained * LEFT / 1e6:,.0f} MB; you have {max(room, 0) / 1e6:,.0f} MB left.",
            "Delete runs that you do not need, or train fewer parameters.",
        )


def _within(words: str, count: int, most: int, unit: str) -> None:
    if count > most:
        raise LabError(f"{words} {count:,} {unit}; this shared lab allows {most:,}.", "Choose less.")
