"""Spectra and subspaces against brute force."""

from __future__ import annotations

import pytest
import torch

from lab.insight import spectrum as sp


def matrix(rows: int = 12, columns: int = 20, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def test_energy_is_what_the_best_approximation_keeps():
    w = matrix()
    u, s, v = torch.linalg.svd(w, full_matrices=False)
    found = sp.spectrum(w)
    for rank in (1, 3, 12):
        best = u[:, :rank] @ torch.diag(s[:rank]) @ v[:rank]
        assert found.held(rank) == pytest.approx(float(best.square().sum() / w.square().sum()), rel=1e-5)
    assert found.held(500) == pytest.approx(1)


def test_a_product_of_rank_three_is_seen_as_one():
    low = matrix(12, 3) @ matrix(3, 20, seed=1)
    assert sp.spectrum(low).rank_for(0.99999) == 3
    assert sp.spectrum(matrix()).rank_for(0.99999) == 12
    assert sp.spectrum(torch.zeros(3, 4)).rank_for(0.9) == 0


def test_the_random_matrix_has_the_same_norm():
    w = 3 * matrix()
    assert float(sp.random_like(w).norm()) == pytest.approx(float(w.norm()), rel=1e-6)
    assert torch.equal(sp.random_like(w), sp.random_like(w))


def test_phi_is_the_papers_formula():
    a, b = matrix(4, 20), matrix(8, 20, seed=1)
    u = torch.linalg.svd(a.double(), full_matrices=False).Vh.T
    v = torch.linalg.svd(b.double(), full_matrices=False).Vh.T
    for i in range(1, 5):
        for j in range(1, 9):
            wanted = float(torch.linalg.matrix_norm(u[:, :i].T @ v[:, :j]) ** 2 / min(i, j))
            assert sp.phis(a, b)[i - 1][j - 1] == pytest.approx(wanted, abs=1e-9)


def test_phi_knows_equal_and_orthogonal_subspaces():
    a = matrix(4, 20)
    assert all(sp.phis(a, 2 * a)[i][i] == pytest.approx(1) for i in range(4))
    assert sp.phis(torch.eye(6)[:3], torch.eye(6)[3:])[2][2] == 0


def test_random_subspaces_overlap_as_expected():
    drawn = [sp.phis(matrix(8, 64, 2 * seed), matrix(8, 64, 2 * seed + 1))[7][7] for seed in range(40)]
    assert sum(drawn) / 40 == pytest.approx(sp.expected_phi(8, 8, 64), rel=0.1)
