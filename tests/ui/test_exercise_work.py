"""Buttons that measure: runs and threads that are started, watched, stopped and found again; what they then show."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from lab.errors import LabError
from lab.ui.exhibits import parts
from lab.ui.exhibits.lora import counting, sweep, versus
from lab.ui.exhibits.qlora import adapting, bits, levels
from lab.ui.exhibits.qlora import sum as sums
from lab.ui.exhibits.watch import Measurement, Trials
from lab.ui.exhibits.why import benefits, calculator, map, spectrum
from lab.ui.lab import Lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("lab") / "runs")
    yield made
    made.close()


def plans(model: str, steps: int = 4) -> dict:
    few = {"eval_rows": 4, "reply_rows": 1}
    return {key: parts.trial(model, key, "sentiment", steps, few) for key in ("full", "lora")}


def over(lab: Lab, ids: list[str]) -> None:
    assert all(lab.jobs.wait(key, 120) for key in ids)


@pytest.fixture(scope="module")
def runs(lab: Lab, llama: str) -> dict:
    trials = Trials(lab, "2.4 Both", lambda model: plans(model))
    ids = trials.start(llama)
    over(lab, ids)
    return trials.look(ids).value


def test_trials_are_found_again_and_not_repeated(lab: Lab, llama: str, runs: dict) -> None:
    trials = Trials(lab, "2.4 Both", lambda model: plans(model))
    ids = [run.id for run in runs.values()]
    assert sorted(trials.last()) == sorted(ids)
    assert trials.start(llama) == ids, "what was trained by the same plan is shown, not trained again"
    seen = trials.look(ids)
    assert seen.over
    assert seen.text == "Trained: full, lora."
    assert Trials(lab, "9.9 Other", plans).last() == []


def test_a_stop_ends_what_trains_and_takes_back_what_waits(lab: Lab, llama: str) -> None:
    trials = Trials(lab, "stopped", lambda model: plans(model, 5000))
    ids = trials.start(llama)
    assert not trials.look(ids).over
    trials.stop(ids)
    for key in ids:
        lab.jobs.wait(key, 60)
    assert trials.look(ids).over
    assert len(trials.runs(ids)) == 1, "the one that waited is gone"


def wait(work: Measurement, ids: list[str]) -> None:
    for _ in range(400):
        if work.look(ids).over:
            return
        time.sleep(0.02)
    raise AssertionError("the measurement did not end")


def test_a_measurement_yields_says_and_stops() -> None:
    gate = threading.Event()

    def count(upto: int, stop: threading.Event) -> Iterator[int]:
        yield from range(upto)
        if upto > 2:
            gate.wait(10)
            yield upto

    work = Measurement(count, lambda items: f"{len(items)} so far")
    ids = work.start(2)
    wait(work, ids)
    assert work.look(ids).value == [0, 1]
    assert work.look(ids).text == "2 so far"
    ids = work.start(3)
    work.stop(ids)
    gate.set()
    wait(work, ids)
    assert work.look(ids).text == "Stopped."
    assert 3 not in (work.look(ids).value or [])


def test_a_measurement_that_fails_says_why() -> None:
    def fail(stop: threading.Event) -> Iterator[int]:
        raise LabError("No such thing.", "Take another.")
        yield 0

    work = Measurement(fail)
    ids = work.start()
    wait(work, ids)
    assert work.look(ids).text == "No such thing. Take another."
    assert work.look(["unknown"]).over


def test_what_trained_runs_show(runs: dict) -> None:
    _, words = versus.four(runs)
    assert "of the memory and scores" in words
    for show in (benefits.computation, benefits.storage, calculator.measured, sums.measured, adapting.learned):
        figure, words = show(runs)
        assert figure.data, show
        assert words, show
    figure, words = spectrum.scatter(runs)
    assert sorted(trace.x[0] for trace in figure.data) == sorted(r.history().started.trainable for r in runs.values())
    figure, words = benefits.forgetting(runs)
    assert list(figure.data[0].x) == ["base", "full", "lora"]


def test_the_calculator_makes_the_papers_figures(llama: str) -> None:
    rest = ("pure", "bf16", "adamw", 1, 512, True, 8.0, "NVIDIA A100 80 GB", 0.4, 10, llama)
    memory, _, words = calculator.calculate("GPT-3 175B", "lora", 4, False, *rest)
    assert "37.7 MB" in words
    assert "351 GB" in words
    assert len(memory.data[0].y) == 2
    _, _, own = calculator.calculate(calculator.HERE, "lora", 4, False, *rest)
    assert f"{parts.shape_of(llama).total / 1e9:.3g} billion" in own


def test_controls_of_the_lessons_answer(llama: str) -> None:
    name = "model.layers.1.self_attn.v_proj"
    assert "24 times fewer" in counting.counts(384, 384, 8)[-1]
    assert "no saving above" in counting.counts(8, 8, 8)[-1]
    assert "r=2" in counting.code(llama, 2, 16, ["q_proj"], "generate")
    assert map.draw(llama, "lora")[0].data
    few, many = (sweep.parameters(llama, [rank], ["attention"]).data[0].z[0][0] for rank in (1, 4))
    assert many == 4 * few
    assert "one rank" in sweep.parameters(llama, [], [])
    coarse, fine = (bits.look(llama, name, "normal", n, 6, 0, 20)[1] for n in (2, 8))
    assert coarse != fine
    assert bits.look(llama, "", "normal", 4, 6, 0, 20)[0] == "Choose a matrix."
    assert "784 GB" in sums.sums("LLaMA 65B", 64, "nf4", True, 512, "adamw8bit")[1]
    assert "4.127" in levels.doubled(6, 8, 65)
    assert "| NF4 | 9.2% |" in levels.compare(llama, name, 6)[-1]
    assert "go out" in levels.page(42, 512, "adamw")[1]
    assert "fits" in levels.page(80, 512, "adamw")[1]
    assert "too much" in levels.page(36, 2048, "adamw")[1]


def test_measurements_of_the_lessons_on_the_tiny_base(llama: str) -> None:
    never = threading.Event()
    name = "model.layers.1.self_attn.v_proj"
    counted = map.counted(list(map.apply(llama, "lora", never)))
    assert counted
    _, words = bits.timed(list(bits.times(llama, name, 2, never)))
    assert words.count("×") == 4
    assert "4.5" in levels.told(list(levels.library(llama, name, never)))
    items = list(adapting.vanish(llama, ["fp32", "bf16"], "sentiment", 2, -4, never))
    losses, shares, _ = adapting.vanished(items)
    assert [trace.name for trace in losses.data] == [trace.name for trace in shares.data] == ["fp32", "bf16"]
    _, words = adapting.weighed(list(adapting.weigh(llama, ["fp32", "nf4"], never)))
    assert "nf4" in words


@pytest.mark.parametrize(
    ("count", "said"), [(999, "999 B"), (37.7e6, "37.7 MB"), (350e9, "350 GB"), (1.4e12, "1.4 TB")]
)
def test_sizes_are_said_in_decimal_units(count: float, said: str) -> None:
    assert parts.size(count) == said


def test_a_wide_table_is_turned() -> None:
    assert parts.table(["", "a", "b", "c", "d"], [["x", 1, 2, 3, 4]]).splitlines()[2] == "| a | 1 |"
    assert parts.table(["", "a"], [["x", 1], ["y", 2]]).splitlines()[3] == "| y | 2 |"


def test_lessons_have_their_sections() -> None:
    from lab.ui.lesson import Lesson

    for lesson, last in (("why", 4), ("lora", 6), ("qlora", 5)):
        numbers = [item.number for item in Lesson(lesson).sections]
        assert numbers == [f"{numbers[0][0]}.{place}" for place in range(1, last + 1)]
