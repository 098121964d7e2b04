"""torch and transformers still say in words alone what the lab reads from their words."""

from __future__ import annotations

import mmap

import pytest
import torch
from torch import nn

from lab.compat.torch import dispatch_mode, out_of_memory, size_mismatch
from lab.compat.transformers import attention_implementation
from lab.errors import LabError
from lab.plan import GENERATE
from tests import tiny


def test_memory_that_really_runs_out_is_known():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert not isinstance(caught.value, torch.OutOfMemoryError), "the CPU has a class of its own now"
    assert out_of_memory(caught.value)
    with pytest.raises(OSError, match="allocate") as caught:
        mmap.mmap(-1, 2**46)
    assert out_of_memory(caught.value)
    assert out_of_memory(MemoryError())
    assert out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))


@pytest.mark.parametrize("error", [LabError("The device ran out of memory."), ValueError("out of memory")])
def test_words_alone_are_not_enough(error):
    assert not out_of_memory(error)


def test_a_misfit_names_the_tensor_and_both_shapes():
    with pytest.raises(RuntimeError) as caught:
        nn.Linear(3, 4).load_state_dict(nn.Linear(5, 4).state_dict())
    assert size_mismatch(caught.value) == ("weight", "4, 5", "4, 3")
    assert size_mismatch(RuntimeError("something else")) is None


def test_the_attention_of_a_model_can_be_read_and_put_back():
    model = tiny.model("llama", GENERATE)
    assert attention_implementation(model) == "sdpa"
    model.set_attn_implementation("eager")
    assert attention_implementation(model) == "eager"
    assert not hasattr(model, "get_attn_implementation"), "there is a public way to read it now"
    assert not hasattr(model.config, "attn_implementation"), "there is a public way to read it now"


def test_a_context_sees_every_operation_of_its_thread():
    class Names(dispatch_mode()):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            names.append(str(func))
            return func(*args, **(kwargs or {}))

    names = []
    with Names():
        (torch.ones(2, requires_grad=True) * 2).sum().backward()
    assert names[:3] == ["aten.ones.default", "aten.mul.Tensor", "aten.sum.default"]
    assert not hasattr(torch.utils, "TorchDispatchMode"), "it is public now"
