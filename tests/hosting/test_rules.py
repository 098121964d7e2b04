"""Limits, rules and the views of one visitor."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import access
from lab.data import source
from lab.errors import LabError
from lab.events import Finished, Started, Step
from lab.events import Memory as Bytes
from lab.hosting.limits import Limits, read
from lab.hosting.own import OwnJobs, OwnRuns
from lab.hosting.rules import Shared, permit
from lab.hosting.visitors import Visitors
from lab.models import loading
from lab.plan import Data, Plan
from lab.runs import Runs
from lab.training.jobs import Jobs
from tests.hosting.visitor_plan import short

ANN, BOB = "a" * 32, "b" * 32


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    rules = Shared(Limits(), tmp_path / "uploads", lambda: "")
    before = access.use(rules)
    yield rules
    access.use(before)


def write(folder: Path) -> Path:
    folder.mkdir(parents=True)
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps({"a": f"x{n}", "b": f"y{n}"}) + "\n" for n in range(40)), encoding="utf-8")
    return file


def test_where_nobody_is_known_to_ask_nothing_is_answered(shared: Shared) -> None:
    with pytest.raises(LabError, match="cannot tell you"):
        access.owner()


def test_a_lab_of_ones_own_has_no_rules(tmp_path: Path) -> None:
    assert access.owner() == ""
    assert source.read(Data(source=str(write(tmp_path / "anywhere")))).train


def test_only_ones_own_uploads_are_read_even_when_another_has_just_read_them(shared: Shared, tmp_path: Path) -> None:
    file = write(tmp_path / "uploads" / ANN)
    with access.acting(ANN):
        assert source.read(Data(source=str(file))).train
    for path in (file, tmp_path / "uploads" / BOB / ".." / ANN / "rows.jsonl", tmp_path / "not-there.jsonl"):
        with access.acting(BOB), pytest.raises(LabError, match="no files but your own"):
            source.read(Data(source=str(path)))


def test_a_link_out_of_the_uploads_is_not_followed(shared: Shared, tmp_path: Path) -> None:
    secret = write(tmp_path / "elsewhere")
    (tmp_path / "uploads" / ANN).mkdir(parents=True)
    link = tmp_path / "uploads" / ANN / "link.jsonl"
    link.symlink_to(secret)
    with access.acting(ANN), pytest.raises(LabError, match="no files but your own"):
        source.read(Data(source=str(link)))


@pytest.mark.parametrize("name", ["/etc", "./assets", "~", "assets/models/storybook", "../main"])
def test_no_folder_of_the_machine_is_a_model(shared: Shared, name: str) -> None:
    with access.acting(ANN), pytest.raises(LabError, match="no folders"):
        loading.config(name)


def test_a_configuration_that_would_fill_the_memory_is_refused(shared: Shared) -> None:
    shared.config("fine", {"num_hidden_layers": 80, "hidden_size": 8192, "eos_token_id": 10**9})
    for told in ({"num_hidden_layers": 10**6}, {"text_config": {"hidden_size": 10**9}}, {"sizes": [1, 10**9]}):
        with pytest.raises(LabError, match="The configuration of"):
            shared.config("bad", told)


def test_a_large_repository_is_refused_before_it_is_fetched(shared: Shared, hub) -> None:
    hub.add("lab/large", {"config.json": b"{}", "model.safetensors": b"x" * 2000})
    access.use(Shared(Limits(download=1000), Path("uploads"), lambda: ""))
    with pytest.raises(LabError, match="the limit here is"):
        loading.folder("lab/large")
    assert not any("resolve" in asked and "safetensors" in asked for asked in hub.asked)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": 301}, "301 steps"),
        ({"steps": 0, "epochs": 1000.0}, "steps"),
        ({"batch_size": 4096}, "tokens"),
        ({"steps": 100, "eval_every": 1}, "100 times"),
        ({"steps": 200, "save_every": 1}, "saves 200 times"),
        ({"eval_rows": 5000}, "5,000 rows"),
        ({"reply_rows": 500}, "500 replies"),
    ],
)
def test_what_is_over_a_limit_is_refused_in_one_sentence(change: dict, words: str) -> None:
    with pytest.raises(LabError, match=words):
        permit(short(**change), Limits(), 10**9)


def test_what_is_within_the_limits_is_permitted_but_not_by_a_full_disk_or_for_a_large_base() -> None:
    permit(short(steps=300), Limits(), 10**9)
    with pytest.raises(LabError, match="MB left"):
        permit(short(), Limits(), 10)
    with pytest.raises(LabError, match="parameters"):
        permit(short(), Limits(parameters=1_000_000), 10**9)


def test_limits_are_read_from_one_line() -> None:
    assert read("steps=500, seconds = 60") == Limits(steps=500, seconds=60.0)
    assert str(Limits().steps) in Limits().sentence()
    for wrong in ("stepz=5", "steps", "steps=-1", "steps=inf", "steps=nan"):
        with pytest.raises(LabError, match="no limit"):
            read(wrong)


# -- runs and the queue -----------------------------------------------------------------------


class Held:
    """A trainer whose runs wait for the test; `began` are their folders in order."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.go = threading.Semaphore(0)

    def __call__(self, plan: Plan, stop: threading.Event, folder: Path, resume: bool) -> Iterator:
        self.began.append(folder.name)
        yield Started(4, 100, 10, "generate", "exact", "cpu", 1, 1)
        self.go.acquire()
        yield Finished("stopped" if stop.is_set() else "done")


