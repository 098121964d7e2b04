"""The rows of a plan's data: embedded, from a file, or from the Hugging Face Hub."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from lab import access
from lab.data.catalogue import DataCard, datasets
from lab.data.conversations import flatten
from lab.data.files import Row, ending, read_file
from lab.errors import LabError
from lab.knobs import nearest
from lab.plan import Data


@dataclass(frozen=True, eq=False)
class Table:
    """Rows in three splits; `validation` and `test` are empty where the source has none (`lab.data.tasks` holds
    rows out then). `notes` say what was left out; `card` is there for an embedded set. Of a Hub set, `config` (empty
    if there is only one) and `split` are what is trained on, `named` the columns whose classes got their names.

    A table is shared and kept, so nobody may change its rows, and equals only itself.
    """

    name: str
    columns: tuple[str, ...]
    train: Sequence[Row]
    validation: Sequence[Row]
    test: Sequence[Row]
    card: DataCard | None = None
    notes: tuple[str, ...] = ()
    config: str = ""
    split: str = ""
    named: tuple[str, ...] = ()


def kind(source: str) -> str:
    """Where data come from: "embedded", "file" or "hub". Raises LabError for a name that is none of them."""
    name = source.strip()
    if name in datasets():
        return "embedded"
    if not name:
        raise LabError("No data set is chosen.", "Choose an embedded one, a Hub id or a file.")
    if ending(name) or name.startswith((".", "/", "~")) or "\\" in name or _is_readable_file(name):
        return "file"
    if name.count("/") == 1:
        return "hub"
    if name.count("/") > 1 or Path(name).suffix:
        return "file"
    raise LabError(
        f"There is no embedded data set '{name}'.",
        nearest(name, datasets()) or f"There are {', '.join(datasets())}; a Hub id looks like 'organisation/name'.",
    )


def _is_readable_file(name: str) -> bool:
    """Whether there is such a file for whoever asks; whoever may not read it is not told either."""
    try:
        access.rules().file(Path(name))
    except LabError:
        return False
    return os.path.exists(name)


def read(data: Data) -> Table:
    """The table of the plan's data. Raises LabError for what a person can mend."""
    source = data.source.strip()
    place = kind(source)
    if place == "embedded":
        return _embedded(source)
    if place == "hub":
        return _hub(source, data.config, data.split)
    path = Path(os.path.expanduser(source))
    access.rules().file(path)
    try:
        about = path.stat()
    except (OSError, ValueError):
        raise LabError(f"The file '{path}' does not exist.", "Check its path.") from None
    return _file(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=8)
def _embedded(name: str) -> Table:
    card = datasets()[name]
    splits = {split: read_file(card.folder / f"{split}.jsonl")[0] for split in ("train", "validation", "test")}
    return _table(name, splits, (), card)


@lru_cache(maxsize=2)
def _file(path: Path, changed: int, size: int) -> Table:
    """The table of a file; the time of its change and its size tell a new one under an old name."""
    rows, notes = read_file(path)
    return _table(path.name, {"train": rows}, notes)


@lru_cache(maxsize=2)
def _hub(repo: str, config: str, split: str) -> Table:
    from lab.data.remote import read_hub

    found = read_hub(repo, config, split)
    table = _table(repo, found.splits, found.notes)
    return replace(table, config=found.config, split=found.split, named=found.named)


def _table(name: str, splits: Mapping[str, list[Row]], notes: Sequence[str], card: DataCard | None = None) -> Table:
    for rows in splits.values():
        flatten(rows)
    train = splits["train"]
    columns = tuple(dict.fromkeys(key for row in train[:1000] for key in row))
    return Table(name, columns, train, splits.get("validation", []), splits.get("test", []), card, tuple(notes))
