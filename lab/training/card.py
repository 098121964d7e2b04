"""A run as a model card, and its adapter published with it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from lab import methods
from lab.data import scoring
from lab.errors import LabError
from lab.history import History
from lab.models import hub, loading
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
    return ["| | |", "|:--|--:|", *(f"| {name} | {value} |" for name, value in rows)]


def publish(
    run: Run, repo: str, token: str, private: bool = True, doing: Callable[[str], None] = lambda _: None
) -> str:
    """Push the run's adapter with its card; its address. The token is handed on and kept nowhere. Raises LabError.

    `doing` hears what is being done.
    """
    doing("Writing the model card")
    text = card(run)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "adapter"
        shutil.copytree(run.adapter, folder)
        (folder / "README.md").write_text(text, encoding="utf-8")
        config = folder / "adapter_config.json"
        if config.is_file():  # peft notes where the base lay on this machine
            told = json.loads(config.read_text(encoding="utf-8")) | {"base_model_name_or_path": base_of(run.plan)}
            config.write_text(json.dumps(told, indent=2), encoding="utf-8")
        doing(f"Uploading {run.bytes / 1e6:,.1f} MB")
        return hub.push(folder, repo, token, private)
