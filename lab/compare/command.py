"""`python -m lab compare PLAN.yaml`: runs a comparison in a folder, and goes on with it where it was broken off."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab import terminal
from lab.compare import report, trackers
from lab.compare.comparison import FILE, Comparison
from lab.compare.export import export
from lab.compare.files import save
from lab.compare.grid import Foresight, expand, foresee
from lab.compare.results import Outcome, arms, table
from lab.compare.runner import Runner
from lab.compare.spec import Spec, read
from lab.compare.verdict import verdict
from lab.errors import LabError
from lab.runs import Runs

#: How a comparison becomes an HTML file (`lab.plots.gallery.document`); the caller, who may draw, hands it in.
Document = Callable[[Comparison], str]


def run(parsed: argparse.Namespace, document: Document) -> int:
    """0: every member that can run is done. 1: some failed or were stopped."""
    spec = read(parsed.plan)
    tracker = trackers.tracker(parsed.log) if parsed.log else None
    seen = foresee(expand(spec, _run_plan(parsed)))
    _foreseen(seen, parsed.json)
    if parsed.dry:
        return 0
    folder = parsed.out or Path("comparisons") / parsed.plan.stem
    comparison = _opened(folder, spec)
    _work(comparison, parsed.json)
    outcomes = comparison.outcomes()
    if tracker:
        tracker(comparison)
    files = _written(comparison, document)
    if parsed.json:
        told = comparison.plain() | {"event": "result", "verdict": [item.text for item in verdict(outcomes)]}
        print(json.dumps(told | {"report": str(files[0])}, ensure_ascii=False, default=list), flush=True)
    else:
        _summed(outcomes)
        print(f"\nreport: {files[0]}")
    return 0 if all(item.complete or item.status == "excluded" for item in outcomes) else 1


def _run_plan(parsed: argparse.Namespace) -> Callable[[str], Any]:
    folder = (parsed.out or Path("comparisons") / parsed.plan.stem) / "runs"
    return lambda name: Runs(folder).get(name).plan


def _opened(folder: Path, spec: Spec) -> Comparison:
    """The comparison in the folder, made if there is none. Raises LabError if another one is there."""
    runs = Runs(folder / "runs")
    if not (folder / FILE).is_file():
        return Comparison.create(folder, spec, runs)
    found = Comparison(folder, runs)
    if found.spec != spec:
        raise LabError(f"'{folder}' holds another comparison ('{found.name}').", "Choose another folder with --out.")
    return found


def _work(comparison: Comparison, as_json: bool) -> None:
    """Run what waits. The first Ctrl-C stops after the step that is being made and keeps what was learned."""
    from lab.training.jobs import Jobs

    total = len(comparison.members)
    began = time.monotonic()

    def told(what: str, label: str, run: str) -> None:
        done = total - len(comparison.waiting)
        if as_json:
            line: dict[str, Any] = {"event": what, "label": label, "run": run, "settled": done, "members": total}
            if what == "done":
                item = next(item for item in comparison.outcomes() if item.label == label)
                line |= {"status": item.status, "score": item.score, "loss": item.loss, "reason": item.reason}
            print(json.dumps(line, ensure_ascii=False), flush=True)
        elif what == "trial":
            print(f"         trial: {label}", flush=True)
        elif what == "done":
            item = next(item for item in comparison.outcomes() if item.label == label)
            score = "" if item.score is None else f"score {item.score:.3f}  loss {item.loss:.3f}"
            took = "" if item.seconds is None else f"  {item.seconds:.1f} s"
            print(f"[{done:>3}/{total}] {label}: {item.status}  {score}{took} {item.reason}".rstrip(), flush=True)

    jobs = Jobs(comparison.runs)
    runner = Runner(comparison, jobs, told)
    try:
        with terminal.stopping(runner.stop):
            runner.go()
    finally:
        jobs.close()
    if runner.error:
        raise runner.error
    if not as_json:
        print(f"{time.monotonic() - began:.0f} s in all", file=sys.stderr)


def _foreseen(seen: list[Foresight], as_json: bool) -> None:
    """What will run, and what cannot with its reason."""
    able = [item for item in seen if not item.reason]
    most = max((item.memory.total for item in able), default=0)
    if as_json:
        refused = [{"label": item.member.label, "reason": item.reason.message} for item in seen if item.reason]
        line = {"event": "foreseen", "members": len(seen), "able": len(able), "peak_bytes": most, "refused": refused}
        print(json.dumps(line, ensure_ascii=False), flush=True)
        return
    print(f"{len(seen)} members, {len(able)} can run; the largest needs about {most / 2**20:,.0f} MiB.")
    for words in dict.fromkeys(
        f"  left out: {item.member.arm}: {item.reason.message} {item.reason.hint}" for item in seen if item.reason
    ):
        print(words)


def _written(comparison: Comparison, document: Document) -> list[Path]:
    """The report, the figures as CSV, the file that makes them again and peft's result schema."""
    folder = comparison.folder
    texts = {
        "report.html": document(comparison),
        "results.csv": report.results_csv(comparison.outcomes()),
        "comparison.yaml": comparison.yaml,
        "peft-results.json": json.dumps(export(comparison), indent=1, ensure_ascii=False),
    }
    return [save(folder / name, text) for name, text in texts.items()]


def _summed(outcomes: list[Outcome]) -> None:
    rows = sorted(table(arms(outcomes)), key=lambda row: -((row["cells"].get("score") or {}).get("mean") or -1.0))
    wide = max(len(row["arm"]) for row in rows)
    print(f"\n{'':{wide}}  {'score':>14}  {'trained':>10}  {'memory':>9}  {'time':>8}  {'saved':>9}")
    for row in rows:
        cells = row["cells"]

        def of(name: str, form: Callable[[float], str], cells: Any = cells) -> str:
            return form(cells[name]["mean"]) if cells.get(name) else "–"

        score = of("score", lambda value: f"{value:.1%}")
        if cells.get("score") and cells["score"]["count"] > 1:
            score += f" ± {cells['score']['deviation'] * 100:.1f}"
        trained, memory = of("trainable", lambda v: f"{v:,.0f}"), of("memory", lambda v: f"{v / 2**20:,.0f} MiB")
        took, saved = of("seconds", lambda v: f"{v:.1f} s"), of("bytes", lambda v: f"{v / 2**10:,.0f} KiB")
        print(f"{row['arm']:{wide}}  {score:>14}  {trained:>10}  {memory:>9}  {took:>8}  {saved:>9}")
    print()
    for sentence in verdict(outcomes):
        print(f"- {sentence.text}")
