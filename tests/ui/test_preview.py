"""What the form shows of a data set before anything is trained on it."""

from __future__ import annotations

import json
from pathlib import Path

from lab.data import tasks
from lab.plan import Data
from lab.ui.bench import preview


def saved(file: Path, rows: int, labels: str = "yn") -> Data:
    texts = [{"text": f"word number {n}", "label": labels[n % len(labels)]} for n in range(rows)]
    file.write_text("".join(json.dumps(row) + "\n" for row in texts), encoding="utf-8")
    return Data(source=str(file))


def test_the_sizes_are_those_of_the_training(tmp_path: Path) -> None:
    data = saved(tmp_path / "small.jsonl", 60)
    ready, shown = tasks.prepare(data), preview.rows(data)
    assert (shown["train"], shown["validation"]) == (len(ready.train), len(ready.validation))
    assert 0 < shown["validation"] < preview.FEW
    assert shown["notes"] == [preview.LITTLE]


def test_enough_rows_need_no_note(tmp_path: Path) -> None:
    shown = preview.rows(saved(tmp_path / "large.jsonl", 2000))
    assert shown["validation"] >= preview.FEW
    assert shown["notes"] == []


def test_rows_that_cannot_be_learned_from_are_shown_too(tmp_path: Path) -> None:
    shown = preview.rows(saved(tmp_path / "one.jsonl", 60, labels="y"))
    assert shown["rows"]
    assert shown["train"] == 60
