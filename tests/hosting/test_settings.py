"""What a stranger may set: through every door of the page, and no door can forget to ask."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lab import access, methods
from lab.errors import LabError
from lab.hosting.limits import Limits
from lab.knobs import build, knobs, values
from lab.methods import METHODS, others
from lab.plan import GENERATE, Plan
from lab.ui import service
from lab.ui.comparing import Comparing
from lab.ui.lab import Lab
from tests import tiny
from tests.alarm import within
from tests.hosting.visitor_plan import short
from tests.loops import closed_after
from tests.methods.test_targeting import written
from tests.models.test_patterns import CATASTROPHIC

ANN = "a" * 32


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    with closed_after(monkeypatch):
        lab = Lab(tmp_path / "runs", Limits())
        with access.acting(ANN):
            yield lab
        lab.close()


def plan(method: str, **settings: Any) -> dict[str, Any]:
    """The short plan with another method, as a stranger can send it."""
    return {**short().to_dict(), "method": method, "settings": settings}


def spec(form: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"methods": [{"method": form["method"], "settings": form["settings"]}]}}


def link(form: dict[str, Any]) -> str:
    return Plan.from_dict(form).to_link()


def reasons(rows: dict[str, Any]) -> None:
    """A comparison shows a member that cannot run with its reason; here it is raised as the other doors do."""
    for row in rows["arms"]:
        if row["reason"]:
            raise LabError(row["reason"], "")


DOORS: dict[str, Callable[[Lab, dict[str, Any]], Any]] = {
    "see": lambda lab, form: service.see(lab, form),
    "launch": lambda lab, form: service.launch(lab, form),
    "code": lambda lab, form: service.code(lab, form),
    "restore": lambda lab, form: service.restore(lab, link(form)),
    "given": lambda lab, form: service.given(
        lab, {"plan": plan("lora"), "loose": {"method": form["method"], **form["settings"]}}
    ),
    "change_method": lambda lab, form: service.change_method(lab, {"plan": form, "method": form["method"]}),
    "foresee": lambda lab, form: reasons(Comparing(lab).foresee(spec(form))),
    "foresee plans": lambda lab, form: reasons(Comparing(lab).foresee({"spec": {"plans": [form]}})),
    "compare": lambda lab, form: Comparing(lab).launch(spec(form)),
    "submit": lambda lab, form: lab.jobs.submit(Plan.from_dict(form)),
}

#: What was tried: a file of the machine, a folder of it, the owner's token, a place to write to.
TRIED = (
    {"prompt_tuning_init_state_dict_path": "/etc/shadow"},
    {"prompt_tuning_init": "TEXT", "tokenizer_name_or_path": "/etc"},
    {"tokenizer_kwargs": '{"token": true}'},
    {"tokenizer_kwargs": '{"cache_dir": "/tmp/of-a-stranger"}'},
)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("given", TRIED, ids=str)
def test_a_path_of_the_machine_is_refused_at_every_door(lab: Lab, door: str, given: dict[str, Any]) -> None:
    with pytest.raises(LabError, match="shared lab does not take a value of your own"):
        DOORS[door](lab, plan("peft:multitask_prompt_tuning", num_ranks=1, **given))
    assert service.runs(lab, {})["rows"] == []


FREE = [
    (key, item.name)
    for key, method in {**METHODS, **others()}.items()
    for item in knobs(method.Settings)
    if not item.closed and not item.public
]


@pytest.mark.parametrize(("key", "name"), FREE)
def test_free_texts_of_peft_are_refused_by_plan_and_by_configuration(lab: Lab, key: str, name: str) -> None:
    """The second is for whoever makes settings without a plan: nothing reaches peft but through `config`."""
    method: Any = others()[key]
    for text in ("1", "/etc/shadow", '{"a": 1}', "[1]"):
        typed = build(method.Settings, {name: text})
        if values(typed) == values(method.Settings()):
            continue
        with pytest.raises(LabError, match="shared lab does not take"):
            methods.settings(Plan(method=key, settings={name: text}))
        with pytest.raises(LabError, match="shared lab does not take"):
            method.config(typed, tiny.shape("llama", GENERATE))


def test_what_is_closed_passes(lab: Lab) -> None:
    assert service.see(lab, plan("peft:loha", r=4, init_weights=True, target_modules=["q_proj"]))["reason"] is None
    assert "road_2" in service.code(lab, plan("peft:road", variant="road_2"))


def test_every_default_passes(lab: Lab) -> None:
    for method in (*METHODS.values(), *others().values()):
        access.check_settings(method.Settings())


def test_a_lab_of_ones_own_takes_paths() -> None:
    given = {"prompt_tuning_init_state_dict_path": "/somewhere/of/mine"}
    assert methods.settings(Plan(method="peft:multitask_prompt_tuning", settings=given))


def test_a_number_out_of_bounds_is_refused_before_anything_is_made(lab: Lab) -> None:
    for door in ("see", "launch", "code", "foresee"):
        with pytest.raises(LabError, match="cannot be 20000"):
            DOORS[door](lab, plan("peft:loha", r=20_000))


def test_what_cannot_be_tried_is_not_trained_for_strangers(lab: Lab) -> None:
    """It holds gigabytes in a step, which does not follow from what it trains."""
    form = plan("peft:hra", r=1024, target_modules=["all-linear"])
    assert "too large for a shared lab to try" in service.see(lab, form)["reason"]["message"]
    with pytest.raises(LabError, match="too large for a shared lab to try"):
        service.launch(lab, form)


EXPRESSIONS = [
    (key, item.name)
    for key, method in {**METHODS, "peft:loha": others()["peft:loha"]}.items()
    for item in knobs(method.Settings)
    if item.public and item.name in ("target_modules", "rank_pattern", "alpha_pattern", "layers")
]


@pytest.mark.parametrize(("key", "name"), EXPRESSIONS)
def test_no_expression_of_a_stranger_keeps_the_lab_busy(lab: Lab, key: str, name: str) -> None:
    """The embedded base has modules enough for years of backtracking."""
    for text in CATASTROPHIC:
        form = plan(key, **{name: written(key, name, text)})
        with within(60):
            assert service.see(lab, form)["reason"]["hint"]
        for door in ("launch", "foresee"):
            with within(60), pytest.raises(LabError):
                DOORS[door](lab, form)
        with within(60), suppress(LabError):  # a script of what adapts nothing may be read
            service.code(lab, form)
    assert json.loads(json.dumps(service.runs(lab, {})))["rows"] == []
