"""Settings read from peft's own classes: bounded, and known to be harmless or kept from strangers."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from lab.errors import LabError
from lab.knobs import Knob, build, knobs
from lab.methods import METHODS, others
from lab.methods.trial import Budget, TooLarge, trial
from lab.models.shape import ModelShape
from lab.plan import CLASSIFY, GENERATE, Precision
from tests import tiny
from tests.methods.test_other import FIT, NOT_HERE

EVERY = {**METHODS, **others()}

KNOBS = [(key, item) for key, method in EVERY.items() for item in knobs(method.Settings)]

#: Texts that strangers may write, and why they are harmless. A setting that is new, here or in peft, is none of them:
#: it is refused in a shared lab until somebody has read what becomes of it.
HARMLESS = {
    "target_modules": "matched against names by lab.models.patterns",
    "rank_pattern": "LoRA's: pairs, matched by lab.models.patterns",
    "alpha_pattern": "LoRA's: pairs, matched by lab.models.patterns",
    "layers": "numbers and ranges",
    "text": "prompt tuning's: goes through the tokenizer, and nowhere else",
}


def test_strangers_write_only_what_is_known_to_be_harmless() -> None:
    public = {(key, item.name) for key, item in KNOBS if item.public}
    assert {name for _, name in public} == set(HARMLESS)
    assert {name for key, name in public if key.startswith("peft:")} == {"target_modules"}
    assert [key for key, name in public if name == "text"] == ["prompt"]


def test_the_labs_own_methods_keep_nothing_from_strangers() -> None:
    assert all(item.closed or item.public for key, item in KNOBS if key in METHODS)


@pytest.mark.parametrize(("key", "item"), [pair for pair in KNOBS if pair[1].kind in ("int", "float")])
def test_every_number_has_bounds(key: str, item: Knob) -> None:
    assert item.low is not None
    assert item.high is not None
    assert math.isfinite(item.low)
    assert item.low <= item.default <= item.high
    assert item.high <= (2**31 - 1 if "seed" in item.name or "prng" in item.name else 1_000_000)
    for wrong in (item.high + 1, item.low - 1, math.inf, math.nan):
        with pytest.raises(LabError):
            item.coerce(wrong)


@pytest.mark.parametrize(
    ("key", "given", "words"),
    [
        ("peft:loha", {"r": 20_000}, "cannot be 20000"),
        ("peft:osf", {"effective_rank": "1e9"}, "Effective rank cannot be '1000000000.0'"),
        ("peft:osf", {"effective_rank": "true"}, "cannot be 'True'"),
        ("peft:osf", {"effective_rank": "Infinity"}, "cannot be 'inf'"),
        ("peft:loha", {"rank_pattern": '{"q_proj": 1e9}'}, "Rank pattern cannot be"),
        ("peft:loha", {"rank_pattern": '{"q_proj": "4"}'}, "Rank pattern cannot be"),
        ("peft:loha", {"rank_pattern": "[" * 40_000}, "no table of numbers"),
        ("peft:cpt", {"num_virtual_tokens": "10000000"}, "Num virtual tokens cannot be"),
    ],
)
def test_a_number_out_of_bounds_is_a_sentence(key: str, given: dict[str, Any], words: str) -> None:
    method, shape = others()[key], tiny.shape("llama", GENERATE)
    try:
        reason = str(method.compatible(build(method.Settings, given), shape, Precision()))
    except LabError as error:
        reason = str(error)
    assert words in reason


@pytest.mark.parametrize(
    ("key", "name", "choices"),
    [
        ("peft:adamss", "init_weights", ("orthogonal",)),
        ("peft:deft", "decomposition_method", ("relu", "qr")),
        ("peft:road", "variant", ("road_1", "road_2", "road_4")),
        ("peft:loha", "exclude_modules", ()),
    ],
)
def test_words_of_which_one_is_chosen_are_a_list(key: str, name: str, choices: tuple[str, ...]) -> None:
    assert {item.name: item.choices for item in knobs(others()[key].Settings)}[name] == choices


def test_texts_are_bounded() -> None:
    for given in ({"rank_pattern": "q_proj=1," * 10_000}, {"target_modules": ["q_proj"] * 3000}):
        with pytest.raises(LabError, match="too long"):
            build(METHODS["lora"].Settings, given)


# -- the trial -------------------------------------------------------------------------------------


def test_tensors_hold_no_more_than_the_budget() -> None:
    with Budget(1000, 100) as budget:
        weights = torch.zeros(100)
        view = weights.view(10, 10)
        assert budget.held == 400
        del weights
        assert budget.held == 400
        del view
        assert budget.held == 0
        torch.zeros(10**9, device="meta")
        with pytest.raises(TooLarge):
            torch.zeros(10**15)  # no machine has room for it: it is refused before it is made
        column = torch.zeros(100, 1)
        with pytest.raises(TooLarge):
            column @ column.T
        assert budget.held == 400


def test_what_autograd_keeps_counts_until_it_is_let_go() -> None:
    with Budget(10**6, 100) as budget:
        weights = torch.zeros(100, requires_grad=True)
        result = weights.exp().exp().sum()
        assert budget.held >= 1200
        result.backward()
        assert budget.held <= 1000


def test_a_trial_ends_after_so_many_operations() -> None:
    with Budget(10**9, 10):
        for _ in range(10):
            torch.zeros(1)
        with pytest.raises(TooLarge, match="too long"):
            torch.zeros(1)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("key", sorted(set(others()) - NOT_HERE - {"peft:cpt", "peft:trainable_tokens"}))
@pytest.mark.parametrize(("family", "task"), [("llama", GENERATE), ("bert", CLASSIFY)])
def test_the_count_without_weights_is_the_one_with_them(
    key: str, family: str, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the types that can be counted without; the others are named, so that they do not become more."""
    from lab.methods import trial as module

    method, shape = others()[key], tiny.shape(family, task)
    chosen = build(method.Settings, FIT.get(key, {}))
    tried = trial.__wrapped__(method, chosen, shape)
    monkeypatch.setattr(module, "TRIED", 1)
    counted = trial.__wrapped__(method, chosen, shape)
    assert tried.passed
    assert not counted.passed
    if key in ("peft:adamss", "peft:frod", "peft:shira", "peft:unilora"):
        assert counted.problem
    else:
        assert (counted.terms, counted.problem) == (tried.terms, "")


