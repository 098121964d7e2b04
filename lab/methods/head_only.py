"""Head only: the base as a fixed reader, and a trained output layer."""

from __future__ import annotations

from dataclasses import dataclass

from lab.errors import Reason
from lab.methods.selection import SelectionMethod
from lab.models.shape import LINEAR, ModelShape, Parameter
from lab.plan import CLASSIFY


@dataclass(frozen=True)
class HeadOnlySettings:
    pass


class HeadOnly(SelectionMethod):
    key = "head"
    title = "Head only"
    family = "baseline"
    summary = "Trains the output layer on what the frozen base computes (a linear probe)."
    formula = "all parameters of the head"
    lesson = "why"
    Settings = HeadOnlySettings
    training = {"learning_rate": 1e-2}

    def selects(self, parameter: Parameter, settings: HeadOnlySettings, shape: ModelShape) -> bool:
        if shape.task == CLASSIFY:
            return False  # the head itself is trained by every method
        outputs = {item.name for item in shape.modules if item.kind == LINEAR and item.layer is None}
        return parameter.name.rpartition(".")[0] in outputs and parameter.shape[0] == shape.vocabulary

    def empty(self, settings: HeadOnlySettings, shape: ModelShape) -> Reason:
        return Reason(
            f"The output layer of {shape.architecture} shares its weights with the word embeddings.",
            "Choose the last k layers, or the task 'classify'.",
        )
