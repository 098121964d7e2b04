"""The index of a store: lists come from it, and never tell anything else than the runs' own files."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.events import DONE, STOPPED, Evaluated, Event, Finished, Started, to_line
from lab.plan import Plan
from lab.runs import INTERRUPTED, RUNNING, WAITING, Run, Runs, index
from lab.runs.index import FILE

EVENTS = [Started(3, 100, 10, "generate", "overlap", "CPU", 9, 1), Evaluated(3, 1.0, 0.5), Finished(DONE, 3)]


def made(store: Runs, events: list[Event] = EVENTS, **options: str) -> Run:
    run = store.create(Plan(), **options)
    for _ in run.record(events):
        pass
    (run.folder / "adapter").mkdir()
    (run.folder / "adapter" / "adapter_config.json").write_text("{}")
    return aged(run)


def aged(run: Run) -> Run:
    """The run as it is when nothing has changed for an hour."""
    for path in (run.folder / "run.json", run.folder / "events.jsonl", run.folder):
        os.utime(path, (time.time() - 3600,) * 2)
    return run


def fresh(store: Runs) -> Runs:
    """The store as another process sees it."""
    return Runs(store.folder)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the runs whose files are read, as they are."""
    ids: list[str] = []
    about = Run.about.fget
    monkeypatch.setattr(Run, "about", property(lambda run: (ids.append(run.id), about(run))[1]))
    return ids


def test_a_list_is_read_from_the_index_by_this_process_and_the_next(store: Runs, read: list[str]) -> None:
    runs = [made(store) for _ in range(3)]
    rows = store.rows()
    assert {row["id"] for row in rows} == {run.id for run in runs} == set(read)
    read.clear()
    assert store.rows() == rows
    assert fresh(store).rows() == rows
    assert read == []


def events(run: Run, *more: Event) -> None:
    with (run.folder / "events.jsonl").open("a") as file:
        file.writelines(map(to_line, more))


def replace(file: Path, before: str, after: str) -> None:
    file.write_text(file.read_text().replace(before, after))


CHANGES: dict[str, tuple[Callable[[Run], object], str, object]] = {
    "renamed": (lambda run: run.rename("other"), "name", "other"),
    "edited in place": (lambda run: replace(run.folder / "run.json", "lora", "ia3"), "method", "ia3"),
    "given to another": (lambda run: run.give("them"), "owner", "them"),
    "trained on": (lambda run: events(run, *EVENTS[:1], Evaluated(3, 1.0, 0.9)), "status", INTERRUPTED),
    "without its adapter": (lambda run: shutil.rmtree(run.folder / "adapter"), "bytes", 0),
    "without its log": (lambda run: (run.folder / "events.jsonl").unlink(), "status", INTERRUPTED),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_by_another_process_is_seen(store: Runs, change: str) -> None:
    act, name, value = CHANGES[change]
    run = made(store)
    assert store.rows()[0][name] != value
    act(fresh(store).get(run.id))
    assert store.rows()[0][name] == value
    assert fresh(store).rows()[0][name] == value


def test_a_run_that_another_process_goes_on_with_is_seen(store: Runs) -> None:
    run = made(store, [*EVENTS[:2], Finished(STOPPED, 3)])
    assert store.rows()[0]["status"] == STOPPED
    other = fresh(store).get(run.id)
    other.claim()
    assert store.rows()[0]["status"] == WAITING
    events(other, EVENTS[0])
    assert store.rows()[0]["status"] == RUNNING
    events(other, *EVENTS[1:])
    other.release()
    assert store.rows()[0]["status"] == DONE


def test_a_run_whose_process_is_killed_is_interrupted(store: Runs) -> None:
    run = made(store, EVENTS[:2])
    other = fresh(store).get(run.id)
    other.claim()
    aged(run)
    assert store.rows()[0]["status"] == RUNNING
    assert other._lock is not None
    other._lock.release()  # as the system does: nobody writes anything
    assert store.rows()[0]["status"] == INTERRUPTED


def test_a_change_that_leaves_no_trace_in_the_files_times_is_seen_while_they_are_new(store: Runs) -> None:
    run = store.create(Plan(), name="first")
    file, folder = run.folder / "run.json", run.folder
    before = file.stat(), folder.stat()
    assert store.rows()[0]["name"] == "first"
    replace(file, "first", "other")
    for path, stat in zip((file, folder), before):
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert store.rows()[0]["name"] == "other"
    assert fresh(store).rows()[0]["name"] == "other"


def test_what_is_deleted_is_not_listed(store: Runs) -> None:
    first, second = made(store), made(store)
    assert len(store.rows()) == 2
    fresh(store).delete(first.id)
    assert [row["id"] for row in store.rows()] == [second.id]
    assert [row["id"] for row in fresh(store).rows()] == [second.id]


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-20]),
    "no text": lambda file: file.write_bytes(b"\xff\xfe" * 50),
    "other bytes": lambda file: file.write_bytes(file.read_bytes().replace(b"lora", b"IORA")),
    "of another version": lambda file: file.write_bytes(b"00000000 " + file.read_bytes()[9:]),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_index_is_made_again(store: Runs, read: list[str], damage: str) -> None:
    for name in "ab":
        made(store, name=name)
    rows = store.rows()
    DAMAGE[damage](store.folder / FILE)
    read.clear()
    assert fresh(store).rows() == rows
    assert read
    if damage != "a folder":  # that stays, and there is no index then
        read.clear()
        assert fresh(store).rows() == rows
        assert read == []


