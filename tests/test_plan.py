import json

import pytest

from lab import methods
from lab.errors import LabError
from lab.plan import Data, Plan, Precision


def plan() -> Plan:
    made = methods.default_plan("lora", model="org/name", data=Data(source="a.csv", input="text"), seed=7)
    return methods.with_values(made, {"rank": 3, "steps": 12, "weights": "nf4", "target_modules": "q_proj,v_proj"})


def test_a_plan_survives_json_and_the_address():
    made = plan()
    assert Plan.from_dict(json.loads(json.dumps(made.to_dict()))) == made
    assert methods.settings(Plan.from_link(made.to_link())) == methods.settings(made)
    assert Plan.from_link(made.to_link()).training == made.training
    assert len(made.to_link()) < 500


def test_loose_settings_find_their_place():
    made = plan()
    assert made.training.steps == 12
    assert made.precision == Precision("nf4")
    assert methods.settings(made).rank == 3
    assert methods.settings(made).target_modules == ("q_proj", "v_proj")


def test_a_method_brings_its_own_training_defaults():
    assert methods.default_plan("lora").training.learning_rate != methods.default_plan("full").training.learning_rate


@pytest.mark.parametrize("word", ["", "abc", "!!!!", "eNpLSwQAAgkBRQ"])
def test_a_link_that_is_none_is_told(word):
    with pytest.raises(LabError, match="link"):
        Plan.from_link(word)


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"modell": "x"}, "no 'modell'"),
        ({"training": {"stepps": 1}}, "no setting 'stepps'"),
        ({"training": 3}, "must be a table"),
        ({"seed": -1}, "seed must be a whole number"),
        ([], "must be a table"),
    ],
)
def test_a_wrong_plan_is_told(plain, message):
    with pytest.raises(LabError) as caught:
        Plan.from_dict(plain)
    assert message in caught.value.message


def test_a_setting_that_is_nowhere_names_the_nearest():
    with pytest.raises(LabError) as caught:
        methods.with_values(plan(), {"rnk": 4})
    assert "rank" in caught.value.hint
