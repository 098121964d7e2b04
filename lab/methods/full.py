"""Full fine-tuning: every parameter of the base is trained. The yardstick for all the others."""

from __future__ import annotations

from dataclasses import dataclass

from lab.methods.selection import SelectionMethod
from lab.models.shape import ModelShape, Parameter


@dataclass(frozen=True)
class FullSettings:
    pass


class Full(SelectionMethod):
    key = "full"
    title = "Full fine-tuning"
    family = "baseline"
    summary = "Trains every parameter of the base; one whole copy of the model for each task."
    formula = "all parameters of the base"
    lesson = "why"
    quantized = ()
    Settings = FullSettings
    training = {"learning_rate": 5e-4}

    def selects(self, parameter: Parameter, settings: FullSettings, shape: ModelShape) -> bool:
        return True
