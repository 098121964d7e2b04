"""Methods that train virtual tokens before the text and leave every layer as it is."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from lab.errors import Reason
from lab.knobs import knob
from lab.methods.adapters import PeftMethod
from lab.models.shape import ModelShape
from lab.plan import CLASSIFY, Precision, Training


def tokens_knob() -> Any:
    """The setting `virtual_tokens`."""
    return knob(20, "Virtual tokens n", "Learned positions before the text.", low=1, high=2048)


class PromptMethod(PeftMethod):
    """A method of virtual tokens. Its settings have `virtual_tokens`."""

    family = "prompt"
    lesson = "prefix"
    not_identity = "the virtual tokens take part in the attention from the first step"

    def virtual_tokens(self, settings: Any) -> int:
        return settings.virtual_tokens

    def copies(self, shape: ModelShape) -> int:
        """How many prompts are learned: one for the encoder and one for the decoder where there are both."""
        return 2 if shape.family == "encoder-decoder" and shape.task != CLASSIFY else 1

    def compatible(
        self, settings: Any, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        length = settings.virtual_tokens + (training.max_length if training else 1)
        if shape.positions and length > shape.max_length:
            return Reason(
                f"{settings.virtual_tokens} virtual tokens and the text are up to {length} positions; "
                f"this model knows {shape.max_length}.",
                "Choose fewer virtual tokens or a shorter sequence.",
            )
        return super().compatible(settings, shape, precision, training)


class EmbeddingMethod(PromptMethod):
    """Virtual tokens that are put before the words as vectors of the model's width."""

    def place(self, shape: ModelShape) -> dict[str, Any]:
        """What peft cannot find in every configuration: how many prompts, how wide, and the layers' counts."""
        return {
            "num_transformer_submodules": self.copies(shape),
            "token_dim": shape.hidden,
            "num_layers": shape.layers,
            "num_attention_heads": shape.heads,
        }

    def apply(self, model: Any, settings: Any, shape: ModelShape) -> Any:
        made = super().apply(model, settings, shape)
        made.get_base_model().register_forward_pre_hook(_positions, with_kwargs=True)
        return made

    def load(self, base: Any, folder: Path) -> Any:
        made = super().load(base, folder)
        made.get_base_model().register_forward_pre_hook(_positions, with_kwargs=True)
        return made

    def compatible(
        self, settings: Any, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        if not shape.embeds or (shape.family == "encoder-decoder" and shape.task == CLASSIFY):
            return Reason(
                f"{shape.architecture} takes words only, no vectors in their place.",
                "Choose the task 'generate', or LoRA.",
            )
        return super().compatible(settings, shape, precision, training)


def _positions(model: Any, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """Number the positions that are not padding.

    peft drops the position numbers that generation gives, and the model then counts padding as text: a prompt that
    is padded on the left, behind the virtual tokens, would be answered otherwise than alone.
    """
    import torch

    mask, given = kwargs.get("attention_mask"), kwargs.get("inputs_embeds")
    given = kwargs.get("input_ids") if given is None else given
    takes = "position_ids" in inspect.signature(model.forward).parameters
    if takes and mask is not None and mask.dim() == 2 and given is not None and kwargs.get("position_ids") is None:
        places = torch.arange(mask.shape[1], device=mask.device)
        numbers = torch.where(mask > 0, mask.long().cumsum(-1) - 1, places)
        kwargs["position_ids"] = numbers[:, -given.shape[1] :]
    return args, kwargs
