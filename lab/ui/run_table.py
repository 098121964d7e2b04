"""The table of runs: searched, sorted and cut on the server, so that a page gets what it shows and not thousands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Annotated, Any

from pydantic import Field

from lab.events import DONE, FAILED, STOPPED
from lab.methods import METHODS
from lab.plots.style import NEUTRAL, colour
from lab.runs import DAMAGED, INTERRUPTED, NEWER, RUNNING, WAITING, Row
from lab.server.schema import Request, one_of
from lab.ui.bench.live import PAUSED
from lab.ui.lab import Lab

#: Rows of an answer if the page does not say how many.
SHOWN = 200

#: What the page calls a status; one searches for these words.
WORDS = {
    RUNNING: "Training",
    PAUSED: "Paused",
    WAITING: "Waiting",
    DONE: "Done",
    STOPPED: "Stopped",
    FAILED: "Failed",
    INTERRUPTED: "Interrupted",
    DAMAGED: "Damaged",
    NEWER: "Of a newer version",
}

#: By the name of a column, what a row is sorted by.
COLUMNS: Mapping[str, Callable[[Row], Any]] = {
    "name": lambda row: row["name"].lower(),
    "status": lambda row: WORDS[row["status"]],
    "method": lambda row: title(row),
    "share": lambda row: row["trainable"] / row["total"] if row["trainable"] and row["total"] else -1.0,
    "score": lambda row: -1.0 if row["score"] is None else row["score"],
    "loss": lambda row: inf if row["loss"] is None else row["loss"],
    "seconds": lambda row: row["seconds"],
    "bytes": lambda row: row["bytes"],
    "created": lambda row: row["created"],
}

#: What a page gets of a row.
SENT = ("id", "name", "status", "method", "model", "data", "created", "steps", "trainable", "total", "score", "loss",
        "base_score", "seconds", "bytes", "error")  # fmt: skip


class Shown(Request, total=False):
    """Words to search for, a column to sort by, whether its largest come first, how many rows are shown, whether
    only runs with a score, and the ids of runs that are sent even if they are not among the first."""

    words: Annotated[str, Field(max_length=200)]
    sort: Annotated[str, one_of(COLUMNS)]
    down: bool
    limit: Annotated[int, Field(ge=1, le=5000)]
    scored: bool
    also: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=1000)]


def runs(lab: Lab, request: Shown) -> dict[str, Any]:
    """The rows of a page, how many match, how many there are, and whether any of all may change by itself."""
    words, sort, down = (
        request.get("words", "").lower().split(),
        request.get("sort", "created"),
        request.get("down", True),
    )
    rows = [_paused(lab, row) for row in lab.runs.rows()]
    scored = [row for row in rows if row["score"] is not None] if request.get("scored") else rows
    matching = [row for row in scored if _matches(row, words)] if words else scored
    if sort != "created":
        matching = sorted(matching, key=COLUMNS[sort], reverse=down)
    elif not down:  # the newest come first already
        matching = matching[::-1]
    limit, also = request.get("limit", SHOWN), set(request.get("also", ()))
    shown, rest = matching[:limit], matching[limit:]
    return {
        "rows": [_sent(row) for row in [*shown, *(row for row in rest if row["id"] in also)]],
        "matching": len(matching),
        "total": len(rows),
        "moving": any(row["status"] in (RUNNING, WAITING, PAUSED) for row in rows),
    }


def title(row: Row) -> str:
    """The name of a run's method."""
    return METHODS[row["method"]].title if row["method"] in METHODS else row["method"]


def _paused(lab: Lab, row: Row) -> Row:
    held = row["status"] in (RUNNING, WAITING) and lab.jobs.paused(row["id"])
    return {**row, "status": PAUSED} if held else row


def _matches(row: Row, words: list[str]) -> bool:
    text = f"{row['name']} {title(row)} {row['model']} {row['data']} {WORDS[row['status']]}".lower()
    return all(word in text for word in words)


def _sent(row: Row) -> dict[str, Any]:
    shade = colour(row["method"]) if row["method"] in METHODS else NEUTRAL
    return {name: row[name] for name in SENT} | {"title": title(row), "colour": shade, "state": WORDS[row["status"]]}
