"""Finds the presets: for each data set and method, settings that work well in a minute on two cores.

    python -m benchmarks.presets [--sets persona …] [--methods lora …] [--missing] [--factors 1 3] [--trial 40]

Every candidate (learning rates around the method's own, with each of the method's variants) trains for as many
steps as fit into the minute, with the same seed; the few that are about the best in score train with two seeds more,
and of those that are about the best in all three the one that forgets least wins. Writes `assets/presets.json`, which
`lab.methods.default_plan` reads: what was searched for takes the place of what stood there. Every run's figures are
kept in `--log`; a run that stands there is not made again. Where time is short, `--trial` lets the candidates train
for fewer steps than the preset will have.
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
from lab.plan import CLASSIFY, Data, Training

#: Steps, and rows in each, for which two cores take about a minute with the evaluations between.
STEPS = {"sentiment": (300, 8), "intent": (300, 8), "persona": (240, 8), "data_to_text": (120, 8)}

#: The same for virtual tokens: so few numbers have a long way to go, and take more and smaller steps.
TOKENS = {"sentiment": (600, 4), "intent": (600, 4), "persona": (400, 4), "data_to_text": (200, 4)}

#: The same for BOFT, whose steps are slow: each builds its matrices anew.
BUTTERFLIES = {"sentiment": (200, 8), "intent": (225, 8), "persona": (125, 8), "data_to_text": (60, 8)}

#: Validation rows that are evaluated, and replies that are scored.
ROWS, REPLIES = 300, 64

#: Seeds beside 0 with which the finalists train, and how many of these a pair has at most.
SEEDS, FINALISTS = (1, 2), 3

#: A candidate's training: set, method, loose settings and seed.
Work = tuple[str, str, dict[str, Any], int]
PARTS = ("set", "method", "loose", "seed")

#: Tried learning rates, as multiples of the method's own.
FACTORS = (0.3, 1.0, 3.0)

#: Tried beside a method's own settings, each with every rate. Methods that have target modules try every linear map.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "boft": [{"target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]}],  # more do not fit into the minute
    "prefix": [{"projection": True}],
    "prompt": [{"init": "random"}],
    "ptuning": [{"encoder": "lstm"}, {"encoder_width": 1024}],
}


def pace(name: str, key: str) -> dict[str, int]:
    """The steps of a method's preset on a set, and the rows in each."""
    paces = BUTTERFLIES if key == "boft" else TOKENS if methods.method(key).family == "prompt" else STEPS
    steps, rows = paces[name]
    return {"steps": steps, "eval_every": 0, "batch_size": rows}


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


def attempt(work: Work) -> dict[str, Any]:
    """Train one candidate; its figures, or why it failed."""
    from benchmarks.trained import trained

    name, key, loose, seed = work
    told: dict[str, Any] = dict(zip(PARTS, work))
    began = time.process_time()
    try:
        # The preset that stands for the pair must not leak into the candidate: only the method's own defaults do.
        own = values(methods.method(key).Settings())
        plan = methods.default_plan(key, data=Data(source=name), settings=own, seed=seed)
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


def pairs(results: list[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Set and method -> their candidates: the settings, the means over the seeds, and the `seeds`."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        if "score" in result:
            groups.setdefault(_named(result["set"], result["method"], result["loose"]), []).append(result)
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for group in groups.values():
        first = group[0]
        candidate = {"loose": first["loose"], "seeds": sorted(item["seed"] for item in group)}
        for figure in ("score", "loss", "general"):
            candidate[figure] = sum(item[figure] or 0.0 for item in group) / len(group)
        found.setdefault((first["set"], first["method"]), []).append(candidate)
    return found


def near(name: str, candidates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those within one standard error of the best score, which forgets least first (or, where nothing tells that, has
    the lowest loss): the rule of Breiman et al. 1984, Classification and Regression Trees, section 3.4.3.
    """
    top = max(candidates, key=lambda item: item["score"])
    rows = (ROWS if datasets()[name].task == CLASSIFY else REPLIES) * len(top["seeds"])
    least = top["score"] - math.sqrt(top["score"] * (1 - top["score"]) / rows)
    return sorted(
        (item for item in candidates if item["score"] >= least), key=lambda item: (item["general"], item["loss"])
    )


def finals(results: list[dict[str, Any]]) -> list[Work]:
    """What trains with the other seeds too: the best, and of those near them the ones that forget least."""
    found: list[Work] = []
    for (name, key), group in sorted(pairs(results).items()):
        close = near(name, group)
        top = sorted(close, key=lambda item: -item["score"])[: FINALISTS - 1]
        rest = [item for item in close if item not in top]
        found += [(name, key, item["loose"], seed) for item in (top + rest)[:FINALISTS] for seed in SEEDS]
    return found


def best(results: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """The winner for each set and method: of those that had every seed, near the best, the one that forgets least."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for (name, key), group in sorted(pairs(results).items()):
        most = max(len(item["seeds"]) for item in group)
        winner = near(name, [item for item in group if len(item["seeds"]) == most])[0]
        steps = pace(name, key)["steps"]
        found.setdefault(name, {})[key] = {**winner["loose"], "steps": steps, "eval_every": math.ceil(steps / 4)}
    return found


def logged(file: Path) -> list[dict[str, Any]]:
    """The runs that a log holds, those that failed included; none where there is no log."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []


def made(work: list[Work], log: Path, side_by_side: int) -> list[dict[str, Any]]:
    """The figures of each, from the log or trained now and written there."""
    known = {_named(*(result[part] for part in PARTS)): result for result in logged(log)}
    for result in workers.each(attempt, [item for item in work if _named(*item) not in known], side_by_side):
        known[_named(*(result[part] for part in PARTS))] = result
        print(json.dumps(result), flush=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(result) + "\n")
    return [known[_named(*item)] for item in work]


def _named(*parts: Any) -> str:
    return json.dumps(parts, sort_keys=True)


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
    wanted = [(name, key) for name in asked.sets for key in asked.methods]
    if asked.missing:
        wanted = [(name, key) for name, key in wanted if key not in kept.get(name, {})]
    tried = [(*pair, loose, 0) for pair in wanted for loose in candidates(*pair, asked.factors, asked.trial)]
    results = made(tried, asked.log, asked.workers)
    results += made(finals(results), asked.log, asked.workers)
    for name, found in best(results).items():
        kept[name] = dict(sorted({**kept.get(name, {}), **found}.items()))
    asked.out.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
