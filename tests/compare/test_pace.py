import pytest

from lab.compare.grid import expand, foresee
from lab.compare.pace import seconds, speed
from lab.compare.spec import Protocol
from lab.training.jobs import Jobs
from tests.compare.test_runner import spec


def test_the_time_follows_from_the_runs_of_the_same_model(llama, reviews, store):
    wanted = spec(llama, reviews, methods=["lora", "ia3"], protocol={"amount": 6})
    members = expand(wanted)
    assert speed(store.all(), llama) is None
    jobs = Jobs(store)
    for member in members:
        jobs.wait(jobs.submit(member.plan).id)
    jobs.close()
    pace = speed(store.all(), llama)
    assert pace > 0
    assert speed(store.all(), "another model") is None
    seen = foresee(members)
    once = seconds(seen, wanted.protocol, pace)
    # The two took what the pace says of them, to within the difference between their own paces.
    took = [run.history().finished.seconds for run in store.all()]
    assert min(took) * 0.5 < once < max(took) * 4
    tuned = Protocol(amount=6, rate="tuned", rates=("0.1", "0.2"), trial_steps=6)
    assert seconds(seen, tuned, pace) == pytest.approx(3 * once)
    assert seconds(seen, Protocol(budget="seconds", amount=9), None) == 18
    assert seconds(seen, wanted.protocol, None) is None
