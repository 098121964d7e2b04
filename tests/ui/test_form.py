from dataclasses import replace

import pytest

from lab import methods
from lab.errors import LabError
from lab.knobs import knobs, values
from lab.plan import Data, Plan, Training
from lab.ui.bench import form
from lab.ui.bench.bench import plans
from lab.ui.tabs import EXERCISE, TABS


@pytest.mark.parametrize("key", methods.METHODS)
def test_a_form_and_its_plan_are_the_same(key: str) -> None:
    plan = methods.default_plan(key, data=Data("intent", rows=7), seed=3)
    shown = form.form(plan)
    assert form.plan(shown) == plan
    assert form.from_link(plan.to_link()) == shown


@pytest.mark.parametrize("key", methods.METHODS)
def test_every_setting_of_a_method_has_a_control(key: str) -> None:
    told = next(item for item in form.spec()["methods"] if item["key"] == key)
    assert {item["name"] for item in told["knobs"]} == set(values(methods.METHODS[key].Settings()))
    assert all(item["label"] and item["help"] for item in told["knobs"])


def test_the_form_lists_what_a_plan_is_made_of() -> None:
    spec = form.spec()
    assert {item["name"] for item in spec["parts"]["training"]} == {item.name for item in knobs(Training)}
    assert [item["name"] for item in spec["data"]] == sorted(item["name"] for item in spec["data"])
    assert {item["family"] for item in spec["methods"]} <= set(spec["families"])


def test_a_change_of_method_brings_its_own_training_settings_and_keeps_yours() -> None:
    mine = form.form(methods.default_plan("lora", model="org/name"))
    mine["training"]["steps"] = 7
    changed = form.change_method(mine, "full")
    assert changed["method"] == "full"
    assert changed["training"]["steps"] == 7
    wanted = methods.METHODS["full"].training["learning_rate"]
    assert changed["training"]["learning_rate"] == wanted != mine["training"]["learning_rate"]
    back = form.change_method(changed, "lora")
    assert back["training"]["learning_rate"] == mine["training"]["learning_rate"]


def test_a_change_of_method_keeps_a_setting_that_both_have() -> None:
    mine = form.form(methods.default_plan("lora", model="org/name"))
    mine["settings"]["rank"] = 5
    other = next(
        item.key for item in methods.METHODS.values() if item.key != "lora" and "rank" in values(item.Settings())
    )
    assert form.change_method(mine, other)["settings"]["rank"] == 5
    fresh = form.form(methods.default_plan("lora", model="org/name"))
    assert form.change_method(fresh, other)["settings"] == values(methods.METHODS[other].Settings())


def test_a_lessons_link_sets_what_it_names_and_nothing_else() -> None:
    mine = form.form(methods.default_plan("lora", model="org/name"))
    set_to = form.given(mine, {"rank": "4", "steps": "12", "data": "intent"})
    assert (set_to["settings"]["rank"], set_to["training"]["steps"], set_to["data"]["source"]) == (4, 12, "intent")
    assert set_to["settings"]["alpha"] == mine["settings"]["alpha"]


@pytest.mark.parametrize(
    ("loose", "says"),
    [({"rank": "0"}, "cannot be 0"), ({"rnak": "4"}, "no setting"), ({"method": "lorra"}, "no method")],
)
def test_a_link_with_a_mistake_says_so(loose: dict[str, str], says: str) -> None:
    with pytest.raises(LabError, match=says):
        form.given(form.form(methods.default_plan("lora", model="org/name")), loose)


def test_a_form_with_a_value_out_of_bounds_is_refused() -> None:
    broken = form.form(methods.default_plan("lora", model="org/name"))
    broken["settings"]["rank"] = 0
    with pytest.raises(LabError, match="Rank r cannot be 0"):
        form.plan(broken)


def test_the_letter_of_a_setting_comes_from_its_label() -> None:
    rank = next(item for item in knobs(methods.METHODS["lora"].Settings) if item.name == "rank")
    assert form.symbol(rank) == "r"
    assert form.symbol(replace(rank, label="Rank")) == form.symbol(replace(rank, label="Norm A")) == ""


def test_every_exercise_opens_with_a_plan_of_its_lesson() -> None:
    starts = {tab.name: dict(tab.start) for tab in TABS if tab.kind == EXERCISE}
    opened = plans(starts)
    assert set(opened) == set(starts)
    for name, shown in opened.items():
        plan = form.plan(shown)
        assert isinstance(plan, Plan)
        if "lesson" in starts[name]:
            assert methods.METHODS[plan.method].lesson == name
    assert opened["qlora"]["precision"]["weights"] == "nf4"
