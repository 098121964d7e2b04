"""The memory ledger: bytes counted exactly, by category, on any device.

A process's resident memory says little on a CPU, and allocator statistics exist only on CUDA. So count instead:
weights and adapter are the storages that the model holds; activations are the storages that autograd saves for the
backward pass (each once, parameters left out); gradients appear as autograd accumulates them; the optimizer's
state is what it holds. Activations fall while gradients rise, so the peak is looked for at every change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from lab.events import Memory


def storages(tensors: Iterable[torch.Tensor]) -> dict[int, int]:
    """The distinct storages of the tensors: address → bytes."""
    found = {}
    for tensor in tensors:
        if tensor.device.type != "meta":
            storage = tensor.untyped_storage()
            found[storage.data_ptr()] = storage.nbytes()
    return found


def held(model: torch.nn.Module) -> Iterator[torch.Tensor]:
    """All tensors that a model holds: parameters, buffers and the constants of quantized weights."""
    for tensor in (*model.parameters(), *model.buffers()):
        yield tensor
        state = getattr(tensor, "quant_state", None)
        for level in (state, getattr(state, "state2", None)):
            yield from (
                value
                for name in ("absmax", "code", "offset")
                if isinstance(value := getattr(level, name, None), torch.Tensor)
            )
        scales = getattr(tensor, "SCB", None)
        if isinstance(scales, torch.Tensor):
            yield scales


class _Saved:
    """A tensor that autograd keeps. When autograd lets go of it, the ledger is told."""

    __slots__ = ("key", "release", "tensor")

    def __init__(self, tensor: torch.Tensor, key: int, release: Callable[[int], None]) -> None:
        self.tensor, self.key, self.release = tensor, key, release

    def __del__(self) -> None:
        self.release(self.key)


class Ledger:
    """Counts the bytes of one training; a `Meter` of its steps.

    `base` are the storages of the model before the method was applied (`storages(held(model))`): what the model
    holds beyond them is the adapter.
    """

    def __init__(self, model: torch.nn.Module, base: dict[int, int], optimizer: Any, where: str) -> None:
        now = storages(held(model))
        self.adapter = sum(size for address, size in now.items() if address not in base)
        self.weights = sum(size for address, size in now.items() if address in base)
        self.optimizer = optimizer
        self.where = where
        self.activations = self.gradients = 0
        self._held = set(now)
        self._saved: dict[int, list[int]] = {}
        self._peak = [0, 0, 0]  # of activations, of gradients, of both at once
        self._process: Any = None
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(self._accumulated)
        self._graded: set[int] = set()
        for module in model.modules():
            if type(module).__name__ == "Linear8bitLt":
                module.register_forward_hook(self._multiplied)

    def _look(self) -> None:
        now = (self.activations, self.gradients, self.activations + self.gradients)
        self._peak = [max(pair) for pair in zip(self._peak, now)]

    def _accumulated(self, parameter: torch.Tensor) -> None:
        if id(parameter) not in self._graded and parameter.grad is not None:
            self._graded.add(id(parameter))
            self.gradients += parameter.grad.untyped_storage().nbytes()
            self._look()

    def _pack(self, tensor: torch.Tensor) -> Any:
        storage = tensor.untyped_storage()
        key = storage.data_ptr()
        if key in self._held:
            return tensor
        entry = self._saved.get(key)
        if entry is None:
            self._saved[key] = [1, storage.nbytes()]
            self.activations += storage.nbytes()
            self._look()
        else:
            entry[0] += 1
        return _Saved(tensor.detach(), key, self._release)  # itself, it would keep its own graph alive

    def _multiplied(self, module: torch.nn.Module, given: Any, made: torch.Tensor) -> None:
        """An 8-bit product was made: bitsandbytes keeps its input on the node itself, out of the hooks' sight."""
        node: Any = made.grad_fn
        while node is not None and not hasattr(node, "grad_shape"):  # below the reshape of its output
            node = node.next_functions[0][0] if node.next_functions else None
        if node is not None:
            kept = (*getattr(node, "tensors", ()), getattr(node, "A", None))
            # What stands on the node goes when the graph does.
            node.counted = [self._pack(item) for item in kept if isinstance(item, torch.Tensor)]

    def _release(self, key: int) -> None:
        entry = self._saved[key]
        entry[0] -= 1
        if not entry[0]:
            self.activations -= entry[1]
            del self._saved[key]

    @staticmethod
    def _unpack(saved: Any) -> torch.Tensor:
        return saved.tensor if isinstance(saved, _Saved) else saved

    @contextmanager
    def forward(self) -> Iterator[None]:
        """Count the activations of the forward pass made within."""
        with torch.autograd.graph.saved_tensors_hooks(self._pack, self._unpack):
            yield

    def backward(self, logits: torch.Tensor | None) -> None:
        """The forward pass ended in these logits, and the backward pass begins.

        Its first act needs two gradients of the logits in 32 bits (of the loss, and of the cast before it) while all
        that was saved is still held: the peak of most steps. Autograd tells nobody of them, so they are added here;
        `docs/gpu.md` has the figures that show it.
        """
        if logits is not None and logits.dim() == 3:
            self._peak[2] = max(self._peak[2], self.activations + self.gradients + 2 * 4 * logits.numel())

    def stepped(self) -> Memory:
        """The gradients were set to None: the peak of the step, by category, and what the device says."""
        memory = self._take_peak()
        self._graded.clear()
        self.gradients = 0
        return memory

    def optimizer_bytes(self) -> int:
        """Bytes of the optimizer's state, all its tensors."""
        state = self.optimizer.state.values()
        return sum(storages(v for item in state for v in item.values() if isinstance(v, torch.Tensor)).values())

    def _take_peak(self) -> Memory:
        activations, gradients, both = self._peak
        self._peak = [0, 0, 0]
        optimizer = self.optimizer_bytes()
        return Memory(
            weights=self.weights,
            adapter=self.adapter,
            gradients=gradients,
            optimizer=optimizer,
            activations=activations,
            at_once=self.weights + self.adapter + optimizer + both,
            device=self._device(),
        )

    def _device(self) -> int:
        if self.where == "cuda":
            peak = torch.cuda.max_memory_allocated()
            torch.cuda.reset_peak_memory_stats()
            return peak
        if self.where == "mps":
            return torch.mps.current_allocated_memory()
        if self._process is None:
            import psutil

            self._process = psutil.Process()
        return self._process.memory_info().rss
