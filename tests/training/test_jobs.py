"""The queue: one at a time, in order, stoppable, and nothing lost."""

from __future__ import annotations

import itertools
import shutil
import threading

import pytest

from lab.errors import LabError
from lab.events import DONE, FAILED, STOPPED, Finished, Started, Step
from lab.plan import Plan
from lab.runs import INTERRUPTED, WAITING, Runs
from lab.training.jobs import Jobs
from tests.plans import quick


class Gate:
    """A trainer that makes a step each time it is let."""

    def __init__(self) -> None:
        self.lets = threading.Semaphore(0)

    def __call__(self, plan, stop, folder, resume):
        from lab.events import Finished

        yield Started(100, 10, 1, "generate", "overlap", "CPU", 9, 1)
        for number in itertools.count(1):
            self.lets.acquire()
            if stop.is_set() or plan.seed == 99:
                break
            yield Step(number, 1.0, 0.1, 1.0, 5, float(number))
        if plan.seed == 99:
            raise RuntimeError("a fault")
        yield Finished(STOPPED if stop.is_set() else DONE, number)


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def jobs(store, gate):
    made = Jobs(store, gate)
    yield made
    gate.lets.release(1000)
    made.close()


def until(condition, seconds: float = 20.0) -> None:
    done = threading.Event()
    for _ in range(int(seconds * 100)):
        if condition():
            return
        done.wait(0.01)
    raise AssertionError("it did not come true in time")


def test_runs_wait_in_line_and_can_be_taken_out(jobs, store, gate):
    first, second, third = (jobs.submit(Plan(seed=number)) for number in range(3))
    until(lambda: jobs.place(first.id) == 0)
    assert (jobs.place(second.id), jobs.place(third.id)) == (1, 2)
    assert second.status == WAITING
    jobs.withdraw(second.id)
    assert jobs.place(third.id) == 1
    with pytest.raises(LabError, match="no run"):
        store.get(second.id)
    with pytest.raises(LabError, match="does not wait"):
        jobs.withdraw(first.id)
    jobs.stop(first.id)
    gate.lets.release()
    until(lambda: jobs.place(third.id) == 0)
    assert first.status == STOPPED


def test_a_paused_run_makes_no_step_until_it_is_resumed(jobs, gate):
    run = jobs.submit(Plan())
    gate.lets.release()
    until(lambda: run.history().step == 1)
    jobs.pause(run.id)
    assert jobs.paused(run.id)
    gate.lets.release(5)
    until(lambda: run.history().step >= 1)
    held = run.history().step
    assert held <= 2  # the step that was being made may end
    jobs.resume(run.id)
    until(lambda: run.history().step == 6)


def test_a_fault_ends_its_run_and_not_the_line(jobs, gate):
    bad, good = jobs.submit(Plan(seed=99)), jobs.submit(Plan())
    gate.lets.release(3)
    until(lambda: bad.status == FAILED)
    assert "RuntimeError" in bad.history().finished.error
    until(lambda: good.history().step >= 1)


def test_closing_stops_what_trains_and_leaves_what_waits(store, gate):
    jobs = Jobs(store, gate)
    running, waiting = jobs.submit(Plan()), jobs.submit(Plan())
    until(lambda: jobs.place(running.id) == 0)
    gate.lets.release(2)
    threading.Timer(0.1, lambda: gate.lets.release(5)).start()
    jobs.close()
    assert running.status == STOPPED
    assert waiting.status == INTERRUPTED
    with pytest.raises(LabError, match="closing"):
        jobs.submit(Plan())


def test_a_real_training_goes_through_the_line_and_on_from_its_checkpoint(store, llama, replies):
    jobs = Jobs(store)
    run = jobs.submit(quick(llama, replies, steps=200, eval_every=0))
    until(lambda: run.history().step >= 3, 60)
    jobs.stop(run.id)
    assert jobs.wait(run.id, 60)
    assert run.status == STOPPED
    made = run.history().step
    assert 3 <= made < 200
    assert run.adapter.is_dir()
    jobs.continue_(run.id)
    until(lambda: run.history().step > made, 60)
    assert Runs(store.folder).get(run.id).history().started.first_step == made
    jobs.close()
    assert run.status == STOPPED


def test_a_run_that_is_done_is_not_trained_again(jobs, store):
    run = store.create(Plan())
    for _ in run.record([Finished(DONE, 3)]):
        pass
    with pytest.raises(LabError, match="is done"):
        jobs.continue_(run.id)
    assert not run.busy


def test_a_run_whose_folder_is_removed_does_not_hold_up_the_queue(jobs, store, gate):
    lost, after = jobs.submit(Plan()), jobs.submit(Plan())
    until(lambda: jobs.place(lost.id) == 0)
    until(lambda: lost.history().started)
    shutil.rmtree(lost.folder)
    gate.lets.release(3)
    assert jobs.wait(lost.id, 20)
    until(lambda: after.history().step >= 1)
    assert not lost.folder.exists()


def test_a_trainer_that_breaks_in_a_folder_that_is_gone_does_not_end_the_queue(store):
    def trainer(plan, stop, folder, resume):
        if plan.seed == 99:
            shutil.rmtree(folder)
            raise RuntimeError("a fault")
        yield Finished(DONE)

    jobs = Jobs(store, trainer)
    jobs.submit(Plan(seed=99))
    good = jobs.submit(Plan())
    until(lambda: good.status == DONE)
    jobs.close()


def test_the_wait_counts_what_is_left_of_resumed_runs(store):
    let = threading.Event()

    def loading(plan, stop, folder, resume):
        let.wait(20)
        yield Finished(STOPPED)

    runs = [store.create(Plan(seed=number)) for number in range(2)]
    for pace, run in zip((2.0, 1.0), runs):
        steps = [Step(step, 1.0, 0.1, 1.0, 5, pace * step) for step in range(1, 91)]
        started = Started(100, 10, 1, "generate", "overlap", "CPU", 9, 1)
        for _ in run.record([started, *steps, Finished(STOPPED, 90, seconds=pace * 90)]):
            pass
        (run.folder / "checkpoint").mkdir()
    jobs = Jobs(store, loading)
    first, second = (jobs.continue_(run.id) for run in runs)
    third, fourth = jobs.submit(Plan()), jobs.submit(Plan())
    until(lambda: jobs.place(first.id) == 0)
    assert jobs.expected(second.id) == pytest.approx(10 * 2.0)
    assert jobs.expected(third.id) == pytest.approx(10 * 2.0 + 10 * 1.0)
    assert jobs.expected(fourth.id) is None, "nobody knows yet how long a fresh run takes"
    let.set()
    jobs.close()


@pytest.mark.parametrize("leave", ["stop", "withdraw"])
def test_who_waits_for_a_run_is_told_when_it_leaves_the_line(jobs, gate, leave) -> None:
    plan = quick("nowhere", "nothing")
    jobs.submit(plan)
    second = jobs.submit(plan)
    told = threading.Event()
    waiter = threading.Thread(target=lambda: (jobs.wait(second.id), told.set()), daemon=True)
    waiter.start()
    getattr(jobs, leave)(second.id)
    assert told.wait(20)  # the first still trains
