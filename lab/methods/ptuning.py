"""P-tuning: the vectors before the text are made by a small network (Liu et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass

from lab.knobs import knob
from lab.methods.base import Config, Paper, Term, common, head_terms
from lab.methods.prompting import EmbeddingMethod, tokens_knob
from lab.models.shape import ModelShape


@dataclass(frozen=True)
class PTuningSettings:
    virtual_tokens: int = tokens_knob()
    encoder: str = knob(
        "mlp",
        "Prompt encoder",
        "The network: three linear maps ('mlp'), or a two-way LSTM before two of them ('lstm'), as in the paper.",
        choices=("mlp", "lstm"),
    )
    encoder_width: int = knob(0, "Encoder width h", "Width of that network; 0 takes the model's.", low=0, high=65_536)
    encoder_layers: int = knob(2, "LSTM layers", "With the LSTM only.", low=1, high=8, advanced=True)
    dropout: float = knob(0.0, "Dropout", "Between the LSTM's layers.", low=0.0, high=0.9, advanced=True)


class PTuning(EmbeddingMethod):
    key = "ptuning"
    title = "P-tuning"
    summary = "Learns a network that makes n vectors, which are put before the text's at the input."
    formula = "n·d + the prompt encoder (MLP: 2·d·h + h² + 2·h + d)"
    paper = Paper("GPT Understands, Too", "Liu et al.", 2021, "https://arxiv.org/abs/2103.10385", "section 3")
    Settings = PTuningSettings
    training = {"learning_rate": 3e-3}
    inference = "n more tokens to compute and to attend to; the network itself is not needed any more"

    def inner(self, settings: PTuningSettings, shape: ModelShape) -> int:
        """The width of the network."""
        return settings.encoder_width or shape.hidden

    def config(self, settings: PTuningSettings, shape: ModelShape) -> Config:
        lstm = settings.encoder == "lstm"
        extra = {"encoder_num_layers": settings.encoder_layers, "encoder_dropout": settings.dropout} if lstm else {}
        return Config(
            "PromptEncoderConfig",
            {
                "num_virtual_tokens": settings.virtual_tokens,
                "encoder_reparameterization_type": settings.encoder.upper(),
                "encoder_hidden_size": self.inner(settings, shape),
                **extra,
                **self.place(shape),
                **common(shape),
            },
        )

    def terms(self, settings: PTuningSettings, shape: ModelShape) -> list[Term]:
        d, h = shape.hidden, self.inner(settings, shape)
        rows = settings.virtual_tokens * self.copies(shape)
        terms = [Term("E", "prompt_encoder.embedding", (rows, d), "n·d")]
        if settings.encoder == "mlp":
            sizes = [(0, h, d, "h·d"), (2, h, h, "h²"), (4, d, h, "d·h")]
        else:
            sizes = [(0, 2 * h, 2 * h, "4·h²"), (2, d, 2 * h, "2·d·h")]
            for layer in range(settings.encoder_layers):
                inputs = 2 * h if layer else d
                for _ in ("forward", "backward"):
                    where = "prompt_encoder.lstm_head"
                    terms += [
                        Term("W", where, (4 * h, inputs), "8·h²" if layer else "4·h·d"),
                        Term("U", where, (4 * h, h), "4·h²"),
                        Term("b_W", where, (4 * h,), "4·h"),
                        Term("b_U", where, (4 * h,), "4·h"),
                    ]
        for number, outputs, inputs, formula in sizes:
            where = f"prompt_encoder.mlp_head.{number}"
            terms.append(Term("W", where, (outputs, inputs), formula))
            terms.append(Term("b", where, (outputs,), "h" if outputs == h else "d" if outputs == d else "2·h"))
        return terms + head_terms(shape)
