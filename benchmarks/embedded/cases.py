"""The runs of each experiment, and how one is made. A case is plain values: its figures are logged beside it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.embedded import scratch
from benchmarks.embedded.scratch import TEST, Case
from benchmarks.presets import pace
from lab import methods
from lab.plan import Data

Figures = dict[str, Any]

#: The methods whose order is told. BitFit has no bias to train here; LayerNorm tuning is what trains as little.
ORDER = ("full", "lora", "bottleneck", "prefix", "prompt", "layernorm", "head")
RANKS = (1, 2, 4, 8, 16, 32, 64)


def persona(seeds: Sequence[int], _lines: Sequence[Case]) -> list[Case]:
    return [{"experiment": "persona", "precision": "fp32", "seed": seed} for seed in seeds]


def order(seeds: Sequence[int], _lines: Sequence[Case]) -> list[Case]:
    """The methods at their presets."""
    arms = [{"method": key, "steps": pace("intent", key)["steps"]} for key in ORDER]
    return [{"experiment": "order", **arm, "seed": seed} for seed in seeds for arm in arms]


def ranks(seeds: Sequence[int], _lines: Sequence[Case]) -> list[Case]:
    """LoRA at each rank, with alpha held at its default."""
    steps = pace("intent", "lora")["steps"]
    return [{"experiment": "ranks", "rank": rank, "steps": steps, "seed": seed} for seed in seeds for rank in RANKS]


def nf4(seeds: Sequence[int], _lines: Sequence[Case]) -> list[Case]:
    return [{"experiment": "persona", "precision": "nf4", "seed": seed} for seed in seeds]


#: The cases of an experiment, from the seeds and the lines that the log holds.
EXPERIMENTS: dict[str, Callable[[Sequence[int], Sequence[Case]], list[Case]]] = {
    "rates": scratch.rates,
    "scratch": scratch.scratch,
    "persona": persona,
    "order": order,
    "ranks": ranks,
    "nf4": nf4,
}


def run(case: Case, data: Path | None = None) -> Figures:
    """The figures of a case. `data` is the folder with `scratch.SETS`. Raises LabError for what is missing there."""
    match case["experiment"]:
        case "rates" | "scratch":
            return scratch.run(case, data)
        case "persona":
            return _persona(case)
        case _:
            return _intent(case)


def line(case: Case, data: Path | None = None) -> dict[str, Any]:
    """A line of the log: the case, its figures, where it was made and how long it took."""
    import torch

    began = time.monotonic()
    figures = run(case, data)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return {"case": case, "figures": figures, "device": device, "seconds": round(time.monotonic() - began, 1)}


# -- persona, in fp32 and over NF4 ---------------------------------------------------------------------------------


def _persona(case: Case) -> Figures:
    """LoRA at its preset: the curve of style and correctness, bits per byte of replies and of general prose."""
    from benchmarks.embedded.measured import measure

    full = case["precision"] == "fp32"
    plan = methods.default_plan("lora", data=Data(source="persona"), seed=case["seed"])
    # Over NF4 only bits per byte are asked for, which need no replies.
    loose: dict[str, Any] = {"eval_rows": 400, "reply_rows": 400}
    if not full:
        loose |= {"weights": "nf4", "reply_rows": 1, "eval_every": 0}
    session, history = measure(methods.with_values(plan, loose), base=case["seed"] == 0, shown=20 if full else 0)
    assert history.last
    found = {
        "curve": [
            {"step": item.step, "bits": session.bits(item.loss), "general": item.general}
            | ({"style": item.metrics["style"], "correct": item.metrics["correct"]} if full else {})
            for item in history.evaluations
        ],
        "seconds": history.steps[-1].seconds,
    }
    return found | ({"replies": session.replies} if case["seed"] == 0 and full else {})


# -- the order of the methods, and LoRA's rank ---------------------------------------------------------------------


def _intent(case: Case) -> Figures:
    from benchmarks.embedded.measured import measure

    key = case.get("method", "lora")
    plan = methods.default_plan(key, data=Data(source="intent"), seed=case["seed"])
    loose = {"steps": case["steps"], "eval_rows": TEST, "eval_every": 0}
    loose |= {"rank": case["rank"]} if "rank" in case else {}
    _, history = measure(methods.with_values(plan, loose), base=case["seed"] == 0 and key == "full")
    assert history.last
    assert history.started
    found = {
        "score": history.last.score, "loss": history.last.loss, "general": history.last.general,
        "trainable": history.started.trainable, "rate": plan.training.learning_rate,
    }  # fmt: skip
    return found | ({"base_general": history.base.general, "base_score": history.base.score} if history.base else {})


def same(case: Case) -> str:
    """The name under which a case stands in the log."""
    return json.dumps(case, sort_keys=True)
