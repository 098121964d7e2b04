"""Real comparisons of tiny models: run, broken off, taken up, reordered."""

import json
import shutil
import threading

import pytest

from lab.compare.comparison import Comparison, Comparisons
from lab.compare.results import EXCLUDED, MISSING, WAITING
from lab.compare.runner import Runner
from lab.compare.spec import Spec, parse
from lab.errors import LabError
from lab.events import DONE, FAILED
from lab.runs import Runs
from lab.training.jobs import Jobs
from tests.plans import QUICK

SETTINGS = {name: value for name, value in QUICK.items() if name != "steps"}


def spec(model: str, data: str, **parts) -> Spec:
    plain = {
        "model": model,
        "data": {"source": data},
        "settings": SETTINGS,
        "methods": ["lora"],
        "protocol": {"amount": 4},
    }
    return Spec.from_dict(plain | parts)


@pytest.fixture
def jobs(store):
    made = Jobs(store)
    yield made
    made.close()


def go(made: Comparison, jobs: Jobs) -> list:
    seen = []
    Runner(made, jobs, lambda *told: seen.append(told)).go()
    return seen


def test_a_comparison_is_run_to_its_end(llama, reviews, store, jobs, tmp_path):
    wanted = spec(llama, reviews, methods=["lora", "head", "full"], precisions=["nf4"], seeds=[0, 1])
    made = Comparison.create(tmp_path / "c", wanted, store)
    assert {item.status for item in made.outcomes()} == {WAITING}
    go(made, jobs)
    found = {item.label: item for item in Comparison(made.folder, store).outcomes()}
    states = {name: item.status for name, item in found.items()}
    assert list(states.values()).count(DONE) >= 2
    assert EXCLUDED in states.values()
    for item in found.values():
        if item.status == DONE:
            assert item.steps == 4
            assert item.tokens == sum(step.tokens for step in store.get(item.run).history().steps)
            assert item.marks == ()
            assert item.memory > 0
            assert 0 <= item.score <= 1
        else:
            assert "nf4" in item.reason
            assert item.run == ""
    again = go(made, jobs)
    assert again == []


def test_results_do_not_depend_on_the_order(llama, reviews, tmp_path):
    def measured(place: str, backwards: bool) -> dict:
        store = Runs(tmp_path / place / "runs")
        jobs = Jobs(store)
        made = Comparison.create(
            tmp_path / place / "c", spec(llama, reviews, methods=["lora", "ia3"], seeds=2), store
        )
        if backwards:
            for key in made.order:
                made.move(key, 0)
        order = [label for what, label, _ in go(made, jobs) if what == "done"]
        jobs.close()
        kept = {
            item.key: (item.score, item.loss, item.forgetting, item.curve.loss, item.curve.tokens)
            for item in made.outcomes()
        }
        return {"order": order, "kept": kept}

    one, two = measured("one", False), measured("two", True)
    assert one["order"] == list(reversed(two["order"]))
    assert one["kept"] == two["kept"]  # to the last bit
    assert all(losses for _, _, _, losses, _ in one["kept"].values())


def test_a_failed_member_is_a_result_and_the_next_one_runs(llama, reviews, store, tmp_path):
    def trainer(plan, stop, folder, resume):
        from lab.training.loop import train

        if plan.method == "lora":
            raise MemoryError
        yield from train(plan, stop, folder, resume)

    jobs = Jobs(store, trainer)
    made = Comparison.create(tmp_path / "c", spec(llama, reviews, methods=["lora", "ia3"]), store)
    go(made, jobs)
    jobs.close()
    states = [item.status for item in made.outcomes()]
    assert states == [FAILED, DONE]
    assert made.outcomes()[0].reason


def test_stopped_and_taken_up_in_another_process_gives_the_same(llama, reviews, store, tmp_path):
    wanted = spec(llama, reviews, methods=["lora", "ia3"], protocol={"amount": 6})
    whole = Comparison.create(tmp_path / "whole", wanted, store)
    jobs = Jobs(store)
    go(whole, jobs)
    jobs.close()

    other = Runs(tmp_path / "other")
    made = Comparison.create(tmp_path / "c", wanted, other)
    reached = threading.Event()

    def slow(plan, stop, folder, resume):
        from lab.events import Step
        from lab.training.loop import train

        for event in train(plan, stop, folder, resume):
            yield event
            if isinstance(event, Step) and event.step == 4:
                reached.set()
                stop.wait(30)

    jobs = Jobs(other, slow)
    runner = Runner(made, jobs)
    runner.start()
    assert reached.wait(60)
    runner.stop()
    assert runner.join(60)
    jobs.close()
    assert [item.status for item in made.outcomes()] == ["stopped", WAITING]
    assert "stopped at step" in made.outcomes()[0].marks[0]

    taken_up = Comparison(made.folder, Runs(tmp_path / "other"))  # as after a restart
    jobs = Jobs(taken_up.runs)
    go(taken_up, jobs)
    jobs.close()
    assert [item.status for item in taken_up.outcomes()] == [DONE, DONE]
    for mine, other_one in zip(taken_up.outcomes(), whole.outcomes()):
        assert (mine.score, mine.loss, mine.curve.loss) == (other_one.score, other_one.loss, other_one.curve.loss)


