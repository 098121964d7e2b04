from __future__ import annotations

import pytest
import torch

from lab.insight import blocks
from lab.methods.bottleneck.method import Bottleneck
from lab.methods.bottleneck.method import BottleneckSettings as Settings
from lab.plan import GENERATE
from tests import tiny

FAMILIES = ("llama", "gpt2", "bert", "qwen3")


def task(family: str) -> str:
    return "classify" if family == "bert" else GENERATE


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("placement", ["pfeiffer", "houlsby"])
def test_the_adapters_drawn_are_those_that_are_trained(family, placement):
    shape, settings = tiny.shape(family, task(family)), Settings(placement=placement, reduction_factor=4)
    parts = [part for layer in range(shape.layers) for part in blocks.block(shape, settings, layer)]
    drawn = [part for part in parts if part.kind == blocks.ADAPTER]
    assert len(drawn) == shape.layers * (2 if placement == "houlsby" else 1)
    head = sum(item.count for item in shape.head_parameters())
    assert sum(part.count for part in drawn) == Bottleneck().trainable(settings, shape) - head
    assert {(part.inputs, part.width, part.outputs) for part in drawn} == {(32, 8, 32)}


def test_where_each_placement_puts_its_adapters():
    shape = tiny.shape("llama", GENERATE)

    def order(placement: str) -> list[str]:
        return [part.kind for part in blocks.block(shape, Settings(placement=placement), 0)]

    assert order("houlsby") == ["norm", "attention", "adapter", "add", "norm", "feed-forward", "adapter", "add"]
    assert order("pfeiffer") == ["norm", "attention", "add", "norm", "feed-forward", "adapter", "add"]
    assert order("parallel") == ["norm", "attention", "add", "norm", "feed-forward", "parallel", "add"]


def test_an_encoder_normalises_after_the_addition():
    kinds = [part.kind for part in blocks.block(tiny.shape("bert", "classify"), Settings(), 0)]
    assert kinds == ["attention", "add", "norm", "feed-forward", "adapter", "add", "norm"]


def test_a_layer_without_an_adapter_is_drawn_without_one():
    shape = tiny.shape("llama", GENERATE)
    assert not [part for part in blocks.block(shape, Settings(layers="1"), 0) if part.kind == blocks.ADAPTER]
    assert [part for part in blocks.block(shape, Settings(layers="1"), 1) if part.kind == blocks.ADAPTER]


def test_the_shapes_are_those_of_the_model():
    attention = next(
        part for part in blocks.block(tiny.shape("llama", GENERATE), Settings(), 0) if part.kind == blocks.ATTENTION
    )
    assert set(attention.shapes) == {("query", 32, 32), ("key", 16, 32), ("value", 16, 32), ("output", 32, 32)}
    assert attention.count == 2 * 32 * 32 + 2 * 16 * 32


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("relu", torch.relu),
        ("gelu", torch.nn.functional.gelu),
        ("silu", torch.nn.functional.silu),
        ("tanh", torch.tanh),
    ],
)
def test_the_curves_are_torchs(name, function):
    xs, ys = blocks.curve(name, points=21)
    assert torch.allclose(torch.tensor(ys), function(torch.tensor(xs)), atol=1e-6)
