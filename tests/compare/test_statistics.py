import math
import random

import pytest
from scipy import stats

from lab.compare.statistics import (
    ENOUGH,
    holm,
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


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 29, 199, 5000])
def test_students_distribution_is_that_of_scipy(freedom):
    for t in (0.0, 1e-6, 0.3, 1.0, 2.5, 8.0, 40.0, 1e4):
        assert tail(t, freedom) == pytest.approx(2 * stats.t.sf(t, freedom), rel=1e-6)
    for level in (0.51, 0.9, 0.975, 0.9999):
        assert quantile(level, freedom) == pytest.approx(stats.t.ppf(level, freedom), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_a_paired_test_is_that_of_scipy(seed):
    draw = random.Random(seed)
    first, second = ({place: draw.gauss(shift, 1) for place in range(3 + 4 * seed)} for shift in (0.0, 0.5))
    result = paired(first, second)
    wanted = stats.ttest_rel(list(first.values()), list(second.values()))
    low, high = wanted.confidence_interval(0.95)
    assert result.p == pytest.approx(wanted.pvalue, rel=1e-9)
    assert (result.difference, result.interval) == (pytest.approx((low + high) / 2), pytest.approx((high - low) / 2))


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