def test_many_may_look_and_append_at_a_time(store: Runs) -> None:
    runs = {made(store).id for _ in range(20)}
    stores = [fresh(store) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        seen = list(pool.map(lambda each: {row["id"] for row in each.rows()}, stores * 3))
    assert all(ids == runs for ids in seen)
    assert {row["id"] for row in fresh(store).rows()} == runs


def test_a_torn_line_of_another_process_takes_no_other_with_it(store: Runs, read: list[str]) -> None:
    made(store)
    store.rows()
    with (store.folder / FILE).open("ab") as file:
        file.write(b'deadbeef ["torn')
    made(store)
    rows = store.rows()
    read.clear()
    assert fresh(store).rows() == rows
    assert read == []


def test_the_index_does_not_grow_with_every_change(store: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "BATCH", 5)
    run = made(store)
    for number in range(30):
        run.rename(str(number))
        aged(run)
        os.utime(run.folder / "run.json", (number, number))
        assert store.rows()[0]["name"] == str(number)
    assert len((store.folder / FILE).read_bytes().split(b"\n")) < 20
    assert fresh(store).rows()[0]["name"] == "29"


def test_a_visitors_list_reads_nothing_of_anybody_elses(
    store: Runs, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, others = made(store, owner="me"), made(store, owner="them")
    assert len(store.rows()) == 2
    read.clear()
    looked: list[str] = []
    stamp_of = index.stamp_of
    monkeypatch.setattr(index, "stamp_of", lambda folder: (looked.append(folder), stamp_of(folder))[1])
    assert [row["id"] for row in store.rows(lambda row: row["owner"] == "me")] == [mine.id]
    assert [Path(folder).name for folder in looked] == [mine.id]
    assert read == []
    store.hand_over("them", "me")
    assert {row["id"] for row in store.rows(lambda row: row["owner"] == "me")} == {mine.id, others.id}


def test_a_list_keeps_no_events_in_memory(store: Runs) -> None:
    run = made(store)
    assert run.history().finished
    store.rows()
    assert run._cached is None


def test_a_number_that_is_none_leaves_the_index_whole(store: Runs) -> None:
    made(store, [EVENTS[0], Evaluated(3, float("nan"), float("nan")), Finished(DONE, 3)])
    row = store.rows()[0]
    assert (row["loss"], row["score"]) == (None, None)
    json.dumps(dict(row), allow_nan=False)
    assert fresh(store).rows() == [row]