def test_paused_it_makes_no_step_until_it_is_resumed(llama, reviews, store, tmp_path):
    wanted = spec(llama, reviews, seeds=2, settings=SETTINGS | {"eval_every": 0}, protocol={"amount": 8})
    made = Comparison.create(tmp_path / "c", wanted, store)
    at_two = threading.Event()
    made_steps = []

    def trainer(plan, stop, folder, resume):
        from lab.events import Step
        from lab.training.loop import train

        for event in train(plan, stop, folder, resume):
            if isinstance(event, Step):
                made_steps.append(event.step)
                if event.step == 2:
                    runner.pause()
                    at_two.set()
            yield event

    jobs = Jobs(store, trainer)
    runner = Runner(made, jobs)
    runner.start()
    assert at_two.wait(60)
    assert runner.paused
    assert not jobs.wait(made.get(made.order[0], "run"), 0.3)
    assert made_steps == [1, 2]
    assert made.outcomes()[1].status == WAITING
    while not runner.join(0.05):  # each member pauses itself once
        runner.resume()
    jobs.close()
    assert [item.status for item in made.outcomes()] == [DONE, DONE]
    assert [item.steps for item in made.outcomes()] == [8, 8]


def test_waiting_members_are_moved_and_the_order_is_kept(llama, reviews, store, tmp_path):
    made = Comparison.create(tmp_path / "c", spec(llama, reviews, seeds=3), store)
    first, second, third = made.order
    made.move(third, 0)
    assert made.order == [third, first, second]
    made.move(third, 9)
    assert Comparison(made.folder, store).order == [first, second, third]
    with pytest.raises(LabError, match="does not wait"):
        made.move("nothing", 0)


def test_a_deleted_run_is_told_and_can_be_run_again(llama, reviews, store, jobs, tmp_path):
    made = Comparison.create(tmp_path / "c", spec(llama, reviews), store)
    go(made, jobs)
    shutil.rmtree(store.folder / made.outcomes()[0].run)
    lost = made.outcomes()[0]
    assert lost.status == MISSING
    assert "no run" in lost.reason
    assert go(made, jobs) == []
    made.again(lost.key)
    go(made, jobs)
    assert made.outcomes()[0].status == DONE


def test_a_member_whose_process_ends_twice_is_given_up(llama, reviews, store, jobs, tmp_path):
    made = Comparison.create(tmp_path / "c", spec(llama, reviews), store)
    key = made.order[0]
    run = store.create(made.member(key).plan)
    (run.folder / "events.jsonl").write_text('{"event": "stage", "text": "Training"}\n')
    made.note(key, run=run.id, interruptions=1)
    go(made, jobs)
    assert made.outcomes()[0].status == FAILED
    assert "ended twice" in made.outcomes()[0].reason


def test_the_rate_is_tuned_by_trials_that_all_seeds_share(llama, reviews, store, jobs, tmp_path):
    protocol = {"amount": 3, "rate": "tuned", "rates": [1e-6, 0.05], "trial_steps": 6}
    made = Comparison.create(tmp_path / "c", spec(llama, reviews, seeds=2, protocol=protocol), store)
    seen = go(made, jobs)
    assert [what for what, *_ in seen].count("trial") == 2
    losses = {}
    for rate in ("rate 1e-06", "rate 0.05"):
        losses[rate] = store.get(made.trial("LoRA", rate)).history().last.loss
    best = 1e-6 if losses["rate 1e-06"] < losses["rate 0.05"] else 0.05
    assert {store.get(item.run).plan.training.learning_rate for item in made.outcomes()} == {best}
    assert made.outcomes()[0].choices["training.learning_rate"] == best


def test_equal_tokens_are_read_to_within_a_step(llama, reviews, store, jobs, tmp_path):
    wanted = spec(llama, reviews, methods=["lora", "prompt"], seeds=2, protocol={"budget": "tokens", "amount": 400})
    made = Comparison.create(tmp_path / "c", wanted, store)
    go(made, jobs)
    for item in made.outcomes():
        assert item.status == DONE
        assert item.tokens >= 400
        assert item.curve.tokens[-2] < 400
        assert item.marks == ()


def test_equal_seconds_become_steps_by_a_measured_pace(llama, reviews, store, jobs, tmp_path):
    made = Comparison.create(
        tmp_path / "c", spec(llama, reviews, protocol={"budget": "seconds", "amount": 1.0}), store
    )
    seen = go(made, jobs)
    assert [what for what, *_ in seen] == ["trial", "member", "done"]
    item = made.outcomes()[0]
    assert item.status == DONE
    assert item.steps == store.get(item.run).plan.training.steps > 1


def test_runs_that_exist_are_compared_as_they_are(llama, reviews, store, jobs, tmp_path):
    first = Comparison.create(tmp_path / "c", spec(llama, reviews, methods=["lora", "ia3"]), store)
    go(first, jobs)
    ids = [item.run for item in first.outcomes()]
    made = Comparison.create(tmp_path / "d", Spec.from_dict({"runs": ids}), store)
    assert made.waiting == []
    assert [item.score for item in made.outcomes()] == [item.score for item in first.outcomes()]
    with pytest.raises(LabError, match="no run"):
        Comparison.create(tmp_path / "e", Spec.from_dict({"runs": ["none"]}), store)


