"""Rows of a data set on the Hugging Face Hub.

`datasets` works out which files make up which split of which configuration; only the files that are used are
fetched, kept in the Hub's cache (so that a run can be repeated without a network), and read as any other file
(`lab.data.files`), as far as there is memory for the rows. No code from a repository is ever run.
"""

from __future__ import annotations

import glob
import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.data.conversations import Conversations, Flatten
from lab.data.dataset_card import check_size, resolved
from lab.data.files import MAX_ROWS, Convert, ending, read_first
from lab.data.formats import parquet
from lab.data.formats.budget import MAX_MEMORY, Budget, Row
from lab.errors import LabError
from lab.knobs import nearest
from lab.models import hub

#: Bytes of the largest file that is fetched.
MAX_FILE = 1000 * 2**20

#: Share of the memory of a data set that its validation rows may take, and its test rows.
OTHER_SHARE = 0.1

#: Names of the other splits that the lab uses, the usual one first.
OTHERS = {"validation": ("validation", "valid", "val", "dev"), "test": ("test",)}


@dataclass(frozen=True)
class Found:
    """What was read: the splits by the lab's names, which configuration (empty if there is only one) and split are
    trained on, the columns whose classes got their names, whether the training rows are the first of more, how their
    messages were written, notes on what was left out, and the bytes of memory that the rows take."""

    splits: dict[str, list[Row]]
    config: str
    split: str
    named: tuple[str, ...]
    first: bool
    conversations: Conversations | None
    notes: tuple[str, ...]
    nbytes: int


def read_hub(repo: str, config: str = "", split: str = "") -> Found:
    """The rows of a data set of the Hub.

    `config` and `split` choose what to train on; empty ones take the first configuration and "train". Of a split with
    more rows than are used, or than there is memory for, the first ones are read. Raises LabError for what a person
    can mend.
    """
    source = Source(repo, *hub.names(repo, "dataset"))
    layout = _layout(source, config)
    notes: list[str] = []
    named: set[str] = set()
    if not config and len(layout.configs) > 1:
        notes.append(f"'{repo}' has {len(layout.configs)} configurations; '{layout.config}' is used.")
    files = layout.files
    chosen = split or ("train" if "train" in files else next(iter(files)))
    if chosen not in files:
        raise LabError(f"'{repo}' has no split '{chosen}'.", nearest(chosen, files) or f"It has: {', '.join(files)}.")
    splits = {"train": chosen}
    for name, known in OTHERS.items():
        other = next((item for item in known if item in files and item != chosen), None)
        if other:
            splits[name] = other
    rows: dict[str, list[Row]] = {}
    cut: dict[str, bool] = {}
    used = 0
    with ExitStack() as reading:
        # The training rows come last: they may take what the others have left.
        for name in sorted(splits, key=lambda name: name == "train"):
            budget = Budget(MAX_MEMORY - used if name == "train" else int(MAX_MEMORY * OTHER_SHARE))
            reading.enter_context(budget)
            flatten = Flatten()
            rows[name], cut[name] = _read(source, files[splits[name]], layout.labels, notes, named, budget, flatten)
            used += budget.used
    config = layout.config if len(layout.configs) > 1 else ""
    # The last split that was read is the one that is trained on.
    return Found(rows, config, chosen, tuple(sorted(named)), cut["train"], flatten.conversations, tuple(notes), used)


@dataclass(frozen=True)
class Source:
    """A repository with its files and their bytes; `cached` if the Hub does not answer and only the cache serves."""

    repo: str
    sizes: dict[str, int]
    cached: bool

    def file(self, name: str) -> Path:
        """The file, on this computer. Raises LabError."""
        return hub.fetch(self.repo, "dataset", (glob.escape(name),), skip=(), cached=self.cached) / name


@dataclass(frozen=True)
class Layout:
    """The configuration that is used, the names of all, its files by split, and the names of classes by column."""

    config: str
    configs: list[str]
    files: dict[str, list[str]]
    labels: dict[str, list[str]]