def wide() -> ModelShape:
    """The embedded base."""
    from lab.models import loading

    return loading.shape("storybook", GENERATE)


def test_what_is_too_large_to_try_is_counted() -> None:
    method, shape = others()["peft:loha"], wide()
    chosen = build(method.Settings, {"r": 1024, "target_modules": "all-linear"})
    result = trial(method, chosen, shape)
    assert not result.passed
    assert sum(term.count for term in result.terms) == sum(
        2 * 1024 * (item.inputs + item.outputs) for item in shape.projections
    )
    assert method.compatible(chosen, shape, Precision()) is None


@pytest.mark.filterwarnings("ignore")
def test_a_trial_that_takes_too_much_is_broken_off_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """HRA keeps a copy of W for each of its r reflections while it runs, and trains few numbers."""
    from lab.methods import trial as module

    method, shape = others()["peft:hra"], tiny.shape("llama", GENERATE)
    small, large = (build(method.Settings, {"r": rank}) for rank in (2, 1024))
    monkeypatch.setattr(module, "MEMORY", 2**21)
    assert trial.__wrapped__(method, small, shape).passed
    result = trial.__wrapped__(method, large, shape)
    assert (result.passed, result.problem) == (False, "")
    assert sum(term.count for term in result.terms) == 512 * sum(term.count for term in method.terms(small, shape))
