"""One optimizer step: forward, backward, clip, update.

It knows no ledger, no thread and no event; who wants to measure it hands in a `Meter`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from lab.data.encoding import learned
from lab.events import Memory

#: A batch as the model takes it: `input_ids`, `attention_mask` (batch, length) and `labels`.
Batch = dict[str, torch.Tensor]


class Meter(Protocol):
    """Watches a step from outside. Each call says where the step is; none may change a result."""

    def forward(self) -> AbstractContextManager[None]:
        """The context in which a forward pass is made."""

    def backward(self, logits: torch.Tensor | None) -> None:
        """The forward pass ended in these logits, and the backward pass begins."""

    def stepped(self) -> Memory:
        """The step is over and its gradients are gone; bytes at its peak, by category."""


class NoMeter:
    """Measures nothing and costs nothing."""

    def forward(self) -> AbstractContextManager[None]:
        return nullcontext()

    def backward(self, logits: torch.Tensor | None) -> None:
        return

    def stepped(self) -> Memory:
        return Memory()


@dataclass(frozen=True)
class StepResult:
    """What a step says of itself: the mean loss over all learned positions, the gradient's norm before clipping,
    tokens that are not padding, and the meter's bytes."""

    loss: float
    grad_norm: float
    tokens: int
    memory: Memory


class NotFinite(Exception):
    """The loss or the gradient is NaN or infinite. The update was not made; `quantity` is "loss" or "gradient"."""

    def __init__(self, quantity: str, value: float) -> None:
        super().__init__(f"The {quantity} became {value:g}")
        self.quantity, self.value = quantity, value


class OptimizerStep:
    """Makes optimizer steps on a model.

    `clip` is the largest norm of the gradient (0: none). `regularizer` gives a term that a method adds to the loss of
    a step, or None. `after_update` is called after the update, while the gradients are still there.
    """

    def __init__(
        self,
        model: Any,
        optimizer: torch.optim.Optimizer,
        device: str,
        clip: float = 0.0,
        regularizer: Callable[[], torch.Tensor | None] = lambda: None,
        after_update: Callable[[], None] = lambda: None,
        meter: Meter | None = None,
    ) -> None:
        self.model, self.optimizer, self.device, self.clip = model, optimizer, device, clip
        self.regularizer, self.after_update = regularizer, after_update
        self.meter = meter or NoMeter()
        self.parameters = [item for group in optimizer.param_groups for item in group["params"]]

    def __call__(self, batches: Sequence[Batch]) -> StepResult:
        """One update from the gradients of all `batches`. Raises NotFinite instead of making a bad one.

        The loss is the mean over all that is learned in the step, however it is spread over the batches.
        """
        counts = [learned(batch) for batch in batches]
        total = sum(counts) or 1
        losses = [self._pass(batch, count / total, len(batches)) for batch, count in zip(batches, counts)]
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.clip or math.inf)
        # Reading a number waits for the device, so all of a step are read at once.
        *parts, grad_norm = torch.stack([item.float().to(self.device) for item in (*losses, norm)]).tolist()
        loss = sum(parts)
        if not math.isfinite(loss):
            raise NotFinite("loss", loss)
        if not math.isfinite(grad_norm):
            raise NotFinite("gradient", grad_norm)
        self.optimizer.step()
        self.after_update()
        self.optimizer.zero_grad(set_to_none=True)
        tokens = sum(int(batch["attention_mask"].sum()) for batch in batches)
        return StepResult(loss, grad_norm, tokens, self.meter.stepped())

    def _pass(self, batch: Batch, share: float, passes: int) -> torch.Tensor:
        """Forward and backward of one batch; its share of the step's loss, still on the device."""
        with self.meter.forward():
            output = self.model(**{name: item.to(self.device) for name, item in batch.items()})
            loss = output.loss * share
            term = self.regularizer()
            objective = loss if term is None else loss + term / passes
        self.meter.backward(output.get("logits"))
        value = loss.detach()
        del output, loss, term  # the logits themselves are not needed any more
        objective.backward()
        return value
