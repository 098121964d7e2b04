"""Levels and errors against bitsandbytes and against brute force."""

from __future__ import annotations

import bitsandbytes.functional as bnb
import pytest
import torch

from lab.insight import quantization as q
from lab.insight.products import WAYS, layer, timings


def normal(rows: int = 64, columns: int = 128) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(0))


def test_four_bit_levels_are_those_of_bitsandbytes():
    nf4 = sorted(bnb.get_4bit_type("nf4", device="cpu").tolist())
    assert q.normal_levels(4) == pytest.approx(nf4, abs=1e-6)
    fp4 = sorted(set(bnb.get_4bit_type("fp4", device="cpu").tolist()))
    assert q.float_levels(4) == pytest.approx(fp4, abs=1e-6)


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("kind", q.KINDS)
def test_levels_use_their_bits(kind, bits):
    found = q.levels(kind, bits)
    assert found == sorted(set(found))
    assert 0.0 in found
    assert max(found) == 1
    wanted = 2**bits if kind == "normal" else 2**bits - 1
    assert len(found) == wanted
    assert min(found) == -1


def test_eight_bits_are_e4m3():
    """16 exponents of 8 steps: the smallest step is 2^-3 of the smallest power, the largest value 2^14·1.875."""
    found = [value for value in q.float_levels(8) if value > 0]
    assert len(found) == 127
    assert found[0] == pytest.approx(1 / 8 / (2**14 * 1.875))


@pytest.mark.parametrize("block", [16, 64, 100])
def test_rounding_takes_the_nearest_level(block):
    w, grid = normal(8, 33), q.integer_levels(3)
    found = q.quantize(w, grid, block)
    flat = w.flatten()
    for start in range(0, flat.numel(), block):
        part = flat[start : start + block]
        top = part.abs().max()
        candidates = torch.tensor(grid)[None] * top
        best = (part[:, None] - candidates).abs().min(1).values
        error = (found.values.flatten()[start : start + block] - part).abs()
        assert torch.allclose(error, best, atol=1e-6)


@pytest.mark.parametrize(("kind", "ours"), [("nf4", q.normal_levels(4)), ("fp4", q.float_levels(4))])
def test_errors_are_those_of_bitsandbytes(kind, ours):
    w = normal()
    error, size = q.library_error(w, kind, double=False)
    assert q.quantize(w, ours, 64).error(w) == pytest.approx(error, rel=1e-3)
    assert size * 8 / w.numel() == 4.5


def test_the_normal_float_suits_normal_weights():
    w = normal(256, 256)
    errors = {kind: q.quantize(w, q.levels(kind, 4), 64).error(w) for kind in q.KINDS}
    assert errors["normal"] < errors["integer"] < errors["float"]


def test_double_quantization_costs_what_the_paper_says():
    assert q.bits_per_parameter(4, 64) == 4.5
    assert q.bits_per_parameter(4, 64, 256) == pytest.approx(4.127, abs=5e-4)
    w = normal(256, 256)
    _, size = q.library_error(w, "nf4", double=True)
    assert size * 8 / w.numel() == pytest.approx(q.bits_per_parameter(4, 64, 256), abs=0.001)
    constants = q.quantize(w, q.normal_levels(4), 64).constants
    assert float(((q.twice(constants, 256) - constants) / constants).abs().max()) < 0.01


def test_outliers_hurt_large_blocks_more():
    w = q.with_outliers(normal(256, 256), 0.002, 20)
    assert int((w.abs() > 15).sum()) == round(0.002 * w.numel())
    small, large = (q.quantize(w, q.normal_levels(4), block) for block in (32, 4096))
    ordinary = w.abs() < 15
    given = w[ordinary]
    assert (small.values[ordinary] - given).norm() < 0.5 * (large.values[ordinary] - given).norm()


def test_the_timed_layers_compute_the_product():
    w, x = normal(64, 128), torch.ones(4, 128)
    exact = x @ w.T
    for way in WAYS:
        made = layer(w, way, "cpu")
        with torch.inference_mode():
            out = made(x.bfloat16() if way == "bf16" else x).float()
        assert float((out - exact).norm() / exact.norm()) < (0.2 if way == "nf4" else 0.03), way
    sizes = {item.way: item.bytes for item in timings(w, 4, repeats=1)}
    assert sizes["fp32"] == 2 * sizes["bf16"] == 4 * w.numel()
    assert sizes["nf4"] < sizes["int8"] < sizes["bf16"]
