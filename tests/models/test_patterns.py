"""Expressions that people write: read in linear time, or refused in a sentence."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import LabError
from lab.models import patterns
from tests.alarm import within

#: Names of a large model's modules.
NAMES = [f"model.layers.{layer}.self_attn.{part}_proj" for layer in range(128) for part in "qkvo"]

#: Each keeps Python's `re` busy for years on one of the names.
CATASTROPHIC = (r"((\w|\.)+)+!", r"(.*)*(.*)*(.*)*!", r"(\w*\.*)*!", r"(.|\w|[a-z_.0-9])*!", r"((a|m|.)*)*\d!")


@pytest.mark.parametrize("text", CATASTROPHIC)
def test_what_backtracks_for_ever_is_done_at_once(text: str) -> None:
    with within(20):
        assert not any(patterns.fullmatch(text, name) or patterns.ends(text, name) for name in NAMES)
    with pytest.raises(TimeoutError), within(0.2):
        re.fullmatch(text, NAMES[0])


ATOMS = st.sampled_from([r"\w", ".", "a", "q_proj", r"\.", "[a-z.]", r"\d"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({}){}".format, inner, st.sampled_from(["*", "+", "?", "{0,30}", "{7}"])),
        st.builds("({}|{})".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(EXPRESSIONS)
def test_any_expression_is_matched_or_refused_at_once(text: str) -> None:
    with within(20), suppress(LabError):
        patterns.check([text])
        for name in NAMES:
            patterns.ends(text, name)


@pytest.mark.parametrize(
    "text", [r".*\.(q|v)_proj", r"model\.layers\.[01]\..*", "(?i).*Q_PROJ", r"[^x]+_proj$", "x|y"]
)
def test_it_matches_as_peft_does(text: str) -> None:
    for name in NAMES[:12]:
        assert patterns.fullmatch(text, name) == bool(re.fullmatch(text, name))
        plain = re.sub(r"^\(\?i\)", "", text)
        assert patterns.ends(plain, name) == bool(re.match(rf"(.*\.)?({plain})$", name))


def test_a_name_is_an_end_at_a_dot() -> None:
    assert patterns.ends("q_proj", "layers.0.q_proj")
    assert patterns.ends("0.q_proj", "layers.0.q_proj")
    assert not patterns.ends("proj", "layers.0.q_proj")
    assert not patterns.ends("0.qxproj", "layers.0.q_proj")
    assert list(patterns.tails("a.b.c")) == ["a.b.c", "b.c", "c"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(?=q)q_proj", "not a regular expression that the lab can read"),
        (r"(q)_\1", "not a regular expression that the lab can read"),
        ("(q", "not a regular expression that the lab can read"),
        ("a\ud800+", "it is no text"),
        ("a+" * 300, "may have 500 characters"),
        ("(.{0,100}){9}", "too large"),
        ("(((a{30}){30}){30})", "not a regular expression that the lab can read"),
    ],
)
def test_what_cannot_be_read_or_is_too_large_is_a_sentence(text: str, words: str) -> None:
    with pytest.raises(LabError, match=words) as caught:
        patterns.fullmatch(text, "model")
    assert caught.value.hint


def test_many_expressions_are_bounded_together() -> None:
    with pytest.raises(LabError, match="may name 500, not 501"):
        patterns.check(["q_proj"] * 501)
    patterns.check([*["q_proj"] * 499, r"(\w*\.*){90}"])
    with pytest.raises(LabError, match="too large"):
        patterns.check([rf"(\w*\.*){{9{digit}}}" for digit in range(5)])
