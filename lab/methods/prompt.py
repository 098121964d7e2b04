"""Prompt tuning: learned vectors before the words' (Lester et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.errors import Reason
from lab.knobs import knob
from lab.methods.base import Config, Paper, Term, common, head_terms
from lab.methods.prompting import EmbeddingMethod, tokens_knob
from lab.models.shape import ModelShape
from lab.plan import Precision, Training


@dataclass(frozen=True)
class PromptSettings:
    virtual_tokens: int = tokens_knob()
    init: str = knob(
        "vocabulary",
        "Initialisation",
        "'random' vectors, those of random words of the 'vocabulary', or those of a 'text'.",
        choices=("random", "vocabulary", "text"),
    )
    text: str = knob(
        "",
        "Initial text",
        "With the initialisation 'text': words whose vectors the prompt begins as, cut or repeated to n.",
        public=True,
    )


class Prompt(EmbeddingMethod):
    key = "prompt"
    title = "Prompt tuning"
    summary = "Puts n learned vectors before the text's, at the input only."
    formula = "n·d; twice as many for an encoder-decoder"
    paper = Paper(
        "The Power of Scale for Parameter-Efficient Prompt Tuning",
        "Lester et al.",
        2021,
        "https://arxiv.org/abs/2104.08691",
        "section 2",
    )
    Settings = PromptSettings
    training = {"learning_rate": 3e-2}
    inference = "n more tokens to compute and to attend to"

    def config(self, settings: PromptSettings, shape: ModelShape) -> Config:
        extra: dict[str, Any] = {}
        if settings.init == "text":
            extra = {"prompt_tuning_init_text": settings.text, "tokenizer_name_or_path": shape.tokenizer}
        return Config(
            "PromptTuningConfig",
            {
                "num_virtual_tokens": settings.virtual_tokens,
                "prompt_tuning_init": {"random": "RANDOM", "vocabulary": "SAMPLE_VOCAB", "text": "TEXT"}[
                    settings.init
                ],
                **extra,
                **self.place(shape),
                **common(shape),
            },
        )

    def apply(self, model: Any, settings: PromptSettings, shape: ModelShape) -> Any:
        made = super().apply(model, settings, shape)
        # The text did its work. Kept, the saved adapter would name a tokenizer's folder on this machine.
        config = made.peft_config["default"]
        config.prompt_tuning_init, config.prompt_tuning_init_text, config.tokenizer_name_or_path = (
            "RANDOM",
            None,
            None,
        )
        return made

    def terms(self, settings: PromptSettings, shape: ModelShape) -> list[Term]:
        rows = settings.virtual_tokens * self.copies(shape)
        return [Term("P", "prompt_encoder.embedding", (rows, shape.hidden), "n·d"), *head_terms(shape)]

    def compatible(
        self, settings: PromptSettings, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        if settings.init == "text" and not settings.text.strip():
            return Reason(
                "The prompt is to begin as a text, but none is given.",
                "Write one, such as 'Name the feeling:'.",
            )
        return super().compatible(settings, shape, precision, training)
