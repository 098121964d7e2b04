"""BitFit: only the biases are trained (Ben Zaken et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass

from lab.errors import Reason
from lab.methods.base import Paper
from lab.methods.selection import SelectionMethod
from lab.models.shape import ModelShape, Parameter
from lab.plan import Precision, Training


@dataclass(frozen=True)
class BitFitSettings:
    pass


class BitFit(SelectionMethod):
    key = "bitfit"
    title = "BitFit"
    family = "selective"
    summary = "Trains the bias vectors and leaves every weight matrix as it is."
    formula = "d for each bias of the base"
    paper = Paper(
        "BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked Language-models",
        "Ben Zaken et al.",
        2022,
        "https://arxiv.org/abs/2106.10199",
        "section 3",
    )
    lesson = "why"
    Settings = BitFitSettings
    training = {"learning_rate": 1e-2}

    def selects(self, parameter: Parameter, settings: BitFitSettings, shape: ModelShape) -> bool:
        return parameter.name.endswith(".bias")

    def compatible(
        self, settings: BitFitSettings, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        if not self.selected(settings, shape):
            return Reason(
                f"{shape.architecture} has no biases to train.",
                "Choose LayerNorm tuning, which trains as few parameters, or a model with biases (GPT-2, BERT).",
            )
        return super().compatible(settings, shape, precision, training)