def _layout(source: Source, config: str) -> Layout:
    """How the repository is laid out.

    `datasets` reads that off an outline of the repository: its card, and its files by name with nothing in them.
    """
    names = [name for name in source.sizes if ending(name)]
    if not names:
        raise LabError(f"'{source.repo}' has no CSV, JSON or Parquet files.", "Choose another data set.")
    check_size(source.sizes.get("README.md", 0))
    card = source.file("README.md").read_bytes() if "README.md" in source.sizes else b""
    with tempfile.TemporaryDirectory() as place:
        outline = Path(place, "outline").resolve()
        for file in ((outline / name).resolve() for name in names):
            if file.is_relative_to(outline):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
        import datasets

        try:
            if card.startswith(b"---"):
                (outline / "README.md").write_text(resolved(card, names), encoding="utf-8")
            configs = datasets.get_dataset_config_names(str(outline))
            if config and config not in configs:
                raise LabError(
                    f"'{source.repo}' has no configuration '{config}'.",
                    nearest(config, configs) or f"It has: {', '.join(configs[:20])}.",
                )
            config = config or ("default" if "default" in configs else configs[0])
            builder = datasets.load_dataset_builder(str(outline), config, cache_dir=str(Path(place, "cache")))
        except LabError:
            raise
        except Exception as problem:
            # The card is a person's own writing: whatever is wrong in it, `datasets` says so in its own ways.
            raise LabError(
                f"The splits of '{source.repo}' cannot be told: {_first(problem)}.",
                "Download the file that you want and upload it here.",
            ) from None
        files = {
            str(split): [Path(file).relative_to(outline).as_posix() for file in found]
            for split, found in (builder.config.data_files or {}).items()
        }
        features = builder.info.features or {}
    labels = {name: list(feature.names) for name, feature in features.items() if hasattr(feature, "int2str")}
    return Layout(config, configs, files, labels)


def _first(problem: Exception) -> str:
    line = (str(problem).strip() or type(problem).__name__).split("\n")[0]
    return line if len(line) <= 160 else line[:159] + "…"


def _read(
    source: Source,
    files: Sequence[str],
    labels: dict[str, list[str]],
    notes: list[str],
    named: set[str],
    budget: Budget,
    convert: Convert,
) -> tuple[list[Row], bool]:
    """The rows of a split, file after file until there are enough, and whether the split has more."""
    rows: list[Row] = []
    cut = False
    for name in files:
        if len(rows) >= MAX_ROWS or budget.full:
            cut = True
            break
        if source.sizes[name] > MAX_FILE:
            raise LabError(
                f"The file '{name}' of '{source.repo}' has {source.sizes[name] / 2**30:.1f} GB.",
                "Choose a smaller configuration or split.",
            )
        path = source.file(name)
        found = read_first(path, MAX_ROWS + 1 - len(rows), MAX_FILE, budget, convert)
        if name == files[0]:
            labels = labels or _own_labels(path)
        _name_labels(found, labels)
        named.update(labels)
        rows += found
        cut = len(rows) > MAX_ROWS or budget.full
    if cut:
        del rows[MAX_ROWS:]
        why = ": they fill the memory that a data set may take" if budget.full else ""
        notes.append(f"Only the first {len(rows):,} rows of '{source.repo}' are used{why}.")
    return rows, cut


def _own_labels(path: Path) -> dict[str, list[str]]:
    """The names of the classes that `datasets` writes into a Parquet file."""
    if ending(path.name) != ".parquet":
        return {}
    try:
        features = json.loads(parquet.metadata(path) or "{}").get("info", {}).get("features", {})
        return {name: list(feature["names"]) for name, feature in features.items() if "names" in feature}
    except (ValueError, AttributeError, TypeError, RecursionError):
        return {}


def _name_labels(rows: Sequence[Row], labels: dict[str, list[str]]) -> None:
    """Put the names of classes in the place of their numbers; -1 stands for no label."""
    for column, known in labels.items():
        for row in rows:
            number: Any = row.get(column)
            if isinstance(number, int):
                row[column] = known[number] if 0 <= number < len(known) else None
