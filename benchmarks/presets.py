"""Finds the presets: for each data set and method, settings that work well in a minute on two cores.

    python -m benchmarks.presets [--sets persona …] [--methods lora …] [--workers N] [--log FILE]

Every candidate (learning rates around the method's own, and every linear map as the target where the method has
targets) trains for the same number of steps with the same seed; of those that are about the best in score, the
one that forgets least wins. Writes `assets/presets.json`, which `lab.methods.default_plan` reads: what was searched
for takes the place of what stood there. `--log` keeps every run.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import tempfile
import threading
from pathlib import Path
from typing import Any

from lab import methods
from lab.data.catalogue import datasets
from lab.history import fold
from lab.knobs import knobs
from lab.plan import CLASSIFY, Data, Plan

#: Steps of batch 16 that fit in a minute on two cores with the evaluations between.
STEPS = {CLASSIFY: 150, "generate": 100}

#: Validation rows that are evaluated, and replies that are scored.
ROWS, REPLIES = 300, 64

#: Tried learning rates, as multiples of the method's own.
FACTORS = (0.3, 1.0, 3.0)


def candidates(name: str, key: str) -> list[dict[str, Any]]:
    """Loose settings to try for a set and a method."""
    chosen = methods.method(key)
    rate = methods.default_plan(key).training.learning_rate
    targets = [{}]
    if any(item.name == "target_modules" for item in knobs(chosen.Settings)):
        targets.append({"target_modules": "all-linear"})
    steps = STEPS[datasets()[name].task]
    return [
        {"learning_rate": float(f"{rate * factor:.2g}"), "steps": steps, "eval_every": 0, **target}
        for target in targets
        for factor in FACTORS
    ]


def attempt(work: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    """Train one candidate; its figures, or why it failed."""
    import torch

    from lab.training.loop import train

    torch.set_num_threads(1)
    name, key, loose = work
    try:
        plan: Plan = methods.with_values(
            methods.default_plan(key, data=Data(source=name)), {**loose, "eval_rows": ROWS, "reply_rows": REPLIES}
        )
        with tempfile.TemporaryDirectory() as folder:
            history = fold(train(plan, threading.Event(), Path(folder)))
    except Exception as error:
        return {"set": name, "method": key, "loose": loose, "error": str(error)}
    told: dict[str, Any] = {"set": name, "method": key, "loose": loose}
    if history.finished and history.finished.error:
        return told | {"error": history.finished.error}
    assert history.base
    assert history.last
    assert history.started
    return told | {
        "score": round(history.last.score, 4),
        "loss": round(history.last.loss, 4),
        "general": history.last.general,
        "base_score": round(history.base.score, 4),
        "base_general": history.base.general,
        "trainable": history.started.trainable,
    }


def best(results: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """The winner for each set and method: of those within half a standard error of the best score, the one that
    forgets least (or, where nothing tells that, with the lowest loss).
    """
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for result in results:
        if "score" in result:
            groups.setdefault((result["set"], result["method"]), []).append(result)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for (name, key), group in sorted(groups.items()):
        top = max(item["score"] for item in group)
        rows = ROWS if datasets()[name].task == CLASSIFY else REPLIES
        near = [item for item in group if item["score"] >= top - 0.5 * math.sqrt(top * (1 - top) / rows)]
        winner = min(near, key=lambda item: (item["general"] or 0.0, item["loss"]))
        loose = {**winner["loose"], "eval_every": winner["loose"]["steps"] // 4}
        found.setdefault(name, {})[key] = loose
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.presets", description=__doc__.split("\n")[0])
    parser.add_argument("--sets", nargs="*", default=list(datasets()))
    parser.add_argument("--methods", nargs="*", default=list(methods.METHODS))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("assets/presets.json"))
    parser.add_argument("--log", type=Path, help="a file for every run's figures, one JSON object a line")
    asked = parser.parse_args()
    work = [(name, key, loose) for key in asked.methods for name in asked.sets for loose in candidates(name, key)]
    results = []
    with multiprocessing.get_context("spawn").Pool(asked.workers) as pool:
        for result in pool.imap_unordered(attempt, work):
            results.append(result)
            print(json.dumps(result), flush=True)
            if asked.log:
                with asked.log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(result) + "\n")
    kept = json.loads(asked.out.read_text(encoding="utf-8")) if asked.out.is_file() else {}
    for name, found in best(results).items():
        kept[name] = dict(sorted({**kept.get(name, {}), **found}.items()))
    asked.out.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
