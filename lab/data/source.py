"""The rows of a plan's data: embedded, from a file, or from the Hugging Face Hub."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lab.data.catalogue import DataCard, datasets
from lab.data.files import SUFFIXES, Row, read_file
from lab.errors import LabError
from lab.knobs import nearest
from lab.plan import Data

#: Share of the rows that become validation, and test, where a set has no such splits (in 256ths of a hash).
HELD_OUT = 26


@dataclass(frozen=True)
class Table:
    """Rows in three splits. `notes` say what was left out; `card` is there for an embedded set."""

    name: str
    columns: tuple[str, ...]
    train: Sequence[Row]
    validation: Sequence[Row]
    test: Sequence[Row]
    card: DataCard | None = None
    notes: tuple[str, ...] = ()


def kind(source: str) -> str:
    """Where data come from: "embedded", "file" or "hub". Raises LabError for a name that is none of them."""
    name = source.strip()
    if name in datasets():
        return "embedded"
    if not name:
        raise LabError("No data set is chosen.", "Choose an embedded one, a Hub id or a file.")
    if Path(name).suffix.lower() in SUFFIXES or Path(name).expanduser().exists() or name.startswith((".", "/", "~")):
        return "file"
    if name.count("/") == 1:
        return "hub"
    raise LabError(
        f"There is no embedded data set '{name}'.",
        nearest(name, datasets()) or f"There are {', '.join(datasets())}; a Hub id looks like 'organisation/name'.",
    )


def read(data: Data) -> Table:
    """The table of the plan's data. Raises LabError for what a person can mend."""
    source = data.source.strip()
    place = kind(source)
    if place == "embedded":
        return embedded(source)
    if place == "hub":
        from lab.data.remote import read_hub

        splits, notes = read_hub(source, data.config, data.split)
        return _table(source, splits, notes)
    path = Path(source).expanduser()
    rows, notes = read_file(path)
    return _table(path.name, {"train": rows}, notes)


@lru_cache(maxsize=8)
def embedded(name: str) -> Table:
    """An embedded set. Raises LabError if its files are damaged."""
    card = datasets()[name]
    splits = {}
    for split in ("train", "validation", "test"):
        rows, _ = read_file(card.folder / f"{split}.jsonl")
        splits[split] = rows
    return Table(name, tuple(splits["train"][0]), **splits, card=card)


def _table(name: str, splits: dict[str, list[Row]], notes: list[str]) -> Table:
    """The table of the splits; what is missing is split off the training rows."""
    train = splits["train"]
    validation, test = splits.get("validation") or [], splits.get("test") or []
    if not validation:
        keep, validation, spare = [], [], []
        for row in train:
            part = _bucket(row)
            (validation if part < HELD_OUT else spare if part < 2 * HELD_OUT and not test else keep).append(row)
        train, test = keep, test or spare
    if not train or not validation:
        raise LabError(f"'{name}' has too few rows to hold some out for validation.", "Give it 20 rows or more.")
    columns = tuple(dict.fromkeys(key for row in splits["train"][:100] for key in row))
    return Table(name, columns, train, validation, test or validation, notes=tuple(notes))


def _bucket(row: Row) -> int:
    """A number from 0 to 255 that depends on the row alone: equal rows never stand on both sides of a split."""
    return hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).digest()[0]


def preview(table: Table, rows: int = 5) -> list[list[Any]]:
    """The first training rows as short texts, one list a row, in the order of the columns."""
    return [[str(row.get(name, ""))[:200] for name in table.columns] for row in table.train[:rows]]