@pytest.fixture
def queue(store: Runs, shared: Shared) -> Iterator[tuple[Held, Jobs, OwnJobs]]:
    trainer = Held()
    jobs = Jobs(store, trainer)
    yield trainer, jobs, OwnJobs(jobs, OwnRuns(store, Limits(waiting=3, runs=4)))
    for _ in range(20):
        trainer.go.release()
    jobs.close()


def test_visitors_take_turns(queue: tuple[Held, Jobs, OwnJobs]) -> None:
    trainer, jobs, own = queue
    with access.acting(ANN):
        anns = [own.submit(short()).id for _ in range(3)]
    with access.acting(BOB):
        bobs = [own.submit(short()).id for _ in range(2)]
    expected = [anns[0], bobs[0], anns[1], bobs[1], anns[2]]
    assert jobs.waiting() == expected
    with access.acting(BOB):
        assert own.place(bobs[0]) == 1
        assert own.place(bobs[1]) == 3
    for _ in expected:
        trainer.go.release()
    assert all(jobs.wait(run, 30) for run in expected)
    assert trainer.began == expected


def test_one_visitor_may_hold_only_so_many_places_and_runs(queue: tuple[Held, Jobs, OwnJobs]) -> None:
    trainer, jobs, own = queue
    with access.acting(ANN):
        runs = [own.submit(short()).id for _ in range(3)]
        with pytest.raises(LabError, match="in the queue"):
            own.submit(short())
        for _ in range(3):
            trainer.go.release()
        assert all(jobs.wait(run, 30) for run in runs)
        own.submit(short())
        with pytest.raises(LabError, match="as many as this shared lab keeps"):
            own.submit(short())
    with access.acting(BOB):
        own.submit(short())


def test_the_wait_is_what_others_took(queue: tuple[Held, Jobs, OwnJobs]) -> None:
    trainer, jobs, own = queue
    with access.acting(ANN):
        first, second = own.submit(short()).id, own.submit(short()).id
        assert own.expected(second) is None, "nothing is known yet"
        trainer.go.release()
        assert jobs.wait(first, 30)
        third = own.submit(short()).id
        while own.place(second) != 0:
            pass
        expected = own.expected(third)
    assert expected is not None
    assert expected >= 0


def test_what_belongs_to_another_is_not_there(queue: tuple[Held, Jobs, OwnJobs]) -> None:
    _, jobs, own = queue
    with access.acting(ANN):
        run = own.submit(short())
        assert run.owner == ANN
        assert [item.id for item in own.runs.all()] == [run.id]
    with access.acting(BOB):
        assert own.runs.all() == []
        acts = (own.stop, own.withdraw, own.resume, own.continue_, own.place, own.paused, own.expected, own.wait)
        for act in (*acts, own.runs.get, own.runs.delete):
            with pytest.raises(LabError, match="There is no run"):
                act(run.id)
    assert jobs.place(run.id) is not None


def test_what_is_adopted_counts_too(store: Runs, shared: Shared) -> None:
    own = OwnRuns(store, Limits(runs=1))
    with access.acting(ANN):
        own.create(short())
        with pytest.raises(LabError, match="as many as this shared lab keeps"):
            own.create(short())
    write(store.folder / "uploads" / BOB)
    full = OwnRuns(store, Limits(disk=10), (store.folder / "uploads",))
    with access.acting(BOB), pytest.raises(LabError, match="as much of the disk"):
        full.create(short())


def test_nobody_may_pause_what_all_wait_for(queue: tuple[Held, Jobs, OwnJobs]) -> None:
    own = queue[2]
    with access.acting(ANN):
        run = own.submit(short())
        with pytest.raises(LabError, match="hold up everybody"):
            own.pause(run.id)


