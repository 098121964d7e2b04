import pytest

from lab.compare.grid import expand, foresee, operations
from lab.compare.pace import seconds, speed
from lab.compare.spec import Protocol
from lab.events import DONE, Finished, Started, to_line
from lab.plan import CLASSIFY
from lab.training.job import resolve
from tests.compare.test_runner import spec


def test_the_time_follows_from_the_runs_of_the_same_model(llama, reviews, store):
    wanted = spec(llama, reviews, methods=["lora", "ia3"], protocol={"amount": 6})
    members = expand(wanted)
    assert speed(store.all(), llama) is None
    seen = foresee(members)
    durations = []
    for item in seen:
        training = item.member.plan.training
        amount = operations(resolve(item.member.plan), item.trainable, training.eval_rows)
        durations.append(amount / 1000)
        run = store.create(item.member.plan)
        started = Started(
            training.steps, item.total, item.trainable, CLASSIFY, "accuracy", "cpu", 80, training.eval_rows
        )
        events = [started, Finished(DONE, training.steps, seconds=durations[-1])]
        (run.folder / "events.jsonl").write_text("".join(map(to_line, events)), encoding="utf-8")
    pace = speed(store.all(), llama)
    assert pace == pytest.approx(1000)
    assert speed(store.all(), "another model") is None
    once = seconds(seen, wanted.protocol, pace)
    assert once == pytest.approx(sum(durations))
    tuned = Protocol(amount=6, rate="tuned", rates=("0.1", "0.2"), trial_steps=6)
    assert seconds(seen, tuned, pace) == pytest.approx(3 * once)
    assert seconds(seen, Protocol(budget="seconds", amount=9), None) == 18
    assert seconds(seen, wanted.protocol, None) is None
