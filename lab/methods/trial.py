"""What a method trains, found by putting it on a model, within a bound of memory. Importing this loads torch."""

from __future__ import annotations

import json
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from lab.compat.torch import dispatch_mode
from lab.errors import LabError
from lab.methods.adapters import PeftMethod
from lab.methods.base import Term
from lab.models.randomness import alone
from lab.models.shape import ModelShape, build
from lab.plan import CLASSIFY

#: Up to this many numbers, those of the adapter included, a method is tried out with weights.
TRIED = 40_000_000

#: Bytes that a trial may hold at once (the process may take three times as many, where they lie apart), and
#: operations of torch that it may consist of: some seconds.
MEMORY, OPERATIONS = 2**29, 50_000


class TooLarge(Exception):
    """A trial would take more than it may."""


DispatchMode: Any = dispatch_mode()


class Budget(DispatchMode):
    """Within the context, this thread's tensors hold at most `memory` bytes, and `operations` can be done with them.

    A tensor that is made from sizes alone is refused before it is there; one that follows from other tensors is
    noticed after. Tensors on the meta device hold nothing. Raises TooLarge.
    """

    def __init__(self, memory: int, operations: int) -> None:
        super().__init__()
        self.memory, self.operations, self.held = memory, operations, 0
        self._storages: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        self.operations -= 1
        if self.operations < 0:
            raise TooLarge("trying it takes too long")
        follows = any(isinstance(item, torch.Tensor) for item in args)
        if "device" in kwargs and _real(kwargs["device"]) and not follows:
            self._check(sum(item.nbytes for item in _tensors(func(*args, **_on_meta(kwargs)))))
        result = func(*args, **kwargs)
        for tensor in _tensors(result):
            if _real(tensor.device) and tensor.layout is torch.strided:
                self._hold(tensor.untyped_storage())
        return result

    def _check(self, more: int) -> None:
        if self.held + more > self.memory:
            raise TooLarge(f"trying it takes more than {self.memory // 2**20:,} MB")

    def _hold(self, storage: torch.UntypedStorage) -> None:
        if id(storage) not in self._storages:
            self._check(storage.nbytes())
            self._storages.add(id(storage))
            self.held += storage.nbytes()
            weakref.finalize(storage, self._release, id(storage), storage.nbytes())

    def _release(self, key: int, size: int) -> None:
        self._storages.discard(key)
        self.held -= size


def _real(device: Any) -> bool:
    return torch.device(device or "cpu").type != "meta"


def _on_meta(kwargs: dict[str, Any]) -> dict[str, Any]:
    instead = {"device": "meta", "generator": None, "pin_memory": False}
    return {name: instead.get(name, value) for name, value in kwargs.items()}


def _tensors(result: Any) -> list[torch.Tensor]:
    items = result if isinstance(result, list | tuple) else [result]
    return [item for item in items if isinstance(item, torch.Tensor)]


@dataclass(frozen=True)
class Trial:
    """What a method trains on a model, and why it does not work ("" where it does).

    `passed` says whether it ran with weights, within the bounds; else it was only counted.
    """

    terms: tuple[Term, ...] = ()
    problem: str = ""
    passed: bool = False


@lru_cache(maxsize=256)
def trial(method: PeftMethod, settings: Any, shape: ModelShape) -> Trial:
    """Put the method on a model of this shape.

    On one without numbers first, where it is counted. Where base and adapter are small, it is put on one with random
    weights too, and runs once; so is a method that reads the base's weights. Raises LabError for settings that the
    lab itself refuses.
    """
    with alone(0):  # trials would hold their memory together; and their random numbers are not a training's
        terms, problem, size = _outline(method, settings, shape)
        if size > TRIED or (problem and shape.total > TRIED):
            return _result(method, terms, problem, passed=False)
        try:
            return _result(method, _run(method, settings, shape), "", passed=True)
        except LabError:
            raise
        except TooLarge as error:
            return _result(method, terms, problem and _sentence(method, error), passed=False)
        except Exception as error:
            return Trial(problem=_sentence(method, error))


def _result(method: PeftMethod, terms: tuple[Term, ...], problem: str, passed: bool) -> Trial:
    return Trial(terms, problem if problem or terms else f"{method.title} trains nothing here.", passed)


def _outline(method: PeftMethod, settings: Any, shape: ModelShape) -> tuple[tuple[Term, ...], str, int]:
    """(what is trained, why the method cannot be put on a model without numbers, the numbers of both)."""
    try:
        with _bounded(), torch.device("meta"):
            model = method.apply(build(shape, "meta"), settings, shape)
    except LabError:
        raise
    except Exception as error:
        return (), _sentence(method, error), TRIED + 1 if isinstance(error, TooLarge) else 0
    return _trained(model), "", sum(item.numel() for item in (*model.parameters(), *model.buffers()))


def _run(method: PeftMethod, settings: Any, shape: ModelShape) -> tuple[Term, ...]:
    """One forward and one backward pass with random weights: what is trained.

    Raises whatever they raise, and ValueError where no gradient arrives.
    """
    with _bounded():
        model = method.apply(build(shape, "cpu"), settings, shape)
        terms = _trained(model)
        ids = torch.full((2, 6), shape.vocabulary - 1)
        ids[:, -1] = json.loads(shape.config).get("eos_token_id") or 0
        labels = torch.zeros(2, dtype=torch.long) if shape.task == CLASSIFY else ids
        model.train()
        loss = model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels).loss
        if not torch.isfinite(loss):
            raise ValueError("its loss is no number here")
        loss.backward()
        if not any(item.grad is not None for item in model.parameters() if item.requires_grad):
            raise ValueError("no gradient arrives at it")
    return terms


@contextmanager
def _bounded() -> Iterator[None]:
    with warnings.catch_warnings(), Budget(MEMORY, OPERATIONS):
        warnings.simplefilter("ignore")
        yield


def _trained(model: Any) -> tuple[Term, ...]:
    names = ((plain(name), item) for name, item in model.named_parameters() if item.requires_grad)
    return tuple(
        Term(name.rpartition(".")[2], name.rpartition(".")[0], tuple(item.shape), "as built") for name, item in names
    )


def plain(name: str) -> str:
    """A parameter's name without what peft puts around it."""
    for part in (".modules_to_save", ".default", ".base_layer"):
        name = name.replace(part, "")
    return name.removeprefix("base_model.model.").removeprefix("base_model.")


def _sentence(method: PeftMethod, error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"peft cannot put {method.title} on this model: {lines[0] if lines else type(error).__name__}"
