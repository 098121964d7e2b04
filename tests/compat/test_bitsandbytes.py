"""bitsandbytes still needs each patch, and still allows it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator

import bitsandbytes as bnb
import pytest
import torch
from bitsandbytes.autograd._functions import MatMul8bitLt
from bitsandbytes.functional import has_avx512bf16
from torch import nn

from lab.compat import bitsandbytes as compat


def layer() -> nn.Module:
    torch.manual_seed(0)
    made = bnb.nn.Linear4bit(64, 32, bias=False, quant_type="nf4", compute_dtype=torch.float32)
    made.weight = bnb.nn.Params4bit(torch.randn(32, 64), requires_grad=False, quant_type="nf4")
    return made.to("cpu")


def gradient_error(model: nn.Module) -> float:
    """How far the gradient of the input is from the weights that the layer says it has, after an evaluation."""
    weights = bnb.functional.dequantize_4bit(model.weight.data, model.weight.quant_state).float()
    with torch.no_grad():
        model.eval()(torch.randn(2, 64))
    x = torch.randn(2, 64, requires_grad=True)
    model.train()(x).sum().backward()
    gradient = torch.zeros(2, 64) if x.grad is None else x.grad
    return float((gradient - weights.sum(0)).norm() / weights.sum(0).norm())


def test_training_after_an_evaluation_has_its_gradients():
    assert layer().support_avx512bf16_for_cpu == has_avx512bf16()
    with warnings.catch_warnings():  # torch warns of a product without gradient
        warnings.simplefilter("ignore")
        lost = gradient_error(layer()) > 0.1
    assert lost == has_avx512bf16(), "the patch is not needed any more"  # another CPU repacks nothing
    model = nn.Sequential(layer())
    compat.keep_gradients(model)
    assert gradient_error(model[0]) < 1e-3


def test_a_layer_without_the_switch_is_left_alone(caplog):
    model = nn.Sequential(layer())
    del model[0].support_avx512bf16_for_cpu
    compat.keep_gradients(model)
    assert "is left out" in caplog.text


@pytest.fixture
def loud() -> Iterator[None]:
    """bitsandbytes logs its warnings, as it does by itself."""
    logger = logging.getLogger("bitsandbytes")
    before = logger.level
    logger.setLevel(logging.WARNING)
    yield
    logger.setLevel(before)


def test_each_int8_product_would_be_logged(loud, caplog):
    def product() -> None:
        weights = bnb.nn.Int8Params(torch.randn(32, 64), requires_grad=False, has_fp16_weights=False).to("cpu")
        state = bnb.MatmulLtState()
        state.CB, state.SCB, state.has_fp16_weights = weights.CB, weights.SCB, False
        MatMul8bitLt.apply(torch.randn(2, 64), weights.data, None, None, state)

    product()
    assert "inputs will be cast" in caplog.text
    caplog.clear()
    compat.quiet()
    product()
    assert not caplog.messages
