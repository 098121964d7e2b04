"""What befalls a run beside a kill; each case ends in one sentence (`python -m benchmarks.faults` prints them).

It is resumed when it is done, stopped in its first evaluation, continued on other data, fills its disk, or loses its
folder.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lab import methods
from lab.errors import LabError
from lab.events import DONE, FAILED, Event, Finished, Stage, Step
from lab.plan import Data, Plan
from lab.runs import Run, Runs
from lab.training.fingerprint import ChangedError
from lab.training.jobs import Jobs
from lab.training.loop import train


def plan() -> Plan:
    """A short run that is evaluated twice."""
    values = {"steps": 4, "eval_every": 2, "eval_rows": 4, "reply_rows": 1, "batch_size": 2}
    return methods.with_values(methods.default_plan("lora", data=Data(source="persona")), values)


def cases(folder: Path) -> dict[str, str]:
    """What is said in each case. Raises AssertionError where something was lost or left half-written."""
    store = Runs(folder)
    return {case.__name__.replace("_", " "): case(store, folder) for case in CASES}


def resume_of_a_finished_run(store: Runs, folder: Path) -> str:
    run = store.create(plan())
    _train(run)
    before = _contents(run.folder)
    said = ""
    try:
        run.claim()
    except LabError as error:
        said = error.message
    assert said, "a finished run was claimed"
    last = list(train(run.plan, threading.Event(), run.folder, resume=True))[-1]
    assert (isinstance(last, Finished) and last.error) == said
    assert _contents(run.folder) == before, "a finished run was changed"
    return said


def stop_in_the_evaluation_of_the_base(store: Runs, folder: Path) -> str:
    run, stop = store.create(plan()), threading.Event()
    _train(run, stop, lambda event: event == Stage("Evaluating the base"))
    assert run.history().base is None, "a part of the base's evaluation was kept"
    _train(run)
    base = run.history().base
    assert run.status == DONE, run.history().finished
    assert base is not None, "the missing evaluation was not made"
    return f"the score comes when the run goes on: {base.score:.4f}"


def data_that_changed(store: Runs, folder: Path) -> str:
    file = folder / "rows.jsonl"

    def write(count: int) -> None:
        rows = [{"prompt": f"say {number}", "reply": f"{number}!"} for number in range(count)]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    write(80)
    run = store.create(replace(plan(), data=Data(source=str(file))))
    _train(run, threading.Event(), lambda event: isinstance(event, Step))
    write(95)
    said = ""
    jobs = Jobs(store)
    try:
        jobs.continue_(run.id)
    except ChangedError as error:
        said = error.message
        jobs.continue_(run.id, accept_changes=True)
    jobs.wait(run.id)
    jobs.close()
    assert run.status == DONE, run.history().finished
    assert said in [item.message for item in run.history().warnings], "it went on without a word"
    return said


def limit_of_a_files_size(store: Runs, folder: Path) -> str:
    import resource

    run = store.create(plan())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # the log fits, an adapter does not
    try:
        _train(run)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert run.status == FAILED
    assert not list(run.folder.glob("*.part")), "something is half-written"
    return _error(run)


def folder_that_is_removed(store: Runs, folder: Path) -> str:
    run = store.create(plan())
    last: Event | None = None
    for last in run.record(train(run.plan, threading.Event(), run.folder)):
        if isinstance(last, Step) and last.step == 1:
            shutil.rmtree(run.folder)
    assert isinstance(last, Finished)
    assert last.status == FAILED
    assert not run.folder.exists(), "the folder was made again"
    return last.error


CASES = (
    resume_of_a_finished_run,
    stop_in_the_evaluation_of_the_base,
    data_that_changed,
    limit_of_a_files_size,
    folder_that_is_removed,
)


def _train(run: Run, stop: threading.Event | None = None, until: Callable[[Event], bool] = lambda _: False) -> None:
    """Train a run, from its checkpoint if it has one; `stop` is set at the event that `until` tells."""
    stop = stop or threading.Event()
    for event in run.record(train(run.plan, stop, run.folder, resume=run.resumable)):
        if until(event):
            stop.set()


def _contents(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.glob("**/*") if file.is_file() and file.name != "lock"}


def _error(run: Run) -> str:
    finished = run.history().finished
    return finished.error if finished else ""
