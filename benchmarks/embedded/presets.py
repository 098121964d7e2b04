"""The presets as a table: what was found for each set and method, and how it scored in its trial."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.presets import logged, pairs
from lab import methods
from lab.data.catalogue import datasets
from lab.plan import Training

ASSETS = Path(__file__).parents[2] / "assets"
LOG = ASSETS / "presets.jsonl"


def trial(candidates: list[dict[str, Any]], loose: dict[str, Any]) -> dict[str, Any] | None:
    """The candidate that a preset came from: the same settings, and its steps or those that are nearest."""
    wanted = _settings(loose)
    same = [item for item in candidates if _settings(item["loose"]) == wanted]
    return min(same, key=lambda item: abs(item["loose"]["steps"] - loose["steps"]), default=None)


def _settings(loose: dict[str, Any]) -> dict[str, Any]:
    """All but how long a training is and when it is looked at."""
    return {name: value for name, value in loose.items() if name not in ("steps", "eval_every")}


def _others(loose: dict[str, Any]) -> str:
    """What a preset sets besides rate and batch, in the form's names."""
    left = {name: value for name, value in _settings(loose).items() if name not in ("learning_rate", "batch_size")}
    words = {name: " ".join(value) if isinstance(value, list) else value for name, value in left.items()}
    return ", ".join(f"{name} {value}" for name, value in words.items()) or "–"


def rates(before: float) -> list[str]:
    """Score and forgetting of full fine-tuning and of LoRA on every linear map, rate by rate, in Markdown.

    `before` are the base's bits per byte of the forgetting text.
    """
    lines = ["| set | method | rate | seeds | score, % | forgotten, bits per byte |", "| --- " * 6 + "|"]
    tried = pairs(logged(LOG))
    for name in datasets():
        for key, targets in (("full", None), ("lora", "all-linear")):
            own = [run for run in tried[name, key] if run["loose"].get("target_modules") == targets]
            top = max((run["score"] for run in own), default=0)
            for run in sorted(own, key=lambda run: run["loose"]["learning_rate"]):
                if run["score"] >= 0.7 * top:  # what learned, and did not break
                    lines.append(
                        f"| {name} | {methods.METHODS[key].title} | {run['loose']['learning_rate']:g} | "
                        f"{len(run['seeds'])} | {100 * run['score']:.1f} | {run['general'] - before:.3f} |"
                    )
    return lines


def table() -> list[str]:
    """The lines of the table, in Markdown."""
    found = json.loads((ASSETS / "presets.json").read_text(encoding="utf-8"))
    tried = pairs(logged(LOG))
    lines = ["| set | method | rate | other settings | steps × rows | score, mean of the seeds | candidates |"]
    lines.append("|---" * 7 + "|")
    for name, presets in found.items():
        for key in (key for key in methods.METHODS if key in presets):
            loose, own = presets[key], tried.get((name, key), [])
            run = trial(own, loose)
            lines.append(
                f"| {name} | {methods.METHODS[key].title} | {loose['learning_rate']:g} | "
                f"{_others(loose)} | {loose['steps']} × {loose.get('batch_size', Training().batch_size)} | "
                + (f"{100 * run['score']:.1f}% | {len(own)} |" if run else "– | – |")
            )
    lines.append("")
    for name in datasets():
        none = [method.title for key, method in methods.METHODS.items() if key not in found.get(name, {})]
        lines += [f"- `{name}` has none for: {', '.join(none)}."] if none else []
    return lines
