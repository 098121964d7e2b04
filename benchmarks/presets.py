"""Finds the presets: for each data set and method, settings that work well in a minute on two cores.

    python -m benchmarks.presets [--sets persona …] [--methods lora …] [--missing] [--factors 1 3] [--trial 40]

Every candidate (learning rates around the method's own, with each of the method's variants) trains for as many
steps as fit into the minute, with the same seed; of those that are about the best in score, the one that forgets
least wins. Writes `assets/presets.json`, which `lab.methods.default_plan` reads: what was searched for takes the
place of what stood there. Every run's figures are kept in `--log`; a run that stands there is not made again. Where
time is short, `--trial` lets the candidates train for fewer steps than the preset will have.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import workers
from lab import methods
from lab.data.catalogue import datasets
from lab.knobs import knobs, values
from lab.plan import CLASSIFY, GENERATE, Data, Training

#: Steps of 16 rows that take two cores about a minute with the evaluations between.
STEPS = {CLASSIFY: 150, GENERATE: 100}

#: Steps, and rows in each, for virtual tokens: so few numbers have a long way to go, and take more and smaller steps.
TOKENS = {"sentiment": (600, 4), "intent": (600, 4), "persona": (400, 4), "data_to_text": (200, 4)}

#: Validation rows that are evaluated, and replies that are scored.
ROWS, REPLIES = 300, 64

#: Tried learning rates, as multiples of the method's own.
FACTORS = (0.3, 1.0, 3.0)


#: Tried beside a method's own settings, each with every rate. Methods that have target modules try every linear map.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "prefix": [{"projection": True}],
    "prompt": [{"init": "random"}],
    "ptuning": [{"encoder": "lstm"}, {"encoder_width": 1024}],
}


def pace(name: str, key: str) -> dict[str, int]:
    """The steps of a method's preset on a set, and the rows in each where they are fewer than the plan's own."""
    if methods.method(key).family == "prompt":
        steps, rows = TOKENS[name]
        return {"steps": steps, "eval_every": 0, "batch_size": rows}
    return {"steps": STEPS[datasets()[name].task], "eval_every": 0}


def candidates(name: str, key: str, factors: Sequence[float] = FACTORS, trial: int = 0) -> list[dict[str, Any]]:
    """Loose settings to try for a set and a method; `trial` steps instead of the preset's if it is not 0."""
    chosen = methods.method(key)
    rate = chosen.training.get("learning_rate", Training().learning_rate)
    targeted = any(item.name == "target_modules" for item in knobs(chosen.Settings))
    variants = [{}, *VARIANTS.get(key, [{"target_modules": "all-linear"}] if targeted else [])]
    shared = pace(name, key) | ({"steps": trial} if trial else {})
    return [
        {"learning_rate": float(f"{rate * factor:.2g}"), **shared, **variant}
        for variant in variants
        for factor in factors
    ]


def attempt(work: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    """Train one candidate; its figures, or why it failed."""
    from benchmarks.trained import trained

    name, key, loose = work
    told: dict[str, Any] = {"set": name, "method": key, "loose": loose}
    began = time.process_time()
    try:
        # The preset that stands for the pair must not leak into the candidate: only the method's own defaults do.
        plan = methods.default_plan(key, data=Data(source=name), settings=values(methods.method(key).Settings()))
        history = trained(methods.with_values(plan, {**loose, "eval_rows": ROWS, "reply_rows": REPLIES}))
    except Exception as error:
        return told | {"error": str(error)}
    assert history.last
    assert history.started
    return told | {
        "score": round(history.last.score, 4),
        "loss": round(history.last.loss, 4),
        "general": history.last.general,
        "trainable": history.started.trainable,
        "seconds": round(time.process_time() - began, 1),
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
        steps = pace(name, key)["steps"]
        loose = {**winner["loose"], "steps": steps, "eval_every": steps // 4}
        found.setdefault(name, {})[key] = loose
    return found


def logged(file: Path) -> list[dict[str, Any]]:
    """The runs that a log holds, those that failed included; none where there is no log."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.presets", description=__doc__.split("\n")[0])
    parser.add_argument("--sets", nargs="*", default=list(datasets()))
    parser.add_argument("--methods", nargs="*", default=list(methods.METHODS))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("assets/presets.json"))
    parser.add_argument("--log", type=Path, default=Path("assets/presets.jsonl"), help="every run, an object a line")
    parser.add_argument("--factors", nargs="*", type=float, default=FACTORS, help="multiples of the own rate")
    parser.add_argument("--trial", type=int, default=0, help="steps of a candidate; 0 takes the preset's")
    parser.add_argument("--missing", action="store_true", help="leave out what has a preset already")
    asked = parser.parse_args()
    kept = json.loads(asked.out.read_text(encoding="utf-8")) if asked.out.is_file() else {}
    pairs = [(name, key) for name in asked.sets for key in asked.methods]
    if asked.missing:
        pairs = [(name, key) for name, key in pairs if key not in kept.get(name, {})]
    tried = [(*pair, loose) for pair in pairs for loose in candidates(*pair, asked.factors, asked.trial)]
    results = [result for result in logged(asked.log) if (result["set"], result["method"], result["loose"]) in tried]
    done = [(result["set"], result["method"], result["loose"]) for result in results]
    work = [item for item in tried if item not in done]
    for result in workers.each(attempt, work, asked.workers):
        results.append(result)
        print(json.dumps(result), flush=True)
        with asked.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(result) + "\n")
    for name, found in best(results).items():
        kept[name] = dict(sorted({**kept.get(name, {}), **found}.items()))
    asked.out.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
