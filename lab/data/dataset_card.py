"""The card of a data set, which anybody may have written: its patterns become names of files before they are used.

`datasets` looks for a pattern wherever it leads, on this computer and in the network, and matches it with Python's
`re`, which a pattern of a few stars keeps busy for years.
"""

from __future__ import annotations

import glob
import posixpath
from collections.abc import Sequence
from typing import Any

from lab.errors import LabError
from lab.models import patterns

#: Characters of a card.
LARGEST = 5_000_000

HINT = "Download the file that you want and upload it here."


def check_size(size: int) -> None:
    """Raise LabError for a card that is too large to be read."""
    if size > LARGEST:
        raise LabError(f"The data set's card has {size / 1e6:.0f} MB.", HINT)


def resolved(card: bytes, names: Sequence[str]) -> str:
    """The card with the `names` that its patterns match in place of the patterns.

    Raises LabError for a card that is too large, a pattern that leads out of the repository, and one that matches
    none of the names; ValueError or an error of YAML for a card that cannot be read.
    """
    from huggingface_hub import DatasetCard

    check_size(len(card))
    read = DatasetCard(card.decode("utf-8", errors="replace"))
    configs = read.data.get("configs") or []
    for config in configs:
        folder = _inside(str(config.get("data_dir") or "."))
        if "data_files" in config:
            config["data_files"] = _data_files(config["data_files"], _below(folder, names))
    return str(read)


def _data_files(value: Any, names: Sequence[str]) -> Any:
    """The field `data_files` of a configuration: a pattern, a list of them, or of tables with a split and a path."""
    if isinstance(value, dict):
        return value | {"path": _data_files(value.get("path"), names)}
    if isinstance(value, list):
        items = [_data_files(item, names) for item in value]
        return [name for item in items for name in (item if isinstance(item, list) else [item])]
    return matches(str(value), names)


def _below(folder: str, names: Sequence[str]) -> list[str]:
    """The names of the files in a folder of the repository, relative to it."""
    if folder == ".":
        return list(names)
    return [name.removeprefix(f"{folder}/") for name in names if name.startswith(f"{folder}/")]


def matches(pattern: str, names: Sequence[str]) -> list[str]:
    """The names that a pattern of a card matches, as `datasets` resolves it within a repository. Raises LabError."""
    from datasets.data_files import FILES_TO_IGNORE
    from fsspec.utils import glob_translate

    pattern = _inside(pattern)
    expression = glob_translate(pattern).removesuffix(r"\Z")
    ignored = set(FILES_TO_IGNORE) - {posixpath.basename(pattern)}
    files = [
        name
        for name in sorted(names)
        if posixpath.basename(name) not in ignored
        and glob.escape(name) == name  # it will be read as a pattern once more
        and _hidden(name) == _hidden(pattern)
        and patterns.fullmatch(expression, name)
    ]
    if not files:
        raise LabError(f"No file of the data set matches '{pattern}'.", HINT)
    return files


def _inside(path: str) -> str:
    """The path, normalised. Raises LabError for one that leads out of the repository."""
    normal = posixpath.normpath(path)
    if "::" in path or ":" in path.split("/")[0] or "\\" in path or normal.startswith(("/", "..", "~")):
        raise LabError(f"The data set's card names '{path}', which is not in its repository.", HINT)
    return normal


def _hidden(path: str) -> tuple[int, int]:
    """How many parts of a path are hidden, and how many of its folders special: a pattern must ask for as many."""
    parts = path.split("/")
    return sum(part.startswith(".") for part in parts), sum(part.startswith("__") for part in parts[:-1])
