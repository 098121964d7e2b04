"""LoRA: a low-rank update beside each targeted weight matrix (Hu et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.knobs import knob
from lab.methods.base import Config, Paper, PeftMethod, Reason, Term, common, head_terms
from lab.models.shape import ModelShape
from lab.plan import Precision, Training


@dataclass(frozen=True)
class Settings:
    rank: int = knob(
        8, "Rank r", "Width of the bottleneck between A and B. Twice the rank is twice the parameters.", low=1, high=1024
    )
    alpha: float = knob(
        16.0, "Alpha", "The update BA is scaled by alpha / r before it is added to W.", low=0.01, high=4096
    )
    dropout: float = knob(0.0, "Dropout", "Share of the update's inputs dropped in training.", low=0.0, high=0.9)
    target_modules: tuple[str, ...] = knob(
        (),
        "Target modules",
        "The weight matrices that get an update. Empty takes the query and value projections, as the paper does; "
        "'all-linear' takes every linear map in the blocks.",
        source="modules",
    )
    bias: str = knob(
        "none",
        "Bias",
        "Which biases are trained too: none, those of the targeted layers, or all.",
        choices=("none", "lora_only", "all"),
        advanced=True,
    )


class Lora(PeftMethod):
    key = "lora"
    title = "LoRA"
    family = "low rank"
    summary = "Adds (alpha/r)·B·A to each targeted matrix W and trains only A and B."
    formula = "r·(d + k) for each targeted d×k matrix"
    paper = Paper(
        "LoRA: Low-Rank Adaptation of Large Language Models",
        "Hu et al.",
        2021,
        "https://arxiv.org/abs/2106.09685",
        "section 4.1, equation 3",
    )
    lesson = "lora"
    Settings = Settings
    training = {"learning_rate": 3e-3}
    mergeable = True
    inference = "two small products for each target; none once merged"

    def targets(self, settings: Settings, shape: ModelShape) -> tuple[str, ...]:
        return settings.target_modules or shape.attention_inputs()

    def config(self, settings: Settings, shape: ModelShape) -> Config:
        targets = self.targets(settings, shape)
        single = len(targets) == 1 and not any(module.suffix == targets[0] for module in shape.projections)
        return Config(
            "LoraConfig",
            {
                "r": settings.rank,
                "lora_alpha": settings.alpha,
                "lora_dropout": settings.dropout,
                "target_modules": targets[0] if single else list(targets),
                "bias": settings.bias,
                **common(shape),
            },
        )

    def terms(self, settings: Settings, shape: ModelShape) -> list[Term]:
        terms = []
        for module in shape.matching(self.targets(settings, shape)):
            terms.append(Term("A", module.name, (settings.rank, module.inputs), "r·k"))
            terms.append(Term("B", module.name, (module.outputs, settings.rank), "d·r"))
        return terms + head_terms(shape)

    def compatible(
        self, settings: Settings, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        if not shape.matching(self.targets(settings, shape)):
            return Reason(
                f"No module of this model matches {', '.join(self.targets(settings, shape))}.",
                f"It has: {', '.join(shape.targets)}.",
            )
        return super().compatible(settings, shape, precision, training)

    def warnings(self, settings: Settings, shape: ModelShape) -> list[Reason]:
        smallest = min((min(m.inputs, m.outputs) for m in shape.matching(self.targets(settings, shape))), default=0)
        if settings.rank > smallest:
            return [
                Reason(
                    f"Rank {settings.rank} is above the smaller side of a targeted matrix ({smallest}): "
                    "BA is no longer low-rank, and no saving there.",
                    f"Choose {smallest} or less.",
                )
            ]
        return []

