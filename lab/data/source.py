"""The rows of a plan's data: embedded, from a file, or from the Hugging Face Hub."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from lab import access
from lab.data.cache import TableCache
from lab.data.catalogue import DataCard, datasets
from lab.data.conversations import Conversations, Flatten
from lab.data.files import ending, read_file
from lab.data.formats.budget import MAX_COLUMNS, Budget, Row
from lab.errors import LabError
from lab.knobs import nearest
from lab.plan import Data


@dataclass(frozen=True, eq=False)
class Table:
    """Rows in three splits; `validation` and `test` are empty where the source has none (`lab.data.tasks` holds
    rows out then). `notes` say what was left out; `card` is there for an embedded set. Of a Hub set, `config` (empty
    if there is only one) and `split` are what is trained on, `named` the columns whose classes got their names, and
    `first` tells that the split has more rows than these. `conversations` says how the messages were written that
    became the columns `prompt` and `reply`.

    A table is shared and kept, so nobody may change its rows, and equals only itself. It takes about `nbytes` of
    memory; what others work out from it and want to keep belongs into `derived`, and goes with it.
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
    first: bool = False
    conversations: Conversations | None = None
    nbytes: int = 0
    derived: OrderedDict[Any, Any] = field(default_factory=OrderedDict, init=False, repr=False)


#: Tables of files and of the Hub; a file's time and size tell a new one under an old name.
_tables: TableCache[Table] = TableCache()


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
        return _tables.get((source, data.config, data.split), lambda: _hub(source, data.config, data.split))
    path = Path(os.path.expanduser(source))
    access.rules().file(path)
    try:
        about = path.stat()
    except (OSError, ValueError):
        raise LabError(f"The file '{path}' does not exist.", "Check its path.") from None
    return _tables.get((path, about.st_mtime_ns, about.st_size), lambda: _file(path))


def forget() -> None:
    """Drop the tables of files and of the Hub: they are read again when they are asked for."""
    _tables.clear()


@lru_cache(maxsize=8)
def _embedded(name: str) -> Table:
    card = datasets()[name]
    splits = {split: read_file(card.folder / f"{split}.jsonl")[0] for split in ("train", "validation", "test")}
    return _table(name, splits, card=card)


def _file(path: Path) -> Table:
    flatten = Flatten()
    with Budget() as budget:
        rows, notes = read_file(path, budget=budget, convert=flatten)
    return _table(
        path.name,
        {"train": rows},
        notes=tuple(notes),
        conversations=flatten.conversations,
        nbytes=budget.used,
    )


def _hub(repo: str, config: str, split: str) -> Table:
    from lab.data.remote import read_hub

    found = read_hub(repo, config, split)
    about = {name: value for name, value in vars(found).items() if name != "splits"}
    return _table(repo, found.splits, **about)


def _table(name: str, splits: Mapping[str, list[Row]], **about: Any) -> Table:
    """The table of these rows. Raises LabError for rows that have no columns in common."""
    train = splits["train"]
    columns = tuple(dict.fromkeys(key for row in train[:1000] for key in row))
    if len(columns) > MAX_COLUMNS:
        raise LabError(
            f"The rows of '{name}' have {len(columns):,} different columns.", "Give all rows the same columns."
        )
    validation, test = splits.get("validation", []), splits.get("test", [])
    return Table(name, columns, train, validation, test, **about)