def test_two_processes_cannot_run_the_same_comparison(llama, reviews, store, jobs, tmp_path):
    made = Comparison.create(tmp_path / "c", spec(llama, reviews), store)
    other = Comparison(made.folder, store)
    other.claim()
    with pytest.raises(LabError, match="being run already"):
        Runner(made, jobs).start()
    other.release()


def test_a_damaged_or_newer_folder_is_told(llama, reviews, store, tmp_path):
    made = Comparison.create(tmp_path / "all" / "c", spec(llama, reviews), store)
    state = json.loads((made.folder / "comparison.json").read_text())
    (made.folder / "comparison.json").write_text(json.dumps(state | {"schema": 99}))
    with pytest.raises(LabError, match="newer"):
        Comparison(made.folder, store)
    (made.folder / "comparison.json").write_text("{")
    with pytest.raises(LabError, match="damaged"):
        Comparison(made.folder, store)
    assert Comparisons(tmp_path / "all", store).all() == []
    with pytest.raises(LabError, match="no comparison"):
        Comparisons(tmp_path / "all", store).get("../all")


def test_its_file_makes_the_same_members_again(llama, reviews, store, tmp_path):
    made = Comparison.create(tmp_path / "c", spec(llama, reviews, methods=["lora", "ia3"], seeds=2), store)
    again = Comparison.create(tmp_path / "d", parse(made.yaml), store)
    assert [item.key for item in again.members] == [item.key for item in made.members]


def test_a_closing_lab_is_no_fault_of_the_members(llama, reviews, store, tmp_path):
    made = Comparison.create(tmp_path / "c", spec(llama, reviews, seeds=2), store)
    jobs = Jobs(store)
    jobs.close()
    Runner(made, jobs).go()
    assert [item.status for item in made.outcomes()] == [WAITING, WAITING]


@pytest.mark.parametrize("protocol", [{"rate": "tuned", "rates": [0.01, 0.05]}, {"budget": "seconds"}])
def test_a_comparison_stopped_in_its_first_trial_goes_on_later(llama, reviews, store, tmp_path, protocol):
    made = Comparison.create(tmp_path / "c", spec(llama, reviews, protocol={"amount": 3} | protocol), store)
    reached = threading.Event()

    def stopped_early(plan, stop, folder, resume):
        from lab.training.loop import train

        reached.set()
        stop.wait(30)
        yield from train(plan, stop, folder, resume)

    jobs = Jobs(store, stopped_early)
    runner = Runner(made, jobs)
    runner.start()
    assert reached.wait(30)
    runner.stop()
    assert runner.join(60)
    jobs.close()
    assert [item.status for item in made.outcomes()] == [WAITING]

    jobs = Jobs(store)
    go(made, jobs)
    jobs.close()
    assert [item.status for item in made.outcomes()] == [DONE]


def test_members_that_were_trained_on_changed_data_are_marked(llama, store, jobs, tmp_path):
    file = tmp_path / "reviews.jsonl"

    def write(count: int) -> None:
        rows = [{"text": f"{word} thing {n}", "label": word} for n in range(count) for word in ("good", "bad")]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    write(40)
    made = Comparison.create(tmp_path / "c", spec(llama, str(file), methods=["lora", "ia3", "head"]), store)
    Runner(made, jobs, lambda what, label, _: write(60) if (what, label) == ("done", "(IA)³, seed 0") else None).go()
    marks = [item.marks for item in made.outcomes()]
    assert marks[:2] == [(), ()]
    assert "its data or its base had changed" in marks[2]


def test_a_member_whose_data_changed_is_not_continued_and_the_others_run(llama, store, tmp_path):
    file = tmp_path / "reviews.jsonl"

    def write(count: int) -> None:
        rows = [{"text": f"{word} thing {n}", "label": word} for n in range(count) for word in ("good", "bad")]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    write(40)
    made = Comparison.create(tmp_path / "c", spec(llama, str(file), methods=["lora", "ia3"]), store)
    reached = threading.Event()

    def slow(plan, stop, folder, resume):
        from lab.events import Step
        from lab.training.loop import train

        for event in train(plan, stop, folder, resume):
            yield event
            if isinstance(event, Step):
                reached.set()
                stop.wait(30)

    jobs = Jobs(store, slow)
    runner = Runner(made, jobs)
    runner.start()
    assert reached.wait(60)
    runner.stop()
    assert runner.join(60)
    jobs.close()
    write(50)

    jobs = Jobs(store)
    go(made, jobs)
    jobs.close()
    first, second = made.outcomes()
    assert "The data changed since this run began: 80 rows then, 100 now." in first.reason
    assert second.status == DONE
    made.again(first.key)
    jobs = Jobs(store)
    go(made, jobs)
    jobs.close()
    assert [item.status for item in made.outcomes()] == [DONE, DONE]
