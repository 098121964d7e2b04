"""A run as a model card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from lab import methods
from lab.artifacts.base import Artifact
from lab.data import scoring
from lab.errors import LabError
from lab.history import History
from lab.methods.base import Reason
from lab.models import loading
from lab.plan import CLASSIFY, Plan
from lab.runs import Run


def card(run: Run) -> str:
    """The README.md of the run's adapter: what it is, how it was trained, what came out. No path of this machine.

    Raises LabError for a run that has saved nothing.
    """
    plan, history = run.plan, run.history()
    if history.started is None or not run.adapter.is_dir():
        raise LabError(f"The run '{run.name}' has saved nothing yet.", "Train it first.")
    base, own = base_of(plan), history.started
    method = methods.method(plan.method)
    about: dict[str, Any] = {
        "library_name": "peft",
        "pipeline_tag": "text-classification" if own.task == CLASSIFY else "text-generation",
        "tags": ["peft", plan.method, *([f"base_model:adapter:{base}"] if "/" in base else [])],
        # The embedded base is the lab's own; another's licence is on its page and binds what is made from it.
        "license": "other" if "/" in base else "apache-2.0",
    }
    if "/" in base:
        about |= {"base_model": base, "license_name": "as-the-base", "license_link": f"https://huggingface.co/{base}"}
    lines = [
        "---",
        yaml.safe_dump(about, sort_keys=False, allow_unicode=True).strip(),
        "---",
        "",
        f"# {method.title} on {base}",
        "",
        f"An adapter for `{base}`, trained in PEFT Lab on `{_data(plan)}`: {method.summary}",
        "",
        "## What came out",
        "",
        *_figures(run, history),
        "",
        "## How it was trained",
        "",
        "```json",
        json.dumps(_shown(plan), indent=1, ensure_ascii=False),
        "```",
        "",
    ]
    return "\n".join(lines)


def base_of(plan: Plan) -> str:
    """The base as others can find it: its Hub id, or the last part of a folder's path."""
    return plan.model.strip() if loading.kind(plan.model) == "hub" else Path(plan.model).name


def _data(plan: Plan) -> str:
    source = plan.data.source.strip()
    return source if source.count("/") == 1 and not source.startswith((".", "/", "~")) else Path(source).name


def _shown(plan: Plan) -> dict[str, Any]:
    told = plan.to_dict()
    return {**told, "model": base_of(plan), "data": {**told["data"], "source": _data(plan)}}


def _figures(run: Run, history: History) -> list[str]:
    own, first, last = history.started, history.base, history.last
    assert own is not None
    rows = [("Trained parameters", f"{own.trainable:,} of {own.total:,} ({own.trainable / own.total:.3%})"),
            ("Steps", f"{history.step:,} of {own.steps:,}"), ("Seconds", f"{history.seconds:.0f} on {own.device}"),
            ("Peak of memory", f"{history.peak.total / 1e6:,.0f} MB"), ("Size", f"{run.bytes:,} bytes")]  # fmt: skip
    if last is not None:
        before = f", the base {first.score:.3f}" if first else ""
        rows.append((f"Score ({scoring.title(own.metric)}, validation)", f"{last.score:.3f}{before}"))
        rows.append(("Loss (validation)", f"{last.loss:.4f}"))
        rows.append(("Rows", own.rows))
    return ["| | |", "|:--|--:|", *(f"| {name} | {value} |" for name, value in rows)]


class Card(Artifact):
    key = "card"
    title = "Model card"
    summary = "The README.md under which the adapter is published: what it is, how it was trained, what came out."
    shared = True

    def refusal(self, run: Run) -> Reason | None:
        if run.history().started is None or not (run.folder / "adapter").is_dir():
            return Reason(f"The run '{run.name}' has saved nothing yet.", "Train it first.")
        return None

    def write(self, run: Run, folder: Path) -> Path:
        file = folder / "README.md"
        file.write_text(card(run), encoding="utf-8")
        return file
