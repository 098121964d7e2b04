"""Prefix tuning: learned keys and values before those of the text, in every layer (Li and Liang 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.errors import Reason
from lab.knobs import knob
from lab.methods.base import Config, Paper, Term, common, head_terms
from lab.methods.prompting import PromptMethod, tokens_knob
from lab.models.shape import ModelShape
from lab.plan import CLASSIFY, Precision, Training


@dataclass(frozen=True)
class PrefixSettings:
    virtual_tokens: int = tokens_knob()
    projection: bool = knob(
        False,
        "Projection",
        "Learn the prefix through a small network, as the paper does for stability; only its result is kept.",
    )
    projection_width: int = knob(
        0,
        "Projection width h",
        "Width of that network; 0 takes the model's.",
        low=0,
        high=65_536,
        advanced=True,
    )
    init: str = knob(
        "random",
        "Initialisation",
        "'zero' begins with keys and values of zero.",
        choices=("random", "zero"),
        advanced=True,
    )


class Prefix(PromptMethod):
    key = "prefix"
    title = "Prefix tuning"
    summary = "Puts n learned keys and values before those of the text in every layer's attention."
    formula = "n·L·2·(key/value heads · head width), without the projection"
    paper = Paper(
        "Prefix-Tuning: Optimizing Continuous Prompts for Generation",
        "Li and Liang",
        2021,
        "https://arxiv.org/abs/2101.00190",
        "section 4.2",
    )
    Settings = PrefixSettings
    training = {"learning_rate": 1e-2}
    inference = "n more positions in every layer's attention; no more layers to compute for them"

    def width(self, shape: ModelShape) -> int:
        """Numbers in one layer's key of one token: grouped-query models share keys between heads."""
        return shape.kv_heads * shape.head_dim

    def inner(self, settings: PrefixSettings, shape: ModelShape) -> int:
        return settings.projection_width or shape.hidden

    def config(self, settings: PrefixSettings, shape: ModelShape) -> Config:
        extra: dict[str, Any] = {}
        if settings.projection:
            extra = {"prefix_projection": True, "encoder_hidden_size": self.inner(settings, shape)}
        if settings.init == "zero":
            extra["init_weights"] = "zero"
        return Config(
            "PrefixTuningConfig",
            {
                "num_virtual_tokens": settings.virtual_tokens,
                "num_layers": shape.decoder_layers,
                "token_dim": self.width(shape),
                "num_attention_heads": shape.kv_heads,
                **extra,
                **common(shape),
            },
        )

    def terms(self, settings: PrefixSettings, shape: ModelShape) -> list[Term]:
        n, d, wide = settings.virtual_tokens, self.width(shape), shape.decoder_layers * 2 * self.width(shape)
        if not settings.projection:
            return [Term("P", "prompt_encoder.embedding", (n, wide), "n·2·L·d_kv"), *head_terms(shape)]
        h = self.inner(settings, shape)
        return [
            Term("P'", "prompt_encoder.embedding", (n, d), "n·d_kv"),
            Term("W_1", "prompt_encoder.transform.0", (h, d), "h·d_kv"),
            Term("b_1", "prompt_encoder.transform.0", (h,), "h"),
            Term("W_2", "prompt_encoder.transform.2", (wide, h), "2·L·d_kv·h"),
            Term("b_2", "prompt_encoder.transform.2", (wide,), "2·L·d_kv"),
            *head_terms(shape),
        ]

    def compatible(
        self, settings: PrefixSettings, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        if not shape.cache or (shape.family == "encoder-decoder" and shape.task == CLASSIFY):
            return Reason(
                f"{shape.architecture} takes no keys and values from outside, of which a prefix consists.",
                "Choose prompt tuning or P-tuning, or another model.",
            )
        if training and training.gradient_checkpointing:
            return Reason(
                "Prefix tuning does not work with gradient checkpointing, which drops the prefix's keys and values.",
                "Switch gradient checkpointing off.",
            )
        return super().compatible(settings, shape, precision, training)
