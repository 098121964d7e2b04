"""The data sets that come with the lab."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lab.paths import ASSETS
from lab.plan import CLASSIFY


@dataclass(frozen=True)
class DataCard:
    """An embedded data set: its name in a plan, its folder, and what its rows mean.

    `input` and `target` are its columns; `labels` are in the order of the classes, empty for a generation set.
    """

    name: str
    folder: Path
    title: str
    summary: str
    task: str
    input: str
    target: str
    labels: tuple[str, ...]
    metric: str
    prompts: tuple[str, ...]
    licence: str

    @property
    def note(self) -> str:
        """What a list of data sets says beside the title."""
        return self.summary


@cache
def datasets() -> dict[str, DataCard]:
    """The embedded data sets by name, from `assets/data/*/data.json`."""
    found = {}
    for file in sorted((ASSETS / "data").glob("*/data.json")):
        told = json.loads(file.read_text(encoding="utf-8"))
        reads, gives = ("text", "label") if told["task"] == CLASSIFY else ("prompt", "reply")
        found[file.parent.name] = DataCard(
            name=file.parent.name,
            folder=file.parent,
            title=told["title"],
            summary=told["summary"],
            task=told["task"],
            input=told["columns"][reads],
            target=told["columns"][gives],
            labels=tuple(told["labels"]),
            metric=told["metric"],
            prompts=tuple(told["example_prompts"]),
            licence=told["licence"],
        )
    return found
