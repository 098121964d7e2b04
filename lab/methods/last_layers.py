"""The last k blocks: the plain way to train less of a model."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.errors import Reason
from lab.knobs import knob
from lab.methods.selection import SelectionMethod
from lab.models.shape import ModelShape, Parameter
from lab.plan import Precision, Training


@dataclass(frozen=True)
class LastLayersSettings:
    count: int = knob(1, "Blocks k", "How many blocks are trained, counted from the output.", low=1, high=1024)


class LastLayers(SelectionMethod):
    key = "last_layers"
    title = "Last k layers"
    family = "baseline"
    summary = "Trains the blocks nearest to the output and freezes the rest."
    formula = "all parameters of the last k blocks"
    lesson = "why"
    quantized = ()
    Settings = LastLayersSettings
    training = {"learning_rate": 1e-3}

    def selects(self, parameter: Parameter, settings: LastLayersSettings, shape: ModelShape) -> bool:
        number = re.search(r"\.(\d+)\.", parameter.name)
        if number is None or parameter.name.split(".")[0] == "encoder" or ".encoder.block." in parameter.name:
            return False  # of two stacks, the decoder's
        return int(number.group(1)) >= shape.decoder_layers - settings.count

    def compatible(
        self, settings: LastLayersSettings, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        if settings.count > shape.decoder_layers:
            return Reason(
                f"The model has {shape.decoder_layers} blocks, not {settings.count}.",
                f"Choose {shape.decoder_layers} or fewer.",
            )
        return super().compatible(settings, shape, precision, training)
