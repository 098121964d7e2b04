"""The presets as a table: what was found for each set and method, and how it scored in its trial."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lab import methods
from lab.data.catalogue import datasets

ASSETS = Path(__file__).parents[2] / "assets"


def trial(runs: list[dict[str, Any]], name: str, key: str, loose: dict[str, Any]) -> dict[str, Any] | None:
    """The logged run that a preset came from: same rate and targets."""
    same = [
        run for run in runs
        if (run["set"], run["method"]) == (name, key) and "score" in run
        and all(run["loose"].get(item) == loose.get(item) for item in ("learning_rate", "target_modules"))
    ]  # fmt: skip
    return same[-1] if same else None


def table() -> list[str]:
    """The lines of the table, in Markdown."""
    found = json.loads((ASSETS / "presets.json").read_text(encoding="utf-8"))
    runs = [json.loads(line) for line in (ASSETS / "presets.jsonl").read_text(encoding="utf-8").splitlines()]
    lines = ["| set | method | rate | targets | steps | score of the trial | steps of the trial | candidates |"]
    lines.append("|---" * 8 + "|")
    for name, presets in found.items():
        for key in (key for key in methods.METHODS if key in presets):
            loose, run = presets[key], trial(runs, name, key, presets[key])
            tried = sum((item["set"], item["method"]) == (name, key) for item in runs)
            lines.append(
                f"| {name} | {methods.METHODS[key].title} | {loose['learning_rate']:g} | "
                f"{loose.get('target_modules', 'own')} | {loose['steps']} | "
                + (f"{100 * run['score']:.1f}% | {run['loose']['steps']} | {tried} |" if run else "– | – | – |")
            )
    lines.append("")
    for name in datasets():
        none = [method.title for key, method in methods.METHODS.items() if key not in found.get(name, {})]
        lines += [f"- `{name}` has none for: {', '.join(none)}."] if none else []
    return lines
