"""An interpolated Kneser-Ney model of token ids, in numpy: the classical yardstick for a language model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]


class KneserNey:
    """Interpolated Kneser-Ney of one order with one absolute discount per order (Chen and Goodman 1999, section 2.7).

    A k-gram is numbered by its oldest token and the number of the (k-1)-gram that is its suffix, so the table of an
    order is one sorted array. `vocabulary` is the number of token ids.
    """

    def __init__(self, ids: Ids, vocabulary: int, order: int = 5) -> None:
        self.vocabulary, self.order = vocabulary, order
        n = len(ids)
        self.keys: list[Ids] = []
        self.counts: list[NDArray[np.float64]] = []
        prefixes: list[Ids] = []
        suffixes: list[Ids] = []
        before = np.zeros(n, dtype=np.int64)  # the number of the (k-1)-gram that ends at each place
        for k in range(1, order + 1):
            places = np.arange(k - 1, n)
            keys, first, number, count = np.unique(
                ids[places - k + 1] * (n + 1) + before[places],
                return_index=True,
                return_inverse=True,
                return_counts=True,
            )
            found = np.full(n, -1, dtype=np.int64)
            found[places] = number
            self.keys.append(keys)
            self.counts.append(count.astype(np.float64))
            prefixes.append(before[places[first] - 1] if k > 1 else np.zeros(len(keys), dtype=np.int64))
            suffixes.append(before[places[first]])
            before = found
        self.scale = n + 1
        for k in range(order - 1):  # below the highest order: in how many different words does it occur?
            self.counts[k] = np.bincount(suffixes[k + 1], minlength=len(self.keys[k])).astype(np.float64)
        self.totals, self.kinds, self.discounts = [], [], []
        for k in range(order):
            size = len(self.keys[k - 1]) if k else 1
            self.totals.append(np.bincount(prefixes[k], weights=self.counts[k], minlength=size))
            self.kinds.append(np.bincount(prefixes[k][self.counts[k] > 0], minlength=size))
            once, twice = (self.counts[k] == 1).sum(), (self.counts[k] == 2).sum()
            self.discounts.append(once / (once + 2 * twice) if once else 0.5)

    def probabilities(self, ids: Ids) -> NDArray[np.float64]:
        """The probability of every token after those before it, shape (n,)."""
        n = len(ids)
        result = np.full(n, 1 / self.vocabulary)
        before = np.zeros(n, dtype=np.int64)
        for k in range(self.order):
            places = np.arange(k, n)
            known = before[places] >= 0
            keys = ids[places - k] * self.scale + before[places]
            at = np.minimum(np.searchsorted(self.keys[k], keys), len(self.keys[k]) - 1)
            seen = known & (self.keys[k][at] == keys)
            context = before[places - 1] if k else np.zeros(n, dtype=np.int64)
            usable = context >= 0
            context = np.where(usable, context, 0)
            total = np.where(usable, self.totals[k][context], 0.0)
            usable &= total > 0
            count = np.where(seen, self.counts[k][at], 0.0)
            own = np.maximum(count - self.discounts[k], 0)
            left = self.discounts[k] * self.kinds[k][context]
            mixed = (own + left * result[places]) / np.where(usable, total, 1.0)
            result[places] = np.where(usable, mixed, result[places])
            found = np.full(n, -1, dtype=np.int64)
            found[places] = np.where(seen, at, -1)
            before = found
        return result
