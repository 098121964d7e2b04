import math
import random

import pytest

from lab.compare.statistics import (
    ENOUGH,
    holm,
    incomplete_beta,
    paired,
    quantile,
    sampling_error,
    summary,
    tail,
)


def test_a_summary_is_that_of_the_finite_values():
    found = summary([1.0, 2.0, math.nan, 3.0])
    assert (found.count, found.mean, found.deviation, found.low, found.high) == (3, 2.0, 1.0, 1.0, 3.0)
    assert summary([math.nan]) is None
    assert summary([4.0]).interval is None


@pytest.mark.parametrize(
    ("freedom", "expected"), [(1, 12.7062), (2, 4.3027), (4, 2.7764), (9, 2.2622), (30, 2.0423), (120, 1.9799)]
)
def test_quantiles_are_those_of_the_printed_tables(freedom, expected):
    assert quantile(0.975, freedom) == pytest.approx(expected, abs=1e-4)
    assert tail(expected, freedom) == pytest.approx(0.05, abs=1e-5)


@pytest.mark.parametrize(("a", "b", "x"), [(0.5, 0.5, 0.3), (2.0, 3.0, 0.7), (15.0, 0.5, 0.99)])
def test_the_incomplete_beta_function_is_its_integral(a, b, x):
    # Substituting t = s^(1/a) takes the singularity at 0 away.
    steps = 200_000
    top = x**a
    total = sum((1 - ((i + 0.5) * top / steps) ** (1 / a)) ** (b - 1) for i in range(steps)) * top / steps / a
    whole = math.gamma(a) * math.gamma(b) / math.gamma(a + b)
    assert incomplete_beta(a, b, x) == pytest.approx(total / whole, rel=1e-4)


def test_a_paired_test_is_worked_out_by_hand():
    # Differences 1, 2, 3: mean 2, deviation 1, t = 2·√3, and for two degrees p = 1 − t/√(t² + 2).
    found = paired({0: 2.0, 1: 4.0, 2: 6.0}, {0: 1.0, 1: 2.0, 2: 3.0, 9: 5.0})
    t = 2 * math.sqrt(3)
    assert (found.pairs, found.difference) == (3, 2.0)
    assert found.p == pytest.approx(1 - t / math.sqrt(t * t + 2))
    assert found.interval == pytest.approx(4.3027 / math.sqrt(3), abs=1e-4)


def test_few_pairs_give_a_difference_but_no_chance():
    found = paired({0: 1.0, 1: 2.0}, {0: 0.0, 1: 0.0})
    assert found.pairs < ENOUGH
    assert (found.difference, found.p, found.interval) == (1.5, None, None)
    assert paired({0: 1.0}, {1: 1.0}) is None


def test_equal_differences_need_no_division():
    assert paired({0: 1, 1: 2, 2: 3}, {0: 1, 1: 2, 2: 3}).p == 1.0
    assert paired({0: 2, 1: 3, 2: 4}, {0: 1, 1: 2, 2: 3}).p == 0.0


def test_under_no_difference_one_in_twenty_is_below_five_percent():
    dice = random.Random(4)
    low = 0
    for _ in range(2000):
        first = {seed: dice.gauss(0, 1) for seed in range(5)}
        second = {seed: dice.gauss(0, 1) for seed in range(5)}
        low += paired(first, second).p < 0.05
    assert 0.035 < low / 2000 < 0.065


def test_holm_multiplies_the_smallest_by_their_number_and_never_falls():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.5]) == [1.0, 1.0]


def test_the_sampling_error_is_not_zero_for_a_perfect_score():
    assert sampling_error(0.5, 96) == pytest.approx(0.05)
    assert 0 < sampling_error(1.0, 100) < 0.03
    assert math.isnan(sampling_error(0.5, 0))
