"""Training on ZeroGPU, where a GPU exists only inside a decorated function, for a bounded time, in a forked process.

The function is a generator: it trains, yields its events and writes the adapter to the disk. It is handed plain
values and shares nothing with this process; a file tells it to stop. What does not fit into one call is broken off
in time, saved and said: the run can be continued, in a call of its own.
"""

from __future__ import annotations

import importlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.events import Event, Finished, Warned
from lab.plan import Plan
from lab.training.jobs import Trainer

#: Set on ZeroGPU machines.
VARIABLE = "SPACES_ZERO_GPU"

#: Seconds of a call (`LAB_ZERO_SECONDS`), and those of them that are kept for the last evaluation and for saving.
SECONDS, SAVING = 60, 12

#: The file beside a run's log that ends the run.
STOP = "stop"


class StopFile(threading.Event):
    """An event that is set by a file, or by time: what a process can be told that shares no memory."""

    def __init__(self, file: Path, seconds: float) -> None:
        super().__init__()
        self.file, self.end = file, time.monotonic() + seconds

    @property
    def late(self) -> bool:
        return time.monotonic() > self.end

    def is_set(self) -> bool:
        return self.late or self.file.exists()


def asked_for() -> bool:
    """Whether this machine lends its GPU by the call."""
    return bool(os.environ.get(VARIABLE))


def trainer(spaces: Any = None, seconds: float | None = None) -> Trainer:
    """What `Jobs` pumps there. `spaces` is the package of that name."""
    seconds = seconds or float(os.environ.get("LAB_ZERO_SECONDS", SECONDS))
    spaces = spaces or importlib.import_module("spaces")
    lent = spaces.GPU(duration=int(seconds))(_remote)

    def train(plan: Plan, stop: threading.Event, folder: Path, resume: bool) -> Iterator[Event]:
        file = folder / STOP
        file.unlink(missing_ok=True)
        try:
            for event in lent(plan.to_dict(), str(folder), resume, max(seconds - SAVING, seconds / 2)):
                if stop.is_set():
                    file.touch()
                yield event
        finally:
            file.unlink(missing_ok=True)

    return train


def _remote(plan: dict[str, Any], folder: str, resume: bool, seconds: float) -> Iterator[Event]:
    """Runs where the GPU is."""
    from lab.models import precision
    from lab.training.loop import train

    precision.device.cache_clear()
    os.environ.pop(VARIABLE, None)  # here, and only here, the GPU is real
    stop = StopFile(Path(folder) / STOP, seconds)
    for event in train(Plan.from_dict(plan), stop, Path(folder), resume):
        if isinstance(event, Finished) and event.status == "stopped" and stop.late:
            yield Warned(
                f"A call lends the GPU for so long that {event.step} steps were made.",
                "Continue the run: it goes on from there in another call.",
            )
        yield event
