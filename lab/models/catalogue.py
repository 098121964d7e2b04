"""The models that come with the lab."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lab.paths import ASSETS

#: The model that the lab opens with.
DEFAULT = "storybook"


@dataclass(frozen=True)
class Card:
    """An embedded model: its name in a plan, its folder, and what to expect of it."""

    name: str
    folder: Path
    title: str
    note: str


@cache
def models() -> dict[str, Card]:
    """The embedded models by name, from `assets/models/*/lab.json`."""
    cards = {}
    for file in sorted((ASSETS / "models").glob("*/lab.json")):
        values = json.loads(file.read_text(encoding="utf-8"))
        name = file.parent.name
        cards[name] = Card(name, file.parent, values["title"], values["note"])
    return cards
