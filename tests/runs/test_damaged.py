"""Whatever is in a run's folder, the lists stand: each run is read apart, and a damaged one says why."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab import cli
from lab.errors import LabError
from lab.events import DONE, Evaluated, Finished, Memory, Reported, Sample, Saved, Stage, Started, Step, Warned
from lab.plan import Plan
from lab.runs import DAMAGED, NEWER, Run, Runs, summary
from lab.ui import run_table

EVENTS = [
    Stage("Loading"),
    Warned("x", "y"),
    Started(3, 100, 10, "generate", "overlap", "CPU", 9, 1, ("a", "b")),
    Evaluated(0, 2.0, 0.1, {"exact": 0.1}, 1.5, True, 0.1),
    Step(1, 2.0, 0.1, 1.0, 16, 0.5, Memory(1, 2, 3, 4, 5, 6, 7)),
    Sample(1, "Who?", "Ada"),
    Reported(1, {"ranks": {"q": 3}}),
    Saved(1, "adapter", 10),
    Finished(DONE, 1),
]


class Queue:
    """Stands for a queue in which nothing is paused."""

    def paused(self, run_id: str) -> bool:
        return False


class Lab:
    """What the table of runs needs of a lab."""

    def __init__(self, store: Runs) -> None:
        self.runs, self.jobs = store, Queue()


def made(store: Runs) -> Run:
    run = store.create(Plan(), name="a run")
    for _ in run.record(EVENTS):
        pass
    (run.folder / "adapter").mkdir()
    (run.folder / "adapter" / "adapter_config.json").write_text("{}")
    return run


def listed(store: Runs) -> dict[str, Any]:
    """The rows of the page by id. JSON holds them, so a browser gets them."""
    rows = run_table.runs(Lab(store), {})["rows"]
    json.dumps(rows, allow_nan=False).encode()
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row for row in rows}


def edit(name: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    """Change the values of run.json, or those of one line of the log."""

    def damage(folder: Path) -> None:
        if name == "run.json":
            plain = json.loads((folder / name).read_text())
            change(plain)
            (folder / name).write_text(json.dumps(plain))
            return
        lines = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
        change(next(line for line in lines if line["event"] == name))
        (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    return damage


def write(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(data) and None


def a_folder(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir()

    return damage


DEEP = b"[" * 100_000 + b"]" * 100_000

DAMAGE = {
    "created is text": (edit("run.json", lambda about: about.update(created="soon")), "'created' must be a number"),
    "created is null": (edit("run.json", lambda about: about.update(created=None)), "'created' must be a number"),
    "created is NaN": (edit("run.json", lambda about: about.update(created=float("nan"))), "NaN"),
    "name is a list": (edit("run.json", lambda about: about.update(name=["x"])), "'name' must be text"),
    "owner is a number": (edit("run.json", lambda about: about.update(owner=3)), "'owner' must be text"),
    "plan is null": (edit("run.json", lambda about: about.update(plan=None)), "'plan' must be a table"),
    "plan is missing": (edit("run.json", lambda about: about.pop("plan")), "'plan' is missing"),
    "plan out of bounds": (edit("run.json", lambda about: about["plan"]["training"].update(steps=-1)), "Steps"),
    "schema is text": (edit("run.json", lambda about: about.update(schema="1")), "'schema' must be a whole number"),
    "half a surrogate pair": (edit("run.json", lambda about: about.update(name="\ud800")), "surrogate"),
    "run.json is empty": (write("run.json", b""), "damaged"),
    "run.json is cut": (write("run.json", b'{"schema": 1, "pl'), "damaged"),
    "run.json is a list": (write("run.json", b"[]"), "no table"),
    "run.json is deep": (write("run.json", DEEP), "nested too deeply"),
    "run.json is no text": (write("run.json", b"\xff\xfe\x00"), "not UTF-8"),
    "run.json is huge": (write("run.json", b" " * 10_000_001), "larger than 10 MB"),
    "run.json is a folder": (a_folder("run.json"), "Is a directory"),
    "run.json leads nowhere": (
        lambda folder: ((folder / "run.json").unlink(), (folder / "run.json").symlink_to("nowhere")),
        "no run",
    ),
    "memory is null": (edit("step", lambda event: event.update(memory=None)), "'memory' must be a table"),
    "memory is wrong": (edit("step", lambda event: event["memory"].update(weights="x")), "'weights' must be"),
    "a step is text": (edit("step", lambda event: event.update(step="one")), "'step' must be a whole number"),
    "a step is vast": (edit("step", lambda event: event.update(step=10**30)), "'step' must be a whole number"),
    "a field is missing": (edit("step", lambda event: event.pop("tokens")), "'tokens' is missing"),
    "labels are numbers": (edit("started", lambda event: event.update(labels=[1])), "'labels' must be text"),
    "metrics are text": (edit("evaluated", lambda event: event.update(metrics="x")), "'metrics' must be a table"),
    "an unknown end": (edit("finished", lambda event: event.update(status="running")), "no run ends as 'running'"),
    "an unknown event": (edit("finished", lambda event: event.update(event="finnished")), "no event"),
    "events.jsonl is deep": (write("events.jsonl", DEEP + b"\n"), "nested too deeply"),
    "events.jsonl is a folder": (a_folder("events.jsonl"), "Is a directory"),
    "a loss is infinite": (write("events.jsonl", b'{"event": "finished", "status": "done", "seconds": 1e999}\n'),
                           "finite number"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_run_is_listed_with_its_reason_and_can_be_deleted(
    store: Runs, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    damage, reason = DAMAGE[name]
    good, bad = made(store), made(store)
    damage(bad.folder)
    rows = listed(store)
    assert rows[good.id]["status"] == DONE
    assert rows[bad.id]["status"] == DAMAGED
    assert reason in rows[bad.id]["error"]
    assert [run.id for run in store.all()] == [good.id]

    assert cli.main(["runs", "--runs", str(store.folder)]) == 0
    told = capsys.readouterr().out
    assert reason in next(line for line in told.splitlines() if line.startswith(bad.id))
    assert cli.main(["show", bad.id, "--runs", str(store.folder)]) == 2
    assert cli.main(["delete", bad.id, "--runs", str(store.folder)]) == 0
    assert list(listed(store)) == [good.id]
    assert not bad.folder.exists()


def test_a_run_of_a_newer_version_says_so(store: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    """Its layout may be any other."""
    run = made(store)
    (run.folder / "run.json").write_text('{"schema": 99, "created": {"day": 3}}')
    row = listed(store)[run.id]
    assert row["status"] == NEWER
    assert "made by a newer version. Update the lab" in row["error"]
    assert cli.main(["runs", "--runs", str(store.folder)]) == 0
    assert "newer version" in capsys.readouterr().out


def test_what_a_newer_version_adds_is_left_out(store: Runs) -> None:
    run = made(store)
    edit("run.json", lambda about: about.update(tags=["x"]))(run.folder)
    edit("step", lambda event: event.update(flops=3))(run.folder)
    assert listed(store)[run.id]["status"] == DONE


def test_the_mending_of_a_run_is_seen(store: Runs) -> None:
    """A damage is never remembered: the disk may only have been full for a moment."""
    run = made(store)
    before = (run.folder / "run.json").read_bytes()
    times = os.stat(run.folder / "run.json"), os.stat(run.folder)
    (run.folder / "run.json").write_bytes(b"x" * len(before))
    assert listed(store)[run.id]["status"] == DAMAGED
    (run.folder / "run.json").write_bytes(before)
    for path, stat in zip((run.folder / "run.json", run.folder), times):
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert listed(store)[run.id]["status"] == DONE


def test_a_fault_of_the_lab_in_one_run_is_that_runs(
    store: Runs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = made(store), made(store)
    whole = Run.history
    monkeypatch.setattr(Run, "history", lambda run: {}["x"] if run.id == bad.id else whole(run))
    rows = listed(store)
    assert (rows[good.id]["status"], rows[bad.id]["status"]) == (DONE, DAMAGED)
    assert "KeyError" in rows[bad.id]["error"]
    assert "cannot be read" in caplog.text


def test_a_folder_whose_name_is_no_text_is_listed(store: Runs) -> None:
    run = made(store)
    try:
        os.rename(run.folder, os.fsencode(store.folder) + b"/r\xff")
    except OSError:
        pytest.skip("this file system takes text only")
    row = listed(store)["r?"]
    assert row["status"] == DAMAGED
    assert "not Unicode" in row["error"]


def test_what_is_no_run_is_not_listed(store: Runs) -> None:
    (store.folder / "uploads").mkdir()
    (store.folder / "notes.txt").write_text("x")
    (store.folder / "empty").mkdir()
    assert store.rows() == []
    store.folder.rename(store.folder.with_name("elsewhere"))
    assert store.rows() == []


def test_a_link_to_a_run_is_a_run_and_only_the_link_is_deleted(store: Runs, tmp_path: Path) -> None:
    run = made(store)
    shutil.move(run.folder, tmp_path / "moved")
    (store.folder / "linked").symlink_to(tmp_path / "moved")
    assert listed(store)["linked"]["status"] == DONE
    store.delete("linked")
    assert listed(store) == {}
    assert (tmp_path / "moved" / "run.json").is_file()


def test_a_lock_that_is_a_folder_keeps_nobody_from_reading(store: Runs) -> None:
    run = made(store)
    (run.folder / "lock").mkdir()
    assert listed(store)[run.id]["status"] == DONE
    with pytest.raises(LabError, match=r"cannot be locked|is done"):
        run.claim()


# -- any damage at all -------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def damages(draw: st.DrawFn, text: bytes) -> bytes:
    """A file's bytes after somebody was at them: cut, changed, or with other values of any type inside."""
    kind = draw(st.sampled_from(("cut", "bytes", "value", "lines", "all")))
    if kind == "cut":
        return text[: draw(st.integers(0, len(text)))]
    if kind == "all":
        return draw(st.binary(max_size=40)) or json.dumps(draw(JSON)).encode()
    if kind == "bytes":
        place = draw(st.integers(0, len(text)))
        return text[:place] + draw(st.binary(max_size=6)) + text[place + draw(st.integers(0, 6)) :]
    lines = text.split(b"\n") if b'"event"' in text else [text]
    if kind == "lines":
        return b"\n".join(draw(st.permutations(lines)))
    index = draw(st.integers(0, len(lines) - 1))
    if lines[index]:
        plain = json.loads(lines[index])
        names = [*plain, *(f"plan.{name}" for name in plain.get("plan", ())), "new"]
        name = draw(st.sampled_from(names))
        inside = plain["plan"] if name.startswith("plan.") else plain
        inside[name.removeprefix("plan.")] = draw(JSON)
        lines[index] = json.dumps(plain).encode()
    return b"\n".join(lines)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run's folder."""
    return made(Runs(tmp_path_factory.mktemp("whole"))).folder


@settings(max_examples=60, derandomize=True, deadline=None)
@given(data=st.data())
def test_no_damage_of_a_run_breaks_a_list(whole: Path, tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    store = Runs(tmp_path_factory.mktemp("runs"))
    shutil.copytree(whole, store.folder / "good")
    name = data.draw(st.sampled_from(("run.json", "events.jsonl")))
    shutil.copytree(whole, store.folder / "bad")
    (store.folder / "bad" / name).write_bytes(data.draw(damages((whole / name).read_bytes())))

    assert set(listed(store)) == {"good", "bad"}
    for run in store.all():
        with contextlib.suppress(LabError):
            summary(run)
    for command in (["runs"], ["runs", "--json"], ["show", "bad", "--json"]):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()) as errors:
            assert cli.main([*command, "--runs", str(store.folder)]) in (0, 2)
        assert "unexpected" not in errors.getvalue()
        if command == ["runs", "--json"]:
            assert {json.loads(line)["id"] for line in out.getvalue().splitlines()} == {"good", "bad"}
    shutil.rmtree(store.folder)
