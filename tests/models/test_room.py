"""Memory that runs short: what is spare is let go, and what nobody uses any more is not kept."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
import torch

from lab.models import loading, room
from lab.plan import CLASSIFY, GENERATE, Precision
from lab.training.loop import train
from tests.plans import quick


class Cupboard:
    """Keeps something that can be had again."""

    def __init__(self) -> None:
        self.full = True
        room.spare(self)

    def release(self) -> None:
        self.full = False


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Python's own collector waits."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("method", ["lora", "prefix", "full"])
def test_a_model_goes_with_its_training(llama, replies, tmp_path, monkeypatch, uncollected, method):
    real, made = loading.load, []

    def load(*arguments):
        model = real(*arguments)
        made.append(weakref.ref(model))
        return model

    monkeypatch.setattr(loading, "load", load)
    there = [made[0]() is not None for _ in train(quick(llama, replies, method), threading.Event(), tmp_path) if made]
    assert any(there)
    assert made[0]() is None


def test_the_spare_is_let_go_only_where_room_is_short():
    cupboard = Cupboard()
    room.ensure("cpu", needed=1)
    assert cupboard.full
    room.ensure("cpu", needed=2**60)
    assert not cupboard.full


@pytest.mark.parametrize("problem", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError()])
def test_a_model_that_found_no_room_is_loaded_after_the_spare_is_gone(llama, monkeypatch, problem):
    cupboard = Cupboard()
    real = loading._load

    def cramped(*arguments):
        if cupboard.full:
            torch.rand(5)  # a head that was drawn already
            raise problem
        return real(*arguments)

    torch.manual_seed(3)
    roomy = loading.load(llama, CLASSIFY, 2, Precision(), "cpu")
    monkeypatch.setattr(loading, "_load", cramped)
    torch.manual_seed(3)
    again = loading.load(llama, CLASSIFY, 2, Precision(), "cpu")
    assert not cupboard.full
    assert torch.equal(again.score.weight, roomy.score.weight)


def test_a_fault_of_another_kind_is_not_tried_again(monkeypatch):
    cupboard, tried = Cupboard(), []

    def broken(*_):
        tried.append(1)
        raise ValueError("broken")

    monkeypatch.setattr(loading, "_load", broken)
    with pytest.raises(ValueError, match="broken"):
        loading.load("storybook", GENERATE, 2, Precision(), "cpu")
    assert (len(tried), cupboard.full) == (1, True)
