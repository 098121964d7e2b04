"""Figures from elsewhere: the result schema of huggingface/peft's `method_comparison`.

A published figure stands beside one's own as 'published' and is never ranked with it: model, task and machine differ.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.compare.results import PUBLISHED, Outcome
from lab.errors import LabError
from lab.events import FAILED

#: Bytes and rows of an import that are read.
LARGEST, MOST = 20 * 2**20, 2000

#: The largest figure that is taken over: bytes, parameters and seconds are far below it.
LARGEST_FIGURE = 1e18

#: peft's name of a method's type → the lab's, where the lab has it.
TYPES = {
    "LORA": "lora",
    "ADALORA": "adalora",
    "VERA": "vera",
    "OFT": "oft",
    "BOFT": "boft",
    "PREFIX_TUNING": "prefix",
    "PROMPT_TUNING": "prompt",
    "P_TUNING": "ptuning",
    "IA3": "ia3",
    "LN_TUNING": "lntuning",
    "FULL": "full",
}

#: The columns of a table that are read, by the fields of an outcome.
COLUMNS = {
    "score": "test_accuracy",
    "forgetting": "forgetting",
    "loss": "train_loss",
    "seconds": "train_seconds",
    "memory": "memory_max_bytes",
    "trainable": "trainable_parameters",
    "total": "total_parameters",
    "bytes": "file_bytes",
}


def read(file: Path) -> list[Outcome]:
    """The outcomes in a CSV table, a JSON result of peft's schema, or a folder or list of such results.

    Raises LabError for a file that is neither, and names the row and column of a value that is no number.
    """
    if file.is_dir():
        found = [item for path in sorted(file.glob("*.json"))[:MOST] for item in read(path)]
        if not found:
            raise LabError(f"'{file.name}' holds no JSON results.", "Choose the folder of peft's result files.")
        return found
    try:
        if file.stat().st_size > LARGEST:
            raise LabError(f"'{file.name}' is larger than {LARGEST // 2**20} MiB.", "Choose a table of results.")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise LabError(f"'{file}' cannot be read: {reason}.", "Give the path of a CSV or JSON file.") from None
    return parse(text, file.name)


def parse(text: str, name: str = "the table") -> list[Outcome]:
    """As `read`, from the text itself."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise LabError(
                f"{name} is no JSON: {error}.", "Choose a result file of peft's method comparison."
            ) from None
        rows = plain if isinstance(plain, list) else [plain]
        return [_from_result(row, name) for row in rows[:MOST]]
    try:
        rows = list(itertools.islice(csv.DictReader(io.StringIO(text, newline="")), MOST))
    except csv.Error as error:
        raise LabError(f"{name} is no table: {error}.", "Choose a CSV file of results.") from None
    if not rows or "experiment" not in rows[0] or COLUMNS["score"] not in rows[0]:
        wanted = ", ".join(["experiment", "peft_type", *COLUMNS.values()])
        raise LabError(f"{name} is no table of results.", f"It needs the columns {wanted}.")
    return [_from_row(row, place, name) for place, row in enumerate(rows, 2)]


def _from_row(row: Mapping[str, str], place: int, name: str) -> Outcome:
    def number(column: str) -> float | None:
        text = (row.get(column) or "").strip()
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            raise LabError(f"Line {place} of {name} has '{text}' as {column}.", "It must be a number.") from None
        return _figure(value)

    values = {field: number(column) for field, column in COLUMNS.items()}
    experiment = str(row["experiment"])
    return _published(experiment, str(row.get("peft_type", "")), str(row.get("status", "success")), values, {})


def _figure(value: float) -> float | None:
    """The figure; None for one that is not finite or that nothing measured can have."""
    return value if math.isfinite(value) and abs(value) <= LARGEST_FIGURE else None


def _from_result(row: Any, name: str) -> Outcome:
    """One JSON result: run_info, train_info, meta_info."""
    try:
        run, train = row["run_info"], row["train_info"]
        config = run.get("peft_config") or {}
        last = (train.get("metrics") or [{}])[-1]
        values = {
            "score": last.get("test accuracy"),
            "forgetting": last.get("forgetting"),
            "loss": last.get("train loss"),
            "seconds": train.get("train_time"),
            "memory": train.get("accelerator_memory_max"),
            "trainable": train.get("num_trainable_params"),
            "total": train.get("num_total_params"),
            "bytes": train.get("file_size"),
        }
        values = {key: None if value is None else _figure(float(value)) for key, value in values.items()}
        kind, status = config.get("peft_type") or "FULL", train.get("status", "success")
        return _published(run["experiment_name"], str(kind), str(status), values, run.get("train_config") or {})
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
        raise LabError(
            f"{name} is no result of peft's method comparison.", "It needs run_info, train_info and meta_info."
        ) from None


def _published(
    experiment: str, kind: str, status: str, values: Mapping[str, float | None], config: Mapping[str, Any]
) -> Outcome:
    kind = kind.rpartition(".")[2].upper()
    whole = {"trainable", "total", "memory", "bytes"}
    figures: dict[str, Any] = {
        key: int(value) if value is not None and key in whole else value for key, value in values.items()
    }
    done = status == "success"
    return Outcome(
        key=f"published:{experiment}",
        arm=experiment,
        method=TYPES.get(kind, f"unknown:{kind.lower()}"),
        seed=0,
        status=PUBLISHED if done else FAILED,
        label=experiment,
        model=str(config.get("model_id", "")),
        reason="" if done else f"published as '{status}'",
        **(figures if done else {}),
    )
