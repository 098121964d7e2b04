import math

import pytest

from lab.events import Evaluated, Event, Memory, Sample, Started, Step
from lab.history import POINTS, smoothed
from lab.plots.training import CHARTS, Mark, Trail, figures


def started(steps: int = 10, first: int = 0) -> Started:
    return Started(steps, 1000, 10, "generate", "exact_match", "cpu", 100, 20, first_step=first)


def step(number: int, loss: float = 1.0) -> Step:
    memory = Memory(weights=40, adapter=4, gradients=4, optimizer=8, activations=100, device=999)
    return Step(number, loss, 0.1, 0.5, 64, 0.5 * number, memory)


def run(steps: int = 10) -> list[Event]:
    events: list[Event] = [started(steps), Evaluated(0, 3.0, 0.2, base=True), Sample(0, "Who?", "Nobody.", base=True)]
    for number in range(1, steps + 1):
        events.append(step(number, 3.0 / number))
        if number % 5 == 0:
            events.append(Evaluated(number, 2.0 / number, 0.5))
    return events


def test_figures_hold_every_point_of_the_run() -> None:
    made = figures(Trail().extend(run()), "#0072b2", "Accuracy")
    assert list(made) == list(CHARTS)
    raw, smooth, held_out, base = made["loss"].data
    assert list(raw.x) == list(range(1, 11))
    assert list(raw.y) == pytest.approx([3.0 / number for number in range(1, 11)])
    assert list(smooth.y) == pytest.approx(smoothed([3.0 / number for number in range(1, 11)]))
    assert (list(held_out.x), list(held_out.y)) == ([5, 10], [0.4, 0.2])
    assert (list(base.x), list(base.y)) == ([0, 10], [3.0, 3.0])
    assert made["score"].layout.title.text == "Accuracy"
    assert list(made["speed"].data[0].y)[1] == pytest.approx(128)


def test_the_ledger_is_stacked_and_the_device_is_not() -> None:
    memory = figures(Trail().extend(run()), "#0072b2")["memory"].data
    assert [trace.y[0] for trace in memory] == [40, 4, 4, 8, 100, 999]
    assert [bool(trace.stackgroup) for trace in memory] == [True] * 5 + [False]


def test_points_arrive_once_each_however_often_a_page_asks() -> None:
    trail, mark, seen = Trail(), Mark(), []
    for event in run(12):
        trail.extend([event])
        if not trail.fits(mark):
            seen = []
        points, mark = trail.after(mark)
        seen += points["loss"][0][0]
    assert seen == list(range(1, 13))
    points, again = trail.after(mark)
    assert again == mark
    assert all(not xs for chart in points.values() for xs, _ in chart)


def test_a_long_run_is_thinned_and_the_page_starts_anew_when_it_gets_coarser() -> None:
    trail = Trail().extend([started(3 * POINTS), *(step(number) for number in range(1, POINTS + 1))])
    points, mark = trail.after(Mark())
    assert len(points["loss"][0][0]) == POINTS
    trail.extend([step(POINTS + 1), step(POINTS + 2)])
    assert not trail.fits(mark)
    points, _ = trail.after(mark)
    assert points["loss"][0][0] == list(range(2, POINTS + 3, 2))


def test_a_resumed_run_starts_the_page_anew_without_the_lost_steps() -> None:
    trail = Trail().extend(run(8))
    _, mark = trail.after(Mark())
    trail.extend([started(8, first=5), step(6, 9.0)])
    assert not trail.fits(mark)
    points, _ = trail.after(mark)
    assert points["loss"][0][0] == [1, 2, 3, 4, 5, 6]
    losses = [3.0 / number for number in range(1, 6)] + [9.0]
    assert points["loss"][1][1] == pytest.approx(smoothed(losses))


def test_a_loss_that_is_no_number_is_a_gap_and_spoils_nothing_after_it() -> None:
    trail = Trail().extend([started(), step(1, 2.0), step(2, math.nan), step(3, 2.0)])
    points, _ = trail.after(Mark())
    assert points["loss"][0][1] == [2.0, None, 2.0]
    assert points["loss"][1][1] == pytest.approx([2.0, 2.0, 2.0])


def test_the_level_of_the_base_is_drawn_once() -> None:
    trail = Trail().extend(run(5))
    points, mark = trail.after(Mark())
    assert points["score"][1] == ([0, 5], [0.2, 0.2])
    trail.extend([Evaluated(5, 0.1, 0.9)])
    points, _ = trail.after(mark)
    assert points["score"][0] == ([5], [0.9])
    assert points["score"][1] == ([], [])
