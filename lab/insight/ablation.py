"""What a prefix is worth part by part: the loss when one virtual token, or one layer's keys and values, is taken out.

A part is taken out exactly: no token can attend to it any more (its column of the attention mask is minus infinity),
and the softmax shares its weight among the rest. Nothing is retrained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lab.errors import LabError
from lab.insight.attention import eager, virtual_tokens
from lab.models.shape import ModelShape


@dataclass(frozen=True)
class Ablated:
    """Losses in nats: of the whole prefix, and without one virtual token or one layer at a time (what is done so
    far). `without` is the loss with every virtual token hidden."""

    whole: float
    without: float
    tokens: tuple[float, ...]
    layers: tuple[float, ...]

    def changes(self) -> tuple[list[float], list[float]]:
        """By how much each loss is above that of the whole prefix: by token, by layer."""
        return [item - self.whole for item in self.tokens], [item - self.whole for item in self.layers]


def attention_modules(shape: ModelShape) -> dict[int, str]:
    """The names of the attention modules that read a prefix, by layer.

    Raises LabError for an architecture whose attention the lab cannot find.
    """
    names: dict[int, str] = {}
    for item in shape.projections:
        if item.layer is not None and item.role in ("query", "qkv") and not item.name.startswith("encoder."):
            names.setdefault(item.layer, item.name.rpartition(".")[0])
    if not names:
        raise LabError(
            f"The attention of {shape.architecture} has a name that the lab does not know.", "Choose Llama."
        )
    return names


@contextmanager
def hidden(
    model: Any, shape: ModelShape, tokens: Sequence[int], layers: Sequence[int] | None = None
) -> Iterator[None]:
    """Within the context, nothing attends to these virtual tokens in these layers (None: in all). Needs `eager`.

    In a sequence that holds the virtual tokens themselves (prompt tuning), they go on seeing themselves.
    """
    import torch

    positions = torch.tensor(list(tokens))
    base = model.get_base_model()

    def mask(module: Any, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        mask_tensor = kwargs.get("attention_mask")
        if mask_tensor is None or mask_tensor.dim() != 4:
            raise LabError(
                "This architecture's attention takes no mask.", "Choose a Llama, Qwen, GPT-2 or BERT model."
            )
        queries, keys = mask_tensor.shape[-2:]
        # The columns that hold the prefix: before the text's own when it comes as keys and values.
        mask_tensor = mask_tensor.expand(-1, mask_tensor.shape[1], queries, keys).clone()
        blocked = torch.zeros(queries, keys, dtype=torch.bool, device=mask_tensor.device)
        blocked[:, positions.to(mask_tensor.device)] = True
        rows = torch.arange(queries, device=mask_tensor.device)
        blocked[rows, rows + keys - queries] = False
        mask_tensor[..., blocked] = (
            torch.finfo(mask_tensor.dtype).min if mask_tensor.dtype.is_floating_point else False
        )
        return args, kwargs | {"attention_mask": mask_tensor}

    names = attention_modules(shape)
    hooked = names if layers is None else {number: names[number] for number in layers}
    handles = [base.get_submodule(name).register_forward_pre_hook(mask, with_kwargs=True) for name in hooked.values()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def loss(model: Any, batch: dict[str, Any]) -> float:
    """The loss of a batch, as in training."""
    import torch

    where = next(model.parameters()).device
    with torch.inference_mode():
        return float(model(**{name: item.to(where) for name, item in batch.items()}).loss)


def ablate(model: Any, shape: ModelShape, batch: dict[str, Any]) -> Iterator[Ablated]:
    """The losses so far, again after each part. Closing the iterator stops the work and leaves the model whole.

    Raises LabError for a model without virtual tokens, or an architecture whose attention cannot be masked.
    """
    count = virtual_tokens(model)
    with eager(model):
        baseline = loss(model, batch)
        with hidden(model, shape, range(count)):
            without = loss(model, batch)
        tokens: list[float] = []
        layers: list[float] = []
        for number in sorted(attention_modules(shape)):
            with hidden(model, shape, range(count), [number]):
                layers.append(loss(model, batch))
            yield Ablated(baseline, without, tuple(tokens), tuple(layers))
        for number in range(count):
            with hidden(model, shape, [number]):
                tokens.append(loss(model, batch))
            yield Ablated(baseline, without, tuple(tokens), tuple(layers))
