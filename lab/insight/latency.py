"""How long one forward pass takes: the base, LoRA beside it, LoRA merged into it, bottleneck adapters after it.

The question is that of Hu et al. 2021, section 3 and table 1: adapters are computed after the layer that they
follow, so a small batch that does not fill the device waits for them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from lab.errors import LabError

#: The four models, in the order in which they take turns.
BASE, UNMERGED, MERGED, BOTTLENECK = "base", "LoRA, unmerged", "LoRA, merged", "bottleneck"
VARIANTS = (BASE, UNMERGED, MERGED, BOTTLENECK)

#: The LoRA paper's table 1 (GPT-2 medium on a Quadro RTX8000): batch, length, slowdown of its two adapters.
PAPER: tuple[tuple[int, int, float, float], ...] = (
    (32, 512, 0.022, 0.030),
    (16, 256, 0.050, 0.084),
    (1, 128, 0.207, 0.303),
)


@dataclass
class Timing:
    """Seconds of each pass so far, by variant, for one batch size and length."""

    batch: int
    length: int
    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in VARIANTS})

    def median(self, variant: str) -> float:
        return median(self.seconds[variant])

    def slowdown(self, variant: str) -> float:
        """By how much longer than the base: the median of the rounds' own ratios, less one.

        The variants of one round run directly after each other, so a machine that is busy for a while slows all.
        """
        return (
            median(variant_seconds / base for variant_seconds, base in zip(self.seconds[variant], self.seconds[BASE]))
            - 1
        )


def variants(model: str, rank: int = 8, factor: float = 16.0, placement: str = "houlsby") -> dict[str, Any]:
    """The four models, each with 32-bit weights of its own on this device. Raises LabError for a misfit."""
    from lab import methods
    from lab.insight.weights import whole
    from lab.methods.combine import merge
    from lab.models import loading
    from lab.models.precision import device
    from lab.plan import GENERATE, Plan, Precision

    shape = loading.shape(model, GENERATE)
    plan = Plan(model=model)
    models: dict[str, Any] = {BASE: whole(plan, GENERATE, 2)}
    for name, key, values in (
        (UNMERGED, "lora", {"rank": rank}),
        (MERGED, "lora", {"rank": rank}),
        (BOTTLENECK, "bottleneck", {"reduction_factor": factor, "placement": placement}),
    ):
        method = methods.method(key)
        settings = method.Settings(**values)
        reason = method.compatible(settings, shape, Precision())
        if reason:
            raise LabError(reason.message, reason.hint)
        tuned = method.apply(whole(plan, GENERATE, 2), settings, shape)
        models[name] = merge(method, tuned) if name == MERGED else tuned
    return {name: item.to(device()).eval() for name, item in models.items()}


def measure(
    models: dict[str, Any], vocabulary: int, batches: Sequence[int], lengths: Sequence[int], rounds: int = 7
) -> Iterator[list[Timing]]:
    """All timings so far, again after each round. Closing the iterator stops the measuring.

    A round passes the same random tokens through each model once, in an order that turns; one round before is not
    counted. Each pass predicts the last token only, so that the output layer does not hide the blocks.
    """
    import torch

    where = next(models[BASE].parameters()).device
    timings = [Timing(batch, length) for batch in batches for length in lengths]
    for timing in timings:
        generator = torch.Generator().manual_seed(0)
        ids = torch.randint(vocabulary, (timing.batch, timing.length), generator=generator).to(where)
        for number in range(-1, rounds):
            turn = number % len(VARIANTS)
            for name in VARIANTS[turn:] + VARIANTS[:turn]:
                taken = _pass(models[name], ids)
                if number >= 0:
                    timing.seconds[name].append(taken)
            if number >= 0:
                yield [item for item in timings if item.seconds[BASE]]


def _pass(model: Any, ids: Any) -> float:
    import torch

    with torch.inference_mode():
        _settle(ids)
        began = time.perf_counter()
        model(input_ids=ids, logits_to_keep=1, use_cache=False)
        _settle(ids)
        return time.perf_counter() - began


def _settle(tensor: Any) -> None:
    """Wait for the device: its work is only queued when a call returns."""
    import torch

    if tensor.device.type == "cuda":
        torch.cuda.synchronize()
    elif tensor.device.type == "mps":
        torch.mps.synchronize()
