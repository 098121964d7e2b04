from __future__ import annotations

import pytest
import torch

from lab.insight import latency
from lab.insight.latency import BASE, BOTTLENECK, MERGED, UNMERGED, VARIANTS, Timing


def test_the_slowdown_is_the_median_of_the_rounds_own_ratios():
    timing = Timing(1, 8)
    timing.seconds = {
        BASE: [1.0, 10.0, 2.0],
        UNMERGED: [1.2, 13.0, 2.2],
        MERGED: [1.0, 10.0, 2.0],
        BOTTLENECK: [2.0] * 3,
    }
    assert timing.slowdown(UNMERGED) == pytest.approx(0.2)  # ratios 1.2, 1.3, 1.1
    assert timing.slowdown(MERGED) == 0
    assert timing.median(BASE) == 2.0


def test_the_variants_are_what_they_are_called(llama):
    models = latency.variants(llama, rank=4, factor=4.0)
    assert tuple(models) == VARIANTS
    counts = {name: sum(item.numel() for item in model.parameters()) for name, model in models.items()}
    assert counts[BASE] == counts[MERGED], "merged LoRA has no parameters of its own"
    assert counts[UNMERGED] > counts[BASE] < counts[BOTTLENECK]
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.inference_mode():
        logits = {name: model(input_ids=ids).logits for name, model in models.items()}
    assert all(torch.allclose(item, logits[BASE], atol=1e-5) for item in logits.values())


def test_every_variant_is_timed_in_every_round(llama):
    models = latency.variants(llama, rank=2)
    steps = list(latency.measure(models, 280, batches=(1, 2), lengths=(4,), rounds=2))
    assert [sum(len(item.seconds[BASE]) for item in timings) for timings in [steps[-1]]] == [4]
    assert len(steps) == 4
    for timing in steps[-1]:
        assert all(len(timing.seconds[name]) == 2 and min(timing.seconds[name]) > 0 for name in VARIANTS)
