"""The ledger against counts by hand."""

from __future__ import annotations

import torch
from torch import nn

from lab.training.memory.ledger import Ledger, held, storages


def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 4))


def test_activations_are_what_the_backward_pass_needs():
    net = model()
    ledger = Ledger(net, storages(held(net)), torch.optim.AdamW(net.parameters()), "cpu")
    with ledger.forward():
        loss = net(torch.ones(5, 8)).sum()
    # The input of each linear map, 5×8 and 5×16 (tanh keeps its output, which is the second map's input).
    assert ledger.activations == (5 * 8 + 5 * 16) * 4
    loss.backward()
    assert ledger.activations == 0
    memory = ledger.stepped()
    assert memory.activations == (5 * 8 + 5 * 16) * 4
    assert memory.gradients == sum(item.numel() for item in net.parameters()) * 4
    assert memory.weights == memory.gradients


def test_frozen_layers_need_no_activations_and_hold_no_gradients():
    net = model()
    net[0].requires_grad_(False)
    ledger = Ledger(net, storages(held(net)), torch.optim.AdamW(net[2].parameters()), "cpu")
    with ledger.forward():
        loss = net(torch.ones(5, 8)).sum()
    loss.backward()
    memory = ledger.stepped()
    assert memory.activations == 5 * 16 * 4
    assert memory.gradients == (16 * 4 + 4) * 4


def test_added_tensors_are_the_adapter_and_the_optimizer_keeps_two_numbers_each():
    net = model()
    base = storages(held(net))
    net.add_module("added", nn.Linear(4, 2, bias=False))
    for name, item in net.named_parameters():
        item.requires_grad_(name.startswith("added"))
    optimizer = torch.optim.AdamW(net.added.parameters())
    ledger = Ledger(net, base, optimizer, "cpu")
    net(torch.ones(5, 8)).sum().backward()
    optimizer.step()
    memory = ledger.stepped()
    assert memory.adapter == 4 * 2 * 4
    assert memory.weights == sum(item.numel() for item in model().parameters()) * 4
    assert memory.optimizer == 2 * memory.adapter + 4  # two moments, and the step's own number
    assert memory.at_once >= memory.weights + memory.adapter + memory.optimizer + memory.gradients


def test_one_storage_is_counted_once():
    net = nn.Linear(8, 8)
    ledger = Ledger(net, storages(held(net)), torch.optim.SGD(net.parameters()), "cpu")
    start = torch.ones(3, 8, requires_grad=True)
    with ledger.forward():
        loss = (net(start) * net(start)).sum()
    # The input is kept by both maps but once, their outputs once each.
    assert ledger.activations == 3 * (3 * 8 * 4)
    del loss
    assert ledger.activations == 0


def test_the_gradients_of_the_logits_count_at_the_peak():
    net = nn.Linear(8, 50)
    ledger = Ledger(net, storages(held(net)), torch.optim.SGD(net.parameters()), "cpu")
    with ledger.forward():
        logits = net(torch.ones(2, 3, 8))
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), torch.zeros(6, dtype=torch.long))
    saved = ledger.activations
    ledger.backward(logits)
    loss.backward()
    memory = ledger.stepped()
    assert memory.activations == saved
    assert memory.at_once == memory.weights + saved + 2 * 4 * 2 * 3 * 50


def test_what_an_8_bit_product_keeps_is_counted():
    """bitsandbytes keeps the input of an 8-bit map on its node, where autograd's hooks see nothing."""
    from bitsandbytes.nn import Linear8bitLt

    first, second = nn.Linear(64, 32), Linear8bitLt(32, 16, has_fp16_weights=False)
    second.weight.requires_grad_(False)
    net = nn.Sequential(first, second.to("cpu"))
    ledger = Ledger(net, storages(held(net)), torch.optim.AdamW(first.parameters()), "cpu")
    with ledger.forward():
        loss = net(torch.ones(5, 64)).sum()
    assert ledger.activations == (5 * 64 + 5 * 32) * 4
    loss.backward()
    del loss
    assert ledger.activations == 0


def test_what_no_backward_pass_comes_for_goes_with_the_loss():
    """Tanh keeps its own output: kept as it is, output and graph would hold each other, out of Python's sight."""
    net = model()
    ledger = Ledger(net, storages(held(net)), torch.optim.AdamW(net.parameters()), "cpu")
    with ledger.forward():
        loss = net(torch.ones(5, 8)).sum()
    assert ledger.activations
    del loss
    assert ledger.activations == 0
