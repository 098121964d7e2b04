"""Two styles mixed: a prefix on the straight line between two that were learned on the same base."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from lab.errors import LabError


def learned(model: Any) -> tuple[str, Any]:
    """The name and the value of the parameter that holds the virtual tokens. Raises LabError if there is none."""
    config = getattr(model, "active_peft_config", None)
    names = [
        (name, item) for name, item in model.named_parameters() if name.endswith(f"{_active(model)}.embedding.weight")
    ]
    if config is None or not config.is_prompt_learning or not names:
        raise LabError("This run has no virtual tokens.", "Choose a run of prefix tuning, prompt tuning or P-tuning.")
    return names[0]


def _active(model: Any) -> str:
    return f"prompt_encoder.{getattr(model, 'active_adapter', 'default')}"


def between(first: Any, second: Any, weight: float) -> Any:
    """(1 - weight)·first + weight·second. Raises LabError for two prompts of different sizes."""
    if first.shape != second.shape:
        raise LabError(
            f"These prefixes have different sizes: {tuple(first.shape)} and {tuple(second.shape)}.",
            "Choose two runs of one method with the same number of virtual tokens.",
        )
    return (1 - weight) * first + weight * second


@contextmanager
def mixed(model: Any, second: Any, weight: float) -> Iterator[None]:
    """Within the context, `model` has the mixture of its own virtual tokens and those of `second`, as it reads them.

    Both must be loaded for inference, where the virtual tokens are kept as vectors.
    """
    from lab.methods.base import swapped

    name, vectors = learned(model)
    _, other = learned(second)
    with swapped(model, {name: between(vectors.detach(), other.detach().to(vectors.device), weight)}):
        yield


def losses(
    model: Any, second: Any, batches: Sequence[dict[str, Any]], weights: Sequence[float]
) -> Iterator[list[list[float]]]:
    """The loss of each batch under each mixture: one list per batch, growing as the weights are tried."""
    from lab.insight.ablation import loss

    losses_by_batch: list[list[float]] = [[] for _ in batches]
    for weight in weights:
        with mixed(model, second, weight):
            for row, batch in zip(losses_by_batch, batches):
                row.append(loss(model, batch))
        yield [list(row) for row in losses_by_batch]
