"""Who asks, and what the lab lets them read.

A lab is somebody's own, or shared by strangers (`lab.hosting`). What reads files, repositories and runs asks here,
so that no caller can forget to: the rules are set once, when the lab starts, and what nobody is known to ask for is
refused. Work on a thread of its own says for whom it works (`acting`, `thread`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from lab.knobs import Knob, knobs


class Rules:
    """The rules of a lab for one person, or for people who trust each other: all is theirs."""

    def owner(self) -> str:
        """The owner of what the request in course makes and sees; empty where there is only one."""
        return ""

    #: Whether strangers share the lab.
    shared = False

    def artifact(self, key: str) -> None:
        """Raises LabError if an artifact that is not for everybody may not be made for whoever asks."""

    def now(self, owner: str) -> str:
        """Who an owner is by now: they may have signed in while work of theirs went on."""
        return owner

    def file(self, path: Path) -> None:
        """Raises LabError if the asking visitor may not read this file as data."""

    def folder(self, path: Path) -> None:
        """Raises LabError if the folder may not be read as a model."""

    def download(self, repo: str, size: int) -> None:
        """Raises LabError if a repository's files of `size` bytes may not be fetched."""

    def config(self, model: str, told: Mapping[str, Any]) -> None:
        """Raises LabError if a model of this configuration may not even be outlined."""

    def setting(self, knob: Knob, value: Any) -> None:
        """Raises LabError if a method may not be given this value of a setting."""

    def untried(self, title: str) -> None:
        """Raises LabError if a method may not be trained that was counted, but is too large to be tried first."""

    @contextmanager
    def measuring(self) -> Iterator[float]:
        """Around a measurement: the seconds that it may take."""
        yield float("inf")


_rules = Rules()
_acting: ContextVar[str | None] = ContextVar("acting", default=None)


def rules() -> Rules:
    return _rules


def use(new: Rules) -> Rules:
    """Set the rules of this process; those before are returned."""
    global _rules
    before, _rules = _rules, new
    return before


def check_settings(settings: Any) -> None:
    """Raises LabError if the rules do not allow one of a method's settings."""
    for item in knobs(settings):
        _rules.setting(item, getattr(settings, item.name))


def owner() -> str:
    """For whom the caller works. Raises LabError where strangers share the lab and nobody is known to ask."""
    known = _acting.get()
    return _rules.owner() if known is None else _rules.now(known)


@contextmanager
def acting(owner: str) -> Iterator[None]:
    """Work for this owner inside the context: for threads that no request runs on."""
    token = _acting.set(owner)
    try:
        yield
    finally:
        _acting.reset(token)


def thread(work: Callable[..., None], name: str, *arguments: Any) -> threading.Thread:
    """A started daemon thread that works for the owner who asks now."""
    mine = owner()

    def run() -> None:
        with acting(mine):
            work(*arguments)

    started = threading.Thread(target=run, name=name, daemon=True)
    started.start()
    return started
