"""Run folders: what they keep, what they survive."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from lab.errors import LabError
from lab.events import DONE, FAILED, Finished, Stage, Started, Step
from lab.plan import Plan
from lab.runs import INTERRUPTED, WAITING, Run, Runs, summary
from lab.runs.log import EventLog

EVENTS = [Stage("x"), Started(3, 100, 10, "generate", "overlap", "CPU", 9, 1), Finished(DONE, 3)]


def made(store: Runs, events=EVENTS, **options) -> Run:
    run = store.create(Plan(), **options)
    for _ in run.record(events):
        pass
    return run


def test_a_run_is_read_back_as_it_was_written(store):
    run = made(store, name="mine", owner="me")
    again = Runs(store.folder).get(run.id)
    assert again.plan == Plan()
    assert again.events() == EVENTS
    assert (again.name, again.owner, again.status) == ("mine", "me", DONE)
    assert summary(again)["trainable"] == 10


def test_newest_first_and_only_the_owners(store):
    first, second = made(store, owner="a"), made(store, owner="b")
    assert {run.id for run in store.all()} == {first.id, second.id}
    assert [run.created for run in store.all()] == sorted((run.created for run in store.all()), reverse=True)
    assert [run.id for run in store.all(owner="a")] == [first.id]


def test_a_run_without_an_end_is_interrupted_and_a_claimed_one_waits(store):
    run = made(store, EVENTS[:2])
    assert run.status == INTERRUPTED
    fresh = store.create(Plan())
    fresh.claim()
    assert fresh.status == WAITING
    with pytest.raises(LabError, match="being trained"):
        store.delete(fresh.id)
    fresh.release()
    store.delete(fresh.id)
    assert not fresh.folder.exists()


def test_another_process_cannot_train_a_claimed_run(store):
    run = store.create(Plan())
    run.claim()
    code = (
        f"from lab.runs import Runs\nrun = Runs(__import__('pathlib').Path({str(store.folder)!r})).get({run.id!r})\n"
    )
    code += "print(run.busy)\ntry: run.claim()\nexcept Exception as e: print(type(e).__name__)"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert told.stdout.split() == ["True", "LabError"]
    run.release()
    assert not run.busy


def test_who_looks_at_a_run_is_not_taken_for_one_who_trains_it(store):
    run = made(store, EVENTS[:2])
    run.claim()
    run.release()  # the lock's file is there now
    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(lambda _: run.status, range(600))) == {INTERRUPTED}


def test_a_run_is_claimed_although_another_process_looks_at_it(store):
    run = store.create(Plan())
    look = FileLock(run.folder / "lock", thread_local=False)
    look.acquire()
    threading.Timer(0.02, look.release).start()
    run.claim()
    assert run.busy
    run.release()


def test_a_torn_last_line_is_mended_when_the_run_goes_on(store):
    run = made(store, EVENTS[:2])
    with (run.folder / "events.jsonl").open("a") as file:
        file.write('{"event": "st')
    assert run.events() == EVENTS[:2]
    for _ in run.record(EVENTS[1:]):
        pass
    assert run.status == DONE


def test_a_run_that_is_done_is_neither_claimed_nor_recorded_again(store):
    run = made(store)
    with pytest.raises(LabError, match="is done"):
        run.claim()
    assert not run.busy
    with pytest.raises(LabError, match="is done"):
        list(run.record(EVENTS))
    assert run.events() == EVENTS


class Disk:
    """A log's file on a disk that takes `room` bytes more, in writes of up to 7 bytes."""

    def __init__(self, log: EventLog, room: int, problem: int) -> None:
        self.log, self.file, self.problem = log, log._opened, problem
        self.room = os.fstat(self.file.fileno()).st_size + room

    def write(self, data: bytes) -> int:
        count = min(7, self.room - os.fstat(self.file.fileno()).st_size, len(data))
        if count <= 0:
            raise OSError(self.problem, os.strerror(self.problem))
        return self.file.write(data[:count])

    def __getattr__(self, name):
        return getattr(self.file, name)


@pytest.fixture
def full(monkeypatch):
    """Make the next log stand on a disk that is full after so many bytes."""

    def limit(room: int, problem: int) -> None:
        opened = EventLog.__init__

        def small(log: EventLog, file: Path) -> None:
            opened(log, file)
            log._opened = Disk(log, room, problem)

        monkeypatch.setattr(EventLog, "__init__", small)

    return limit


@pytest.mark.parametrize("room", [400, 1000, 1111])
@pytest.mark.parametrize(
    ("problem", "words"), [(errno.ENOSPC, "disk is full"), (errno.EFBIG, "larger than"), (errno.EIO, "an error")]
)
def test_a_log_that_cannot_grow_ends_its_run_with_a_reason_and_whole_lines(store, full, room, problem, words):
    run = store.create(Plan())
    closed = []

    def training():
        try:
            yield EVENTS[1]
            for number in range(1, 100):
                yield Step(number, 1.0, 0.1, 1.0, 5, 1.0)
        finally:
            closed.append(True)

    full(room, problem)
    last = list(run.record(training()))[-1]
    assert (last.status, closed) == (FAILED, [True])
    assert words in last.error
    log = (run.folder / "events.jsonl").read_text()
    assert log.endswith("\n")
    events = Runs(store.folder).get(run.id).events()
    if problem != errno.EIO:  # a disk that fails takes no last line either
        assert events[-1] == last
        assert run.status == FAILED


@pytest.mark.parametrize("gone", ["removed", "moved"])
def test_a_run_whose_folder_goes_away_fails_and_is_not_made_again(store, tmp_path, gone):
    run = store.create(Plan())

    def training():
        yield EVENTS[0]
        if gone == "removed":
            shutil.rmtree(run.folder)
        else:
            run.folder.rename(tmp_path / "elsewhere")
        yield EVENTS[1]
        raise AssertionError("it trained on")

    last = list(run.record(training()))[-1]
    assert last.status == FAILED
    assert "was removed" in last.error
    assert not run.folder.exists()
    assert list(run.record(training())) == [last]
    assert not run.folder.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "x"}'])
def test_a_damaged_run_is_told_and_does_not_hide_the_others(store, text):
    good, bad = made(store), made(store)
    (bad.folder / "run.json").write_text(text)
    with pytest.raises(LabError):
        _ = bad.plan
    assert good.id in {run.id for run in store.all()}


def test_an_edited_log_is_told(store):
    run = made(store)
    file = run.folder / "events.jsonl"
    file.write_text(file.read_text().replace('"event": "started"', '"event": "strted"'))
    with pytest.raises(LabError, match="line 2"):
        run.history()


def test_a_run_of_a_newer_lab_is_refused(store):
    run = made(store)
    told = json.loads((run.folder / "run.json").read_text())
    (run.folder / "run.json").write_text(json.dumps(told | {"schema": 99}))
    with pytest.raises(LabError, match="newer"):
        _ = run.about


@pytest.mark.parametrize("run_id", ["", "..", "../runs", "no/such", "nothing", "a\x00b"])
def test_an_id_that_is_none_is_told(store, run_id):
    with pytest.raises(LabError, match="no run"):
        store.get(run_id)


def test_names_are_cut(store):
    run = made(store)
    run.rename("  a   name " + "x" * 100)
    assert run.name.startswith("a name xxx")
    assert len(run.name) == 80
    (run.folder / "adapter").mkdir()
    (run.folder / "adapter" / "adapter_config.json").write_text("{}")
    assert run.bytes == 2


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(LabError, match="cannot be kept"):
        Runs(tmp_path / "file" / "runs")
    assert os.listdir(tmp_path) == ["file"]
