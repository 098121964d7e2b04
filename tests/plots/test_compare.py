import math

import pytest

from lab.compare.results import PUBLISHED, Curve, Outcome, arms
from lab.events import DONE, FAILED, Memory
from lab.history import smoothed
from lab.plots.choices import heat, parallel, varied
from lab.plots.compare import POINTS, front, ledger, overlay, pareto, said, scores
from lab.plots.style import colour


def outcome(
    arm: str, seed: int, score: float, trainable: int, method: str = "lora", steps: int = 4, **more
) -> Outcome:
    curve = Curve(
        tuple(range(1, steps + 1)),
        tuple(10 * n for n in range(1, steps + 1)),
        tuple(0.5 * n for n in range(1, steps + 1)),
        tuple(3.0 / n for n in range(1, steps + 1)),
        ((2, 2.0, 0.4), (4, 1.0, score or 0.0)),
    )
    memory = Memory(weights=100, adapter=trainable, at_once=100 + trainable)
    given = {
        "status": DONE, "run": f"run-{arm}-{seed}", "label": f"{arm}, seed {seed}", "memory": memory.total,
        "ledger": memory, "score_base": 0.3, "total": 1000, "seconds": 2.0, "loss": 1.0 - score if score else None,
    }  # fmt: skip
    return Outcome(f"{arm}{seed}", arm, method, seed, score=score, trainable=trainable, curve=curve, **given | more)


SOME = [
    outcome("Full", 0, 0.9, 1000, "full"),
    outcome("LoRA", 0, 0.85, 20),
    outcome("LoRA", 1, 0.75, 20),
    outcome("Worse", 0, 0.5, 500, "bitfit"),
]


def test_an_overlay_has_one_line_a_member_and_one_name_an_arm():
    made = overlay(SOME, "loss", "tokens", smooth=0.5)
    assert [trace.name for trace in made.data] == ["Full", "LoRA", "LoRA", "Worse"]
    assert [bool(trace.showlegend) for trace in made.data] == [True, True, False, True]
    assert list(made.data[0].x) == [10, 20, 30, 40]
    assert list(made.data[0].y) == pytest.approx(smoothed([3.0, 1.5, 1.0, 0.75], 0.5))
    assert made.data[1].line.color == colour("lora")
    assert made.data[1].meta == "run-LoRA-0"


def test_evaluations_stand_where_their_step_was():
    made = overlay(SOME[:1], "score", "seconds", log_x=True)
    assert list(made.data[0].x) == [1.0, 2.0]
    assert list(made.data[0].y) == [0.4, 0.9]
    assert made.layout.xaxis.type == "log"


def test_long_runs_are_thinned_and_many_points_drawn_by_the_card():
    many = [outcome(f"a{n}", 0, 0.5, 10, steps=3000) for n in range(30)]
    made = overlay(many)
    assert all(len(trace.x) <= POINTS for trace in made.data)
    assert {trace.type for trace in made.data} == {"scattergl"}


def test_the_front_holds_what_nothing_beats():
    names = [arm.name for arm in front(arms(SOME), "trainable", "score")]
    assert names == ["LoRA", "Full"]
    # Both less: the cheapest arm is on it whatever its score.
    assert front(arms(SOME), "trainable", "memory")[0].name == "LoRA"


def test_pareto_points_carry_means_spreads_and_their_best_run():
    made = pareto(SOME, "trainable", "score")
    points = {trace.name: trace for trace in made.data}
    assert points["LoRA"].y[0] == pytest.approx(0.8)
    assert points["LoRA"].error_y.array[0] == pytest.approx(math.sqrt(0.005))
    assert points["LoRA"].customdata[0][0] == "run-LoRA-0"
    assert list(points["front"].x) == [20, 1000]
    assert made.layout.xaxis.type == "log"
    assert pareto(SOME, "latency", "score") is None


