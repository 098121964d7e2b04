from __future__ import annotations

import pytest
import torch

from lab.errors import LabError
from lab.insight.activations import norms
from lab.methods.bottleneck.method import Bottleneck
from lab.methods.bottleneck.method import BottleneckSettings as Settings
from lab.plan import GENERATE
from tests import tiny

IDS = [5, 17, 60, 200, 31]


def adapted(**given):
    shape = tiny.shape("llama", GENERATE)
    model = Bottleneck().apply(tiny.model("llama", GENERATE), Settings(reduction_factor=4, **given), shape)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, item in model.named_parameters():
            if "bottleneck_" in name:
                item.copy_(torch.randn(item.shape, generator=generator) * 0.3)
    return model.eval()


def test_a_fresh_adapter_adds_nothing():
    shape = tiny.shape("llama", GENERATE)
    model = Bottleneck().apply(tiny.model("llama", GENERATE), Settings(placement="houlsby"), shape).eval()
    found = norms(model, IDS)
    assert [(item.layer, item.module.rsplit(".", 1)[-1]) for item in found] == [
        (0, "o_proj"), (0, "down_proj"), (1, "o_proj"), (1, "down_proj"),
    ]  # fmt: skip
    assert all(item.added == 0 and item.before == item.after > 0 for item in found)


@torch.no_grad()
def test_the_norms_are_those_of_the_formula():
    model = adapted(activation="gelu", scaling=0.5)
    layer = model.get_submodule("base_model.model.model.layers.1.mlp.down_proj")
    seen = []
    handle = layer.base_layer.register_forward_hook(lambda _m, _x, out: seen.append(out[0]))
    with torch.no_grad():
        model(input_ids=torch.tensor([IDS]))
    handle.remove()
    y, down, up = seen[0], layer.bottleneck_down["default"], layer.bottleneck_up["default"]
    inner = y @ down.weight.T + down.bias
    added = 0.5 * (torch.nn.functional.gelu(inner) @ up.weight.T + up.bias)
    told = next(item for item in norms(model, IDS) if item.layer == 1)
    assert told.before == pytest.approx(float(y.norm(dim=-1).mean()), rel=1e-5)
    assert told.added == pytest.approx(float(added.norm(dim=-1).mean()), rel=1e-4)
    assert told.after == pytest.approx(float((y + added).norm(dim=-1).mean()), rel=1e-5)
    cosine = ((y * added).sum(-1) / y.norm(dim=-1) / added.norm(dim=-1)).mean()
    assert told.cosine == pytest.approx(float(cosine), abs=1e-4)
    assert told.share == pytest.approx(told.added / told.before)
    assert list(told.inner) == pytest.approx(inner.flatten().tolist(), rel=1e-4, abs=1e-4)


def test_relu_silences_about_half_of_random_units_and_tanh_few():
    relu, tanh = (sum(item.silent for item in norms(adapted(activation=name), IDS)) / 2 for name in ("relu", "tanh"))
    assert 0.2 < relu < 0.8
    assert tanh < 0.2


def test_the_parallel_adapter_is_seen_beside_the_feed_forward():
    found = norms(adapted(placement="parallel"), IDS)
    assert [item.module.rsplit(".", 1)[-1] for item in found] == ["mlp", "mlp"]
    assert all(item.added > 0 for item in found)


def test_a_model_without_adapters_and_an_empty_text_are_told():
    with pytest.raises(LabError, match="no bottleneck"):
        norms(tiny.model("llama", GENERATE), IDS)
    with pytest.raises(LabError, match="no text"):
        norms(adapted(), [])
