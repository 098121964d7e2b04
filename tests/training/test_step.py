"""A step is only a step: what it computes, what it refuses, and that nobody who watches changes it."""

from __future__ import annotations

import copy
from contextlib import contextmanager

import pytest
import torch
from torch import nn
from transformers.modeling_outputs import CausalLMOutput

from lab.events import Memory
from lab.training.memory.ledger import Ledger, held, storages
from lab.training.step import NotFinite, OptimizerStep


class Tiny(nn.Module):
    """A model with transformers' signature: 5 tokens, one linear map."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.head = nn.Embedding(5, 4), nn.Linear(4, 5)

    def forward(self, input_ids, attention_mask, labels):
        logits = self.head(self.embed(input_ids))
        return CausalLMOutput(loss=nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten()), logits=logits)


def batch(*rows: list[int], ignored: int = 0) -> dict[str, torch.Tensor]:
    ids = torch.tensor(rows)
    labels = ids.clone()
    labels[:, :ignored] = -100
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}


def step_of(model: nn.Module, **options) -> OptimizerStep:
    return OptimizerStep(model, torch.optim.SGD(model.parameters(), lr=0.1), "cpu", **options)


def test_a_step_spread_over_batches_is_the_step_of_all_rows():
    rows = [[1, 2, 3], [3, 2, 1], [4, 4, 0], [0, 1, 4]]
    whole, parts = Tiny(), Tiny()
    first = step_of(whole)([batch(*rows, ignored=1)])
    second = step_of(parts)([batch(*rows[:3], ignored=1), batch(rows[3], ignored=1)])
    assert second.loss == pytest.approx(first.loss, abs=1e-6)
    assert second.grad_norm == pytest.approx(first.grad_norm, abs=1e-6)
    assert (first.tokens, second.tokens) == (12, 12)
    for one, other in zip(whole.parameters(), parts.parameters()):
        torch.testing.assert_close(one, other)


def test_a_step_clips_adds_the_methods_term_and_clears_the_gradients():
    model = Tiny()
    before = copy.deepcopy(model.head.weight.data)
    gradients = []
    step = step_of(
        model,
        clip=0.01,
        regularizer=lambda: 1000 * model.head.weight.sum(),
        after_update=lambda: gradients.append(model.head.weight.grad.norm()),
    )
    result = step([batch([1, 2, 3]), batch([3, 2, 1])])
    assert result.grad_norm > 1000  # of the loss and the term, before clipping
    assert gradients[0] <= 0.0101
    assert (model.head.weight.data - before).norm() <= 0.1 * 0.0101
    assert all(item.grad is None for item in model.parameters())
    assert result.loss < 10  # the term trains but is no part of the loss


@pytest.mark.parametrize("quantity", ["loss", "gradient"])
def test_an_update_that_is_no_number_is_not_made(quantity):
    model = Tiny()
    before = copy.deepcopy(model.state_dict())
    term = (lambda: None) if quantity == "loss" else (lambda: model.head.weight.sum() * float("inf"))
    if quantity == "loss":
        with torch.no_grad():
            model.embed.weight[1] = float("nan")
        before = copy.deepcopy(model.state_dict())
    with pytest.raises(NotFinite) as error:
        step_of(model, regularizer=term)([batch([1, 2, 3])])
    assert error.value.quantity == quantity
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) or value.isnan().any()


class Diary:
    """A meter that notes when it is called."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    @contextmanager
    def forward(self):
        self.calls.append("forward")
        yield

    def backward(self, logits):
        self.calls.append(f"backward {tuple(logits.shape)}")

    def stepped(self):
        self.calls.append("stepped")
        return Memory(weights=7)


def test_a_meter_is_told_where_the_step_is():
    diary = Diary()
    result = step_of(Tiny(), meter=diary)([batch([1, 2, 3]), batch([3, 2, 1])])
    assert diary.calls == ["forward", "backward (1, 3, 5)"] * 2 + ["stepped"]
    assert result.memory.weights == 7


def test_the_ledger_changes_no_number():
    plain, watched = Tiny(), Tiny()
    step = step_of(watched)
    step.meter = Ledger(watched, storages(held(watched)), step.optimizer, "cpu")
    for _ in range(3):
        first, second = step_of(plain)([batch([1, 2, 3])]), step([batch([1, 2, 3])])
        assert (first.loss, first.grad_norm) == (second.loss, second.grad_norm)
    assert second.memory.activations > 0
    assert first.memory == Memory()
