"""What a list shows of a run, damaged ones included."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lab.errors import LabError
from lab.plan import Plan
from lab.runs.run import NewerError, Run, size

log = logging.getLogger(__name__)

#: A run as a list shows it: the values of `summary` by name.
Row = Mapping[str, Any]

#: Instead of its status: why a run cannot be opened.
DAMAGED, NEWER = "damaged", "newer"

#: The values of a row, in the order in which the index keeps them; what a damaged run says of itself.
EMPTY: Row = {
    "id": "",
    "name": "",
    "status": DAMAGED,
    "method": "",
    "model": "",
    "data": "",
    "created": 0.0,
    "steps": 0,
    "planned": 0,
    "trainable": None,
    "total": None,
    "score": None,
    "loss": None,
    "metric": None,
    "base_score": None,
    "seconds": 0.0,
    "peak_bytes": 0,
    "bytes": 0,
    "disk": 0,
    "owner": "",
    "error": "",
}


def readable(row: Row) -> bool:
    """Whether the run of a row can be opened."""
    return row["status"] not in (DAMAGED, NEWER)


def summary(run: Run) -> dict[str, Any]:
    """The figures of a run that lists show, as plain values. Raises LabError if the run is damaged.

    `planned` are the steps that it was to make, `bytes` the size of its adapter, `disk` of all its files.
    """
    about, history = run.about, run.history()
    plan = Plan.from_dict(about["plan"])
    started, last, base = history.started, history.last, history.base
    return {
        "id": run.id,
        "name": about.get("name") or run.id,
        "status": run.status,
        "method": plan.method,
        "model": plan.model,
        "data": plan.data.source,
        "created": about.get("created", 0.0),
        "steps": history.step,
        "planned": started.steps if started else plan.training.steps,
        "trainable": started.trainable if started else None,
        "total": started.total if started else None,
        "score": _finite(last.score) if last else None,
        "loss": _finite(last.loss) if last else None,
        "metric": started.metric if started else None,
        "base_score": _finite(base.score) if base else None,
        "seconds": _finite(history.seconds) or 0.0,
        "peak_bytes": history.peak.total,
        "bytes": run.bytes,
        "disk": size(run.folder),
        "owner": about.get("owner", ""),
        "error": history.finished.error if history.finished else "",
    }


def describe(run: Run) -> Row:
    """The row of a run, whatever is in its folder: one that cannot be read says why, and harms no other."""
    try:
        return summary(run)
    except NewerError as error:
        return _unreadable(run, NEWER, str(error))
    except LabError as error:
        return _unreadable(run, DAMAGED, str(error))
    except Exception as error:
        log.exception("the run %r cannot be read", run.id)
        return _unreadable(run, DAMAGED, f"It cannot be read ({type(error).__name__}).")


def _unreadable(run: Run, status: str, reason: str) -> Row:
    known: dict[str, Any] = {"name": printable(run.id), "created": _changed(run)}
    with suppress(LabError):  # the log is damaged, or the plan
        about = run.about
        known = {"name": about.get("name") or run.id, "created": about.get("created", 0.0)}
        known["owner"] = about.get("owner", "")
    shown = {"id": printable(run.id), "status": status, "error": printable(reason), "disk": size(run.folder)}
    return {**EMPTY, **known, **shown}


def _changed(run: Run) -> float:
    try:
        return run.folder.stat().st_mtime
    except OSError:
        return 0.0


def printable(text: str) -> str:
    """The text without half surrogate pairs, which a folder's name has if it is not UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
