"""How much of their attention the tokens of a text pay to the virtual tokens, by layer and head."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lab.compat.transformers import attention_implementation
from lab.errors import LabError


@dataclass(frozen=True)
class Attention:
    """`weights` is (layers, heads, tokens, virtual tokens): the softmax's own values, each at most 1.

    What is missing to 1 goes to the text itself. `tokens` are the text's, as they are written.
    """

    tokens: tuple[str, ...]
    weights: Any

    def by_head(self) -> list[list[float]]:
        """(layers, heads): the share that goes to the prefix, the mean over the tokens."""
        return self.weights.sum(-1).mean(-1).tolist()

    def by_token(self, layer: int | None = None, head: int | None = None) -> list[float]:
        """(tokens): the share that goes to the prefix in one layer and head; None means over all of them."""
        return self._chosen(layer, head).sum(-1).tolist()

    def to_each(self, layer: int | None = None, head: int | None = None) -> list[list[float]]:
        """(tokens, virtual tokens) of one layer and head; None means over all of them."""
        return self._chosen(layer, head).tolist()

    def even(self) -> list[float]:
        """(tokens): the share if a token looked at everything before it alike: n / (n + place)."""
        count = self.weights.shape[-1]
        return [count / (count + position + 1) for position in range(self.weights.shape[-2])]

    def _chosen(self, layer: int | None, head: int | None) -> Any:
        weights = self.weights if layer is None else self.weights[layer : layer + 1]
        return (weights if head is None else weights[:, head : head + 1]).mean((0, 1))


@contextmanager
def eager(model: Any) -> Iterator[None]:
    """Within the context, the base computes its attention step by step, so that it can be seen and masked."""
    base = model.get_base_model()
    before = attention_implementation(base)
    base.set_attn_implementation("eager")
    try:
        yield
    finally:
        if before:
            base.set_attn_implementation(before)


def virtual_tokens(model: Any) -> int:
    """How many virtual tokens the model has. Raises LabError if it has none."""
    config = getattr(model, "active_peft_config", None)
    if config is None or not config.is_prompt_learning:
        raise LabError("This run has no virtual tokens.", "Choose a run of prefix tuning, prompt tuning or P-tuning.")
    return int(config.num_virtual_tokens)


def attention(model: Any, tokenizer: Any, ids: list[int]) -> Attention:
    """The attention that a text pays to the virtual tokens of a decoder or an encoder.

    For prompt tuning and P-tuning the virtual tokens stand in the sequence itself; their own rows are left out.
    Raises LabError for an empty text, a model without virtual tokens, or one that shows no attention.
    """
    import torch

    if not ids:
        raise LabError("There is no text to look at.", "Write a sentence.")
    count = virtual_tokens(model)
    where = next(model.parameters()).device
    input_ids = torch.tensor([ids], device=where)
    with eager(model), torch.inference_mode():
        output = model(input_ids=input_ids, attention_mask=torch.ones_like(input_ids), output_attentions=True)
    attentions = getattr(output, "attentions", None)
    if not attentions or attentions[0] is None:
        raise LabError("This architecture does not show its attention.", "Choose a Llama, Qwen, GPT-2 or BERT model.")
    weights = torch.stack([item[0, :, -len(ids) :, :count].float().cpu() for item in attentions])
    return Attention(tuple(tokenizer.decode([item]) for item in ids), weights)
