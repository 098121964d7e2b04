"""Rows of a data set on the Hugging Face Hub, read as a stream so that only what is used is fetched."""

from __future__ import annotations

from itertools import islice
from typing import Any

from lab.data.files import MAX_ROWS, Row
from lab.errors import LabError
from lab.models import hub


def read_hub(source: str, config: str, split: str) -> tuple[dict[str, list[Row]], list[str]]:
    """The splits of the set by the lab's names, and notes. Raises LabError for what a person can mend."""
    hub.check(source, "dataset")  # answers within seconds where the stream would retry for minutes
    with hub.told(source):
        import datasets

        names = datasets.get_dataset_config_names(source)
        if config and config not in names:
            raise LabError(f"'{source}' has no configuration '{config}'.", f"It has: {', '.join(names[:20])}.")
        found: dict[str, Any] = datasets.load_dataset(source, config or names[0], streaming=True)
        wanted = split or ("train" if "train" in found else next(iter(found)))
        if wanted not in found:
            raise LabError(f"'{source}' has no split '{wanted}'.", f"It has: {', '.join(found)}.")
        splits: dict[str, list[Row]] = {"train": list(islice(found[wanted], MAX_ROWS))}
        for name, others in {"validation": ("validation", "valid", "dev"), "test": ("test",)}.items():
            other = next((item for item in others if item in found and item != wanted), None)
            if other:
                splits[name] = [row for row in islice(found[other], MAX_ROWS)]
        _name_labels(found[wanted].features, splits)
    notes = []
    if len(splits["train"]) == MAX_ROWS:
        notes.append(f"Only the first {MAX_ROWS:,} rows of '{source}' are used.")
    if not config and len(names) > 1:
        notes.append(f"'{source}' has {len(names)} configurations; '{names[0]}' is used.")
    return splits, notes


def _name_labels(features: Any, splits: dict[str, list[Row]]) -> None:
    """Put the names of labels in the place of their numbers."""
    for name, feature in (features or {}).items():
        if hasattr(feature, "int2str"):
            for rows in splits.values():
                for row in rows:
                    if isinstance(row[name], int) and row[name] >= 0:
                        row[name] = feature.int2str(row[name])
