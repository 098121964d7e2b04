from dataclasses import dataclass

import pytest

from lab.errors import LabError
from lab.knobs import build, changed, knob, knobs, values


@dataclass(frozen=True)
class Settings:
    rank: int = knob(8, "Rank", "The width.", low=1, high=64)
    alpha: float = knob(16.0, "Alpha", "The scale.", low=0.0)
    bias: str = knob("none", "Bias", "Which.", choices=("none", "all"))
    fast: bool = knob(False, "Fast", "Whether.")
    modules: tuple[str, ...] = knob((), "Modules", "Where.", source="modules")


def test_a_knob_tells_its_kind_and_bounds():
    kinds = {item.name: item.kind for item in knobs(Settings)}
    assert kinds == {"rank": "int", "alpha": "float", "bias": "text", "fast": "bool", "modules": "names"}
    assert knobs(Settings)[0].high == 64


def test_values_come_from_strings_as_from_widgets():
    made = build(Settings, {"rank": "4", "alpha": 2, "fast": "yes", "modules": "q_proj, v_proj"})
    assert made == Settings(4, 2.0, "none", True, ("q_proj", "v_proj"))
    assert build(Settings, values(made)) == made
    assert changed(made) == {"rank": 4, "alpha": 2.0, "fast": True, "modules": ["q_proj", "v_proj"]}


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"rank": 0}, "Rank cannot be 0", "from 1 to 64"),
        ({"rank": 2.5}, "whole number", "from 1 to 64"),
        ({"rank": "many"}, "must be a number", "1 to 64"),
        ({"alpha": float("nan")}, "finite", "0 or more"),
        ({"bias": "al"}, "cannot be 'al'", "Did you mean 'all'?"),
        ({"fast": "perhaps"}, "yes or no", "true or false"),
        ({"rnak": 4}, "no setting 'rnak'", "Did you mean 'rank'?"),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence_and_a_hint(given, message, hint):
    with pytest.raises(LabError) as caught:
        build(Settings, given)
    assert message in caught.value.message
    assert hint in caught.value.hint
