"""A comparison's members in the result schema of huggingface/peft's `method_comparison`."""

from __future__ import annotations

import json
import time
from typing import Any

from lab.compare.comparison import Comparison
from lab.compare.published import TYPES
from lab.compare.results import Outcome
from lab.events import DONE, FAILED
from lab.methods import METHODS
from lab.plan import Plan


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
