"""Singular values of weights and of their updates: how much of a change a low rank can hold.

After Aghajanyan et al. 2020 (intrinsic dimension) and Hu et al. 2021, section 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Spectrum:
    """Singular values, the largest first."""

    values: tuple[float, ...]

    def energy(self) -> list[float]:
        """Share of the squared Frobenius norm that the r largest values hold, for r = 1, 2, …"""
        total = sum(value * value for value in self.values)
        shares, sofar = [], 0.0
        for value in self.values:
            sofar += value * value
            shares.append(sofar / total if total else 0.0)
        return shares

    def held(self, rank: int) -> float:
        """Share of the energy that the best approximation of this rank holds (Eckart and Young 1936)."""
        return self.energy()[min(rank, len(self.values)) - 1]

    def rank_for(self, share: float) -> int:
        """The smallest rank that holds this share of the energy; 0 for a matrix of zeros."""
        for rank, energy in enumerate(self.energy(), 1):
            if energy >= share - 1e-12:
                return rank
        return 0


def spectrum(matrix: Any) -> Spectrum:
    """The singular values of a matrix (a torch tensor of any type)."""
    import torch

    return Spectrum(tuple(torch.linalg.svdvals(matrix.detach().float().cpu()).tolist()))


def random_like(matrix: Any, seed: int = 0) -> Any:
    """A matrix of independent normal numbers with the shape and the Frobenius norm of `matrix`."""
    import torch

    noise = torch.randn(matrix.shape, generator=torch.Generator().manual_seed(seed))
    return noise * (matrix.detach().float().norm() / noise.norm())


def phis(first: Any, second: Any) -> list[list[float]]:
    """φ(A, A', i, j) = ‖Uᵢᵀ U'ⱼ‖²_F / min(i, j) for all i ≤ rank of the first and j ≤ rank of the second: [i-1][j-1].

    U holds the right singular vectors of A (r×k), the largest first: φ is 1 where the smaller subspace lies in the
    other, 0 where they are at right angles (Hu et al. 2021, section 7.2, equation 4).
    """
    import torch

    u = torch.linalg.svd(first.detach().double(), full_matrices=False).Vh
    v = torch.linalg.svd(second.detach().double(), full_matrices=False).Vh
    overlap = (u @ v.T).square().cumsum(0).cumsum(1)
    rows, columns = torch.arange(1, len(u) + 1), torch.arange(1, len(v) + 1)
    return (overlap / torch.minimum(rows[:, None], columns[None, :])).clamp(0, 1).tolist()


def expected_phi(i: int, j: int, width: int) -> float:
    """What φ is on average for two random subspaces of R^width: max(i, j) / width."""
    return max(i, j) / width