def test_every_public_method_of_the_queue_and_the_store_is_decided_upon() -> None:
    """What a view does not override would act on the view's own, empty, state, or on others' runs."""
    for view, whole, shown in ((OwnRuns, Runs, set[str]()), (OwnJobs, Jobs, {"count"})):
        public = {name for name in vars(whole) if not name.startswith("_")}
        assert public - set(vars(view)) == shown


def test_a_run_ends_when_its_time_is_over(store: Runs) -> None:
    def endless(plan: Plan, stop: threading.Event, folder: Path, resume: bool) -> Iterator:
        yield Started(10**6, 100, 10, "generate", "exact", "cpu", 1, 1)
        count = 0
        while not stop.is_set():
            count += 1
            yield Step(count, 1.0, 1e-3, 1.0, 1, 0.1, Bytes())
        yield Finished("stopped")

    jobs = Jobs(store, endless, seconds=0.05)
    try:
        run = jobs.submit(short())
        assert jobs.wait(run.id, 30)
        assert run.status == "stopped"
    finally:
        jobs.close()


def test_a_thread_works_for_whoever_started_it(shared: Shared) -> None:
    seen: list[str] = []
    with access.acting(ANN):
        started = access.thread(lambda: seen.append(access.owner()), "test")
    started.join()
    assert seen == [ANN]


def test_one_visitor_measures_only_so_much_at_a_time(shared: Shared) -> None:
    refused = pytest.raises(LabError, match="Two measurements")
    with access.acting(ANN), shared.measuring(), shared.measuring(), refused, shared.measuring():
        pass
    with access.acting(ANN), shared.measuring() as seconds:
        assert seconds == Limits().measuring


# -- visits -----------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.wall, self.steady = 10**9 * 1.7, 0.0

    def pass_(self, seconds: float) -> None:
        self.wall, self.steady = self.wall + seconds, self.steady + seconds


def made(tmp_path: Path, store: Runs, clock: Clock, **limits: float) -> Visitors:
    places = (tmp_path / "uploads", tmp_path / "comparisons")
    passing = tmp_path / "served"
    passing.mkdir(exist_ok=True)
    chosen = Limits(idle=1000.0, **limits)  # type: ignore[arg-type]
    return Visitors(tmp_path / "visits", store, chosen, places, passing, lambda: clock.wall, lambda: clock.steady)


def test_idle_data_go_and_those_in_use_stay(tmp_path: Path, store: Runs) -> None:
    clock = Clock()
    visitors = made(tmp_path, store, clock)
    for owner in (ANN, BOB):
        assert visitors.visit(owner)
        store.create(short(), owner)
        write(tmp_path / "uploads" / owner)
    clock.pass_(700)
    visitors.visit(BOB)
    clock.pass_(700)
    assert visitors.sweep() == [ANN]
    assert [run.owner for run in store.all()] == [BOB]
    assert sorted(place.name for place in (tmp_path / "uploads").iterdir()) == [BOB]


def test_a_clock_that_jumps_removes_nothing(tmp_path: Path, store: Runs) -> None:
    clock = Clock()
    visitors = made(tmp_path, store, clock)
    visitors.visit(ANN)
    store.create(short(), ANN)
    for jump in (10**8, -(2 * 10**8)):
        clock.wall += jump
        assert visitors.sweep() == []
    clock.pass_(1100)
    assert visitors.sweep() == [ANN]


def test_data_whose_visit_was_never_noted_get_the_full_time(tmp_path: Path, store: Runs) -> None:
    clock = Clock()
    store.create(short(), ANN)
    visitors = made(tmp_path, store, clock)
    assert visitors.sweep() == []
    clock.pass_(1100)
    assert visitors.sweep() == [ANN]
    assert store.all() == []


def test_a_full_lab_takes_nobody_new_and_makes_room_again(tmp_path: Path, store: Runs) -> None:
    clock = Clock()
    visitors = made(tmp_path, store, clock, visitors=1)
    assert visitors.visit(ANN)
    assert not visitors.visit(BOB)
    assert visitors.visit(ANN)
    clock.pass_(950)  # she made nothing
    visitors.sweep()
    assert visitors.visit(BOB)


def test_a_run_that_trains_is_not_swept_away(tmp_path: Path, store: Runs) -> None:
    clock = Clock()
    visitors = made(tmp_path, store, clock)
    visitors.visit(ANN)
    run = store.create(short(), ANN)
    run.claim()
    clock.pass_(1100)
    visitors.sweep()
    assert run.folder.is_dir()
    run.release()
