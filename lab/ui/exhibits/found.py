"""Runs that exhibits find again, and what they show of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from lab.errors import LabError
from lab.events import Evaluated
from lab.methods import METHODS
from lab.runs import RUNNING, WAITING, Run
from lab.ui.exhibits.parts import amount, duration, size, table
from lab.ui.exhibits.watch import Trials
from lab.ui.lab import Lab

#: Runs that a list of an exhibit offers at most.
OFFERED = 50


@dataclass
class Series(Trials):
    """Trials that differ in their data: the newest run of each label counts, if its base and method are the same."""

    def last(self) -> list[str]:
        mine = self.kept()
        found: dict[str, str] = {}
        for run in mine:
            if (run.plan.model, run.plan.method) == (mine[0].plan.model, mine[0].plan.method):
                found.setdefault(run.name, run.id)
        return list(found.values())


def saved(lab: Lab) -> dict[str, Run]:
    """The newest runs that have saved an adapter and are not trained any more, by id."""
    ids = (row["id"] for row in lab.runs.rows() if row["bytes"] and row["status"] not in (RUNNING, WAITING))
    return {key: lab.runs.get(key) for key in islice(ids, OFFERED)}


def done(runs: Mapping[str, Run] | None) -> dict[str, Run]:
    """Those of the runs that have saved an adapter and are not trained any more."""
    return {label: run for label, run in (runs or {}).items() if not run.busy and (run.folder / "adapter").is_dir()}


def newest(trials: Trials, label: str = "") -> Run:
    """The run that a trial trained last. Raises LabError if there is none yet."""
    found = done(trials.runs(trials.last()))
    chosen = found.get(label) if label else next(iter(found.values()), None)
    if chosen is None:
        raise LabError("Nothing was trained for this yet.", "Press the button above first.")
    return chosen


def outcomes(runs: Mapping[str, Run] | None) -> str:
    """Trained parameters, score, loss, seconds and peak of memory of each run, as a table."""
    rows = []
    for label, run in (runs or {}).items():
        history = run.history()
        started, last = history.started, history.last
        rows.append(
            [
                label,
                amount(started.trainable) if started else "…",
                _change(history.base, last),
                f"{last.loss:.3f}" if last else "…",
                duration(history.seconds) if history.steps else "…",
                size(history.peak.total) if history.steps else "…",
                size(run.bytes) if last else "…",
            ]
        )
    return table(["", "trained", "score", "loss", "time", "peak", "on disk"], rows) if rows else ""


def _change(base: Evaluated | None, last: Evaluated | None) -> str:
    if last is None:
        return "…"
    return f"{base.score:.0%} → {last.score:.0%}" if base else f"{last.score:.0%}"


def histories(runs: Mapping[str, Run] | None) -> dict[str, Any]:
    """The histories of the runs by their methods, for those that the lab knows."""
    return {run.plan.method: run.history() for run in (runs or {}).values() if run.plan.method in METHODS}


@lru_cache(maxsize=8)
def rows(run: Run, count: int) -> Any:
    """A batch of the run's own validation rows as the model takes it."""
    from lab.data.sampling import sample
    from lab.training.job import resolve

    job = resolve(run.plan)
    examples = sample(job.data.validation, count, job.data.by_label)
    return job.encoder.collate([job.encoder.encode(row.input, row.target) for row in examples])


def shape(run: Run) -> Any:
    """The shape of the run's model, for its task."""
    from lab.insight.weights import about
    from lab.models import loading

    return loading.shape(run.plan.model, *about(run))


def ids(loaded: Any, text: str) -> list[int]:
    """The ids of a text as the run's model reads it. Raises LabError for an empty or a too long one."""
    from lab.plan import CLASSIFY

    if not text.strip():
        raise LabError("There is no text to send through the model.", "Write a sentence.")
    encoder = loaded.encoder
    found = encoder.text(text) if encoder.task == CLASSIFY else encoder.prompt(text)
    if len(found) > encoder.max_length:
        raise LabError(f"The text has {len(found)} tokens; the model reads {encoder.max_length}.", "Write less.")
    return found


def spoken(lab: Lab, run: Run, text: str, base: bool = False, longest: int = 40) -> str:
    """What the run (or its base) says to a prompt: a reply, or the likeliest label with its probability."""
    from lab.chat.engine import Options

    options = Options(max_tokens=longest)
    started = run.history().started
    if started is not None and started.labels:
        chances = lab.engine.classify(run.id, text, options, base=base)
        label = max(chances, key=lambda name: chances[name])
        return f"{label} ({chances[label]:.0%})"
    said = ""
    for said in lab.engine.stream(run.id, [{"role": "user", "content": text}], options, base=base):  # noqa: B007
        pass
    return said


def quoted(text: str) -> str:
    """A text of the model's or of somebody else's for a cell of a Markdown table, with no markup of its own."""
    plain = " ".join(text.split()) or "(nothing)"
    return "".join(f"&#{ord(letter)};" if letter in "<>&|*_`[]\\$#~" else letter for letter in plain)
