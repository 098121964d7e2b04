"""One training's figures without those of its base, which are the same for every candidate of a search.

The loop is the lab's own (`lab.training.loop.Session`); only its first evaluation is left out.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.events import Event
from lab.history import History, fold
from lab.plan import Plan
from lab.training.loop import Session


class AfterOnly(Session):
    """A training that does not evaluate the base."""

    def _evaluate(self, loaded: Any, model: Any, is_base: bool = False) -> Iterator[Event]:
        if not is_base:
            yield from super()._evaluate(loaded, model)


def trained(plan: Plan) -> History:
    """Train by the plan and throw the adapter away. Raises what the loop raises."""
    with tempfile.TemporaryDirectory() as folder:
        return fold(AfterOnly(plan, threading.Event(), Path(folder)).events(None))
