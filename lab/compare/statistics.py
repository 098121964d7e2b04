"""Means, spreads and tests over seeds.

Student's distribution is worked out here: scipy would be 40 MB to install, for one function. The tests hold this one
against it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: Pairs of seeds from which a test says something.
ENOUGH = 3


@dataclass(frozen=True)
class Summary:
    """A quantity over seeds: how many, mean, sample standard deviation (0 for one), smallest and largest."""

    count: int
    mean: float
    deviation: float
    low: float
    high: float

    @property
    def interval(self) -> float | None:
        """Half the width of the 95% confidence interval of the mean (Student's t); None below two values."""
        if self.count < 2:
            return None
        return quantile(0.975, self.count - 1) * self.deviation / math.sqrt(self.count)


def summary(values: Sequence[float]) -> Summary | None:
    """The summary of the finite ones among the values; None if there are none."""
    kept = [float(value) for value in values if value is not None and math.isfinite(value)]
    if not kept:
        return None
    deviation = statistics.stdev(kept) if len(kept) > 1 else 0.0
    return Summary(len(kept), statistics.fmean(kept), deviation, min(kept), max(kept))


@dataclass(frozen=True)
class Test:
    """A paired comparison of two arms over the seeds that both have.

    `difference` is the mean of first − second, `interval` half its 95% confidence interval, `p` two-sided. Both are
    None below `ENOUGH` pairs.
    """

    pairs: int
    difference: float
    interval: float | None = None
    p: float | None = None

    __test__ = False  # no test of pytest's


def paired(first: Mapping[int, float], second: Mapping[int, float]) -> Test | None:
    """The paired t-test (Student 1908) of two arms, each a value by seed; None if no seed is in both."""
    seeds = sorted(set(first) & set(second))
    differences = [
        first[seed] - second[seed] for seed in seeds if math.isfinite(first[seed]) and math.isfinite(second[seed])
    ]
    found = summary(differences)
    if found is None:
        return None
    if found.count < ENOUGH:
        return Test(found.count, found.mean)
    error = found.deviation / math.sqrt(found.count)
    if error == 0:  # every seed gives the same difference
        return Test(found.count, found.mean, 0.0, 1.0 if found.mean == 0 else 0.0)
    return Test(found.count, found.mean, found.interval, tail(abs(found.mean / error), found.count - 1))


def holm(chances: Sequence[float]) -> list[float]:
    """p-values corrected for their number (Holm 1979), in the order given."""
    order = sorted(range(len(chances)), key=lambda index: chances[index])
    corrected, largest = [0.0] * len(chances), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(chances) - rank) * chances[index]))
        corrected[index] = largest
    return corrected


def sampling_error(score: float, rows: int) -> float:
    """Standard error of a share counted over `rows` rows (binomial): what one run's score may owe to its rows.

    Agresti and Coull (1998) add two successes and two failures, so that it is not 0 at the ends.
    """
    if rows <= 0:
        return math.nan
    share = (score * rows + 2) / (rows + 4)
    return math.sqrt(share * (1 - share) / (rows + 4))


def tail(t: float, freedom: int) -> float:
    """Two-sided chance that |T| ≥ t for Student's T with `freedom` degrees of freedom."""
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def quantile(level: float, freedom: int) -> float:
    """The t below which Student's T lies with chance `level` (above one half)."""
    low, high = 0.0, 2.0
    while 1 - tail(high, freedom) / 2 < level:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - tail(middle, freedom) / 2 < level else (low, middle)
    return (low + high) / 2


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast below this point
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    # Evaluated backwards from far out: no division by what may be zero on the way.
    value = 1.0
    for m in range(200, 0, -1):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m - 1) * (a + b + m - 1) * x / ((a + 2 * m - 2) * (a + 2 * m - 1))
        value = 1 + odd / (1 + even / value)
    return front / (a * value)