def test_an_axis_of_less_than_a_decade_has_numbers_and_none_twice():
    close = [outcome("A", 0, 0.851, 200), outcome("B", 0, 0.853, 300)]
    made = pareto(close, "trainable", "score")
    assert made.layout.xaxis.dtick == "D2"
    assert made.layout.yaxis.tickformat == "~%"  # 85.1%, 85.2%: whole percents would be written twice
    assert pareto([*SOME, outcome("Tiny", 0, 0.1, 1)], "trainable", "score").layout.xaxis.dtick == 1


def test_published_points_are_open_and_have_their_own_front():
    beside = [
        outcome("peft A", 0, 0.6, 5, status=PUBLISHED),
        outcome("peft B", 0, 0.99, 900, "nothing known", status=PUBLISHED),
    ]
    made = pareto([*SOME, *beside], "trainable", "score")
    fronts = {trace.name: list(trace.y) for trace in made.data if trace.mode == "lines"}
    assert fronts == {"front": [pytest.approx(0.8), 0.9], "published front": [0.6, 0.99]}
    points = {trace.name: trace for trace in made.data}
    assert points["peft A"].marker.symbol.endswith("-open")
    assert "(published)" in points["peft B"].hovertemplate


def test_failed_members_are_left_out_of_the_pictures():
    failed = outcome("Broken", 0, None, 10, status=FAILED)
    assert "Broken" not in [trace.name for trace in pareto([*SOME, failed]).data]
    assert scores([failed]) is None
    assert ledger([failed]) is None


def test_scores_are_sorted_and_the_base_has_its_line():
    made = scores(SOME)
    order = list(dict.fromkeys(trace.y[0] for trace in made.data))
    assert order == ["Worse", "LoRA", "Full"]
    assert made.layout.shapes[0].x0 == 0.3


def test_the_ledger_is_stacked_largest_first():
    made = ledger(SOME)
    assert made.layout.barmode == "stack"
    assert list(made.data[0].y) == ["Full", "Worse", "LoRA"]
    assert list(made.data[1].x) == [1000, 500, 20]


def test_a_heat_map_means_over_seeds():
    grid = [
        outcome(
            f"r{rank} a{alpha}",
            seed,
            0.1 * rank + 0.01 * alpha + 0.02 * seed,
            10,
            choices={"rank": rank, "alpha": alpha},
        )
        for rank in (2, 10, 1)
        for alpha in (1, 2)
        for seed in (0, 1)
    ]
    grid = [item for item in grid if item.choices != {"rank": 10, "alpha": 2}]
    assert varied(grid) == ["rank", "alpha"]
    made = heat(grid, "rank", "alpha").data[0]
    assert list(made.x) == ["1", "2", "10"]
    assert made.z[0][1] == pytest.approx(0.2 + 0.01 + 0.01)
    assert made.z[1][2] is None
    assert heat(grid, "rank", "nothing") is None


def test_parallel_coordinates_put_the_better_up():
    made = parallel(SOME)
    axes = [text.replace("<br>", " ") for text in made.layout.xaxis.ticktext]
    lines = {trace.name: trace for trace in made.data}
    place = axes.index("Trained parameters")
    assert lines["Full"].y[place] == 0
    assert lines["LoRA"].y[place] == 1
    assert lines["Full"].y[axes.index("Score")] == 1
    # 20 to 1,000 spans much: 500 stands where its logarithm does.
    assert lines["Worse"].y[place] == pytest.approx(math.log(2) / math.log(50))
    assert parallel(SOME[:1]) is None


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("score", 0.0, "0.0%"),
        ("score", 0.8765, "87.6%"),
        ("share", 0.00123, "0.12%"),
        ("trainable", 12345, "12,345"),
        ("memory", 3 * 2**20, "3 MiB"),
        ("seconds", 12.34, "12.3 s"),
        ("latency", 0.0123, "12.3 ms"),
        ("loss", 1.23456, "1.235"),
    ],
)
def test_quantities_are_written_as_people_do(name, value, text):
    assert said(name, value) == text
