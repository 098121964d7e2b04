"""VeRA: one pair of random matrices for all layers, and two learned vectors in each (Kopiczko et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass

from lab.knobs import knob
from lab.methods.base import Config, Paper, Term, common
from lab.methods.targeting import TargetedMethod, layers_knob, target_knob
from lab.models.shape import ModelShape, Module


@dataclass(frozen=True)
class VeraSettings:
    rank: int = knob(
        256, "Rank r", "Width of the frozen random matrices; one number is learned for each.", low=1, high=8192
    )
    dropout: float = knob(0.0, "Dropout", "Share of the update's inputs dropped in training.", low=0.0, high=0.9)
    target_modules: tuple[str, ...] = target_knob("the query and value projections")
    initial: float = knob(
        0.1, "Initial d", "Value at which the vector d begins; b begins at zero.", low=1e-7, high=10.0, advanced=True
    )
    projection_seed: int = knob(
        0, "Projection seed", "From which the random matrices are drawn.", low=0, high=2**31 - 1, advanced=True
    )
    layers: str = layers_knob()


class Vera(TargetedMethod):
    key = "vera"
    title = "VeRA"
    family = "low rank"
    summary = "Adds Λ_b·B·Λ_d·A with frozen random A and B shared by all layers; trains the two diagonals."
    formula = "d + r for each targeted d×k matrix"
    paper = Paper(
        "VeRA: Vector-based Random Matrix Adaptation",
        "Kopiczko et al.",
        2024,
        "https://arxiv.org/abs/2310.11454",
        "section 3.1, equation 2",
    )
    lesson = "lora"
    Settings = VeraSettings
    training = {"learning_rate": 2e-2}
    mergeable = True
    inference = "two products with the shared matrices for each target; none once merged"

    def config(self, settings: VeraSettings, shape: ModelShape) -> Config:
        return Config(
            "VeraConfig",
            {
                "r": settings.rank,
                "vera_dropout": settings.dropout,
                "d_initial": settings.initial,
                "projection_prng_key": settings.projection_seed,
                **self.target_arguments(settings, shape),
                **self.transposed(settings, shape),
                **common(shape),
            },
        )

    def module_terms(self, module: Module, settings: VeraSettings, shape: ModelShape) -> list[Term]:
        return [Term("b", module.name, (module.outputs,), "d"), Term("d", module.name, (settings.rank,), "r")]
