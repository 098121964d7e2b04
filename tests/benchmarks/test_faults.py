"""A short loop of kills, and two processes on one run. The long one is `python -m benchmarks.faults`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import faults
from lab.events import DONE, Finished, Stage
from lab.runs import Runs
from tests.loops import closed_after


def test_killed_runs_are_readable_and_can_be_finished(tmp_path: Path) -> None:
    found = faults.kill(tmp_path / "runs", 3, seed=1, latest=9.0, kinds=(faults.TRAIN, faults.GO_ON))
    assert found["killed"] + found["ended before"] == 3
    runs = len(Runs(tmp_path / "runs").all())
    assert runs > 0
    assert faults.finish(tmp_path / "runs") == {"done": runs}


def test_ctrl_c_at_any_moment_of_the_start_leaves_no_traceback(tmp_path: Path) -> None:
    found = faults.interrupt(tmp_path, 3, seed=2, latest=1.0)
    assert sum(found.values()) == 3


def test_changed_bytes_leave_every_run_in_the_lists(store: Runs, tmp_path: Path) -> None:
    run = store.create(faults.plan())
    for _ in run.record([Stage("Loading"), Finished(DONE)]):
        pass
    found = faults.damage(tmp_path / "damaged", run, 40, seed=1)
    assert found["damaged"] > 0
    assert sum(found.values()) == 40


def test_two_processes_do_not_train_the_same_run(tmp_path: Path) -> None:
    assert "is being trained already" in faults.two_processes(tmp_path / "runs")


def test_a_torn_file_would_be_seen(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    faults.work(folder, faults.TRAIN, "")
    run = Runs(folder).all()[0]
    assert faults.look(run) == "done"
    file = run.adapter / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(Exception, match=r"(?i)incomplete|header|metadata|offset"):
        faults.look(run)


def test_odd_requests_are_answered_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closed_after(monkeypatch):
        answers = faults.odd_requests(tmp_path, 2, seed=1)
    assert answers.keys() == {"answered", "refused"}
    assert sum(answers.values()) > 60
