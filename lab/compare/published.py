"""Figures from elsewhere, and one's own for elsewhere: the result schema of huggingface/peft's `method_comparison`.

A published figure stands beside one's own as 'published' and is never ranked with it: model, task and machine differ.
"""

from __future__ import annotations

import csv
import io
import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.compare.comparison import Comparison
from lab.compare.results import PUBLISHED, Outcome
from lab.errors import LabError
from lab.events import DONE, FAILED
from lab.methods import METHODS
from lab.plan import Plan

#: Bytes and rows of an import that are read.
LARGEST, MOST = 20 * 2**20, 2000

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
        except ValueError as error:
            raise LabError(
                f"{name} is no JSON: {error}.", "Choose a result file of peft's method comparison."
            ) from None
        rows = plain if isinstance(plain, list) else [plain]
        return [_from_result(row, name) for row in rows[:MOST]]
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows or "experiment" not in rows[0] or COLUMNS["score"] not in rows[0]:
        wanted = ", ".join(["experiment", "peft_type", *COLUMNS.values()])
        raise LabError(f"{name} is no table of results.", f"It needs the columns {wanted}.")
    return [_from_row(row, place, name) for place, row in enumerate(rows[:MOST], 2)]


def _from_row(row: Mapping[str, str], place: int, name: str) -> Outcome:
    def number(column: str) -> float | None:
        text = (row.get(column) or "").strip()
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            raise LabError(f"Line {place} of {name} has '{text}' as {column}.", "It must be a number.") from None
        return value if math.isfinite(value) else None

    values = {field: number(column) for field, column in COLUMNS.items()}
    experiment = str(row["experiment"])
    return _published(experiment, str(row.get("peft_type", "")), str(row.get("status", "success")), values, {})


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
        values = {key: None if value is None else float(value) for key, value in values.items()}
        kind, status = config.get("peft_type") or "FULL", train.get("status", "success")
        return _published(run["experiment_name"], str(kind), str(status), values, run.get("train_config") or {})
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
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


def export(comparison: Comparison) -> list[dict[str, Any]]:
    """Each member as a result of peft's schema. What the lab does not measure (averages of the allocator) is None."""
    return [_result(item, comparison) for item in comparison.outcomes() if item.run and item.status in (DONE, FAILED)]


def _result(item: Outcome, comparison: Comparison) -> dict[str, Any]:
    run = comparison.runs.get(item.run)
    plan, versions = run.plan, run.about.get("versions", {})
    finished = run.history().finished
    metrics = {
        "step": item.steps,
        "valid accuracy": item.score,
        "test accuracy": item.score,  # the lab scores its held-out rows
        "train loss": item.curve.loss[-1] if item.curve.loss else None,
        "valid loss": item.loss,
        "forgetting": item.forgetting,
        "train samples": item.steps * plan.training.batch_size * plan.training.accumulation,
        "train total tokens": item.tokens,
    }
    return {
        "run_info": {
            "created_at": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(run.created)),
            "total_time": finished.seconds if finished else None,
            "experiment_name": f"{item.method}/{item.label}",
            "peft_branch": "main",
            "train_config": _train_config(plan),
            "peft_config": None if METHODS[item.method].family == "baseline" else _peft_config(plan),
            "error_msg": item.reason,
        },
        "train_info": {
            "accelerator_memory_reserved_avg": None,
            "accelerator_memory_max": item.memory,
            "accelerator_memory_reserved_99th": None,
            "train_time": item.seconds,
            "file_size": item.bytes,
            "num_trainable_params": item.trainable,
            "num_total_params": item.total,
            "status": "success" if item.status == DONE else "failed",
            "metrics": [metrics],
        },
        "meta_info": {
            "model_info": {"sha": None, "created_at": None},
            "dataset_info": {plan.data.source: {"sha": None, "created_at": None}},
            "package_info": {f"{name}-version": version for name, version in versions.items()},
            "system_info": run.about.get("hardware", {}),
            "pytorch_info": None,
        },
    }


def _train_config(plan: Plan) -> dict[str, Any]:
    training = plan.training
    return {
        "model_id": plan.model,
        "dtype": plan.precision.weights,
        "max_seq_length": training.max_length,
        "batch_size": training.batch_size,
        "max_steps": training.steps,
        "eval_steps": training.eval_every,
        "seed": plan.seed,
        "optimizer_type": training.optimizer,
        "optimizer_kwargs": {"lr": training.learning_rate, "weight_decay": training.weight_decay},
        "lr_scheduler": training.schedule,
        "grad_norm_clip": training.clip,
    }


def _peft_config(plan: Plan) -> dict[str, Any]:
    names = {key: kind for kind, key in TYPES.items()}
    kind = names.get(plan.method) or plan.method.removeprefix("peft:").upper()
    return {"peft_type": kind, **json.loads(json.dumps(dict(plan.settings)))}
