"""What a browser sends is of the declared shape, or refused in a sentence."""

from __future__ import annotations

import math
from typing import Annotated, Any, NotRequired

import pytest
from pydantic import Field

from lab.errors import LabError
from lab.server.schema import MAX_DEPTH, MAX_VALUES, Request, bounded, check_json, one_of, request_type, validate


class Members(Request):
    members: Annotated[list[str], Field(max_length=24)]
    amount: NotRequired[Annotated[float, Field(gt=0, le=5)]]
    goal: NotRequired[Annotated[str, one_of(["best", "fastest"])]]
    spec: NotRequired[Annotated[dict[str, Any], bounded(values=4, characters=10)]]


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_what_fits_is_passed_on() -> None:
    request = {"members": ["a"], "amount": "2.5", "goal": "best", "spec": {"a": [1]}}
    assert validate(Members, request) == {**request, "amount": 2.5}


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (None, "The request must be a table of names and values."),
        ({}, "'members' is missing."),
        ({"members": "a"}, "'members' must be a list."),
        ({"members": [1]}, "'members' must be a text."),
        ({"members": ["a"] * 25}, "'members' must be a list of at most 24."),
        ({"members": [], "amount": "many"}, "'amount' must be a number."),
        ({"members": [], "amount": 0}, "'amount' must be more than 0.0."),
        ({"members": [], "amount": 6}, "'amount' must be 5.0 or less."),
        ({"members": [], "goal": "worst"}, "'goal' must be one of best, fastest."),
        ({"members": [], "more": 1}, "'more' is not known here."),
        ({"members": [], "spec": {"a": [1, 2, 3, 4]}}, "The request holds more than 4 values."),
        ({"members": [], "spec": {"a": "x" * 11}}, "The request holds more than 10 characters."),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(request_: Any, said: str) -> None:
    with pytest.raises(LabError) as caught:
        validate(Members, request_)
    assert caught.value.message == said
    assert caught.value.hint


@pytest.mark.parametrize(
    "value",
    [
        math.nan, math.inf, 2**63, -(10**400), "a\0b", "\ud800", {"\0": 1}, {1: 2}, {"a": {1, 2}}, b"x",
        [0] * MAX_VALUES, nested(MAX_DEPTH), nested(100_000),
    ],
)  # fmt: skip
def test_what_no_file_and_no_answer_can_hold_is_refused(value: Any) -> None:
    with pytest.raises(LabError):
        check_json({"a": value})


def test_ordinary_json_is_not() -> None:
    value = {"a": [1, -2.5, True, None, "é\n"], "b": nested(MAX_DEPTH - 3), "c": 2**63 - 1}
    assert check_json(value) is value


def test_a_service_without_a_declared_request_is_not_served() -> None:
    with pytest.raises(TypeError, match="annotate"):
        request_type(lambda request: None)
