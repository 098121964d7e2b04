"""The rows of a plan's data: embedded, from a file, or from the Hugging Face Hub."""

from __future__ import annotations

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


@dataclass(frozen=True)
class Table:
    """Rows in three splits; `validation` and `test` are empty where the source has none (`lab.data.tasks` holds
    rows out then). `notes` say what was left out; `card` is there for an embedded set.
    """

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
    train = splits["train"]
    columns = tuple(dict.fromkeys(key for row in train[:100] for key in row))
    return Table(name, columns, train, splits.get("validation", []), splits.get("test", []), notes=tuple(notes))


def preview(table: Table, rows: int = 5) -> list[list[Any]]:
    """The first training rows as short texts, one list a row, in the order of the columns."""
    return [[str(row.get(name, ""))[:200] for name in table.columns] for row in table.train[:rows]]
