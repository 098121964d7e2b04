"""The descriptor of the bottleneck adapters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.errors import Reason
from lab.knobs import knob
from lab.methods.base import Config, Paper, Term, common
from lab.methods.bottleneck.dimensions import bottleneck_width
from lab.methods.targeting import TargetedMethod, layer_numbers, layers_knob
from lab.models.shape import OTHER, ModelShape, Module
from lab.plan import Precision, Training

TUNER = "lab.methods.bottleneck.tuner"
ACTIVATIONS = ("relu", "gelu", "silu", "tanh")


@dataclass(frozen=True)
class BottleneckSettings:
    placement: str = knob(
        "pfeiffer",
        "Placement",
        "'houlsby': after the attention and after the feed-forward. 'pfeiffer': after the feed-forward only. "
        "'parallel': beside the feed-forward, on its input.",
        choices=("pfeiffer", "houlsby", "parallel"),
    )
    reduction_factor: float = knob(
        16.0,
        "Reduction factor",
        "The model's width d over the bottleneck's width m: m = d / factor.",
        low=0.25,
        high=1024,
    )
    activation: str = knob("relu", "Non-linearity", "Between the two projections.", choices=ACTIVATIONS)
    dropout: float = knob(0.0, "Dropout", "Share of the adapter's inputs dropped in training.", low=0.0, high=0.9)
    scaling: float = knob(
        1.0,
        "Scaling",
        "The adapter's output is multiplied by this before it is added.",
        low=0.01,
        high=100,
        advanced=True,
    )
    layers: str = layers_knob()


class Bottleneck(TargetedMethod):
    key = "bottleneck"
    title = "Bottleneck adapter"
    family = "adapter"
    summary = "Adds up(f(down(h))) to the output of a sub-layer: d numbers squeezed to m and widened again."
    formula = "2·m·d + d + m for each adapter, m = d / reduction factor"
    paper = Paper(
        "Parameter-Efficient Transfer Learning for NLP",
        "Houlsby et al.",
        2019,
        "https://arxiv.org/abs/1902.00751",
        "section 2.1",
    )
    lesson = "adapters"
    Settings = BottleneckSettings
    training = {"learning_rate": 3e-3}
    inference = "two more products and a non-linearity after each adapted sub-layer; cannot be merged"

    def matched(self, settings: BottleneckSettings, shape: ModelShape) -> tuple[Module, ...]:
        layers = layer_numbers(settings.layers)
        if settings.placement == "parallel":
            found = feed_forwards(shape)
        else:
            roles = ("output", "down") if settings.placement == "houlsby" else ("down",)
            found = tuple(module for module in shape.projections if module.role in roles)
        return tuple(module for module in found if not layers or module.layer in layers)

    def target_arguments(self, settings: BottleneckSettings, shape: ModelShape) -> dict[str, Any]:
        if settings.placement != "parallel":
            return super().target_arguments(settings, shape)
        layers = layer_numbers(settings.layers)
        names = list(dict.fromkeys(module.suffix for module in self.matched(settings, shape)))
        return {"target_modules": names} | ({"layers_to_transform": list(layers)} if layers else {})

    def config(self, settings: BottleneckSettings, shape: ModelShape) -> Config:
        return Config(
            "BottleneckConfig",
            {
                "reduction_factor": settings.reduction_factor,
                "activation": settings.activation,
                "parallel": settings.placement == "parallel",
                "dropout": settings.dropout,
                "scaling": settings.scaling,
                **self.target_arguments(settings, shape),
                **common(shape),
            },
            TUNER,
        )

    def module_terms(self, module: Module, settings: BottleneckSettings, shape: ModelShape) -> list[Term]:
        inputs = module.inputs if settings.placement == "parallel" else module.outputs
        width = bottleneck_width(module.outputs, settings.reduction_factor)
        return [
            Term("W_down", module.name, (width, inputs), "m·d"),
            Term("b_down", module.name, (width,), "m"),
            Term("W_up", module.name, (module.outputs, width), "d·m"),
            Term("b_up", module.name, (module.outputs,), "d"),
        ]

    def load(self, base: Any, folder: Path) -> Any:
        import lab.methods.bottleneck.tuner  # noqa: F401  (peft learns the type)

        return super().load(base, folder)

    def compatible(
        self, settings: BottleneckSettings, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        if settings.placement == "parallel" and not feed_forwards(shape):
            return Reason(
                f"The feed-forward of {shape.architecture} is no module of its own, beside which one could sit.",
                "Choose the placement 'pfeiffer' or 'houlsby'.",
            )
        if not self.matched(BottleneckSettings(placement=settings.placement), shape):
            return Reason(
                f"The sub-layers of {shape.architecture} have names that the lab does not know.",
                "Choose LoRA instead.",
            )
        return super().compatible(settings, shape, precision, training)


def feed_forwards(shape: ModelShape) -> tuple[Module, ...]:
    """The modules that hold a block's whole feed-forward and nothing else, with its outer dimensions."""
    found = {}
    for down in (module for module in shape.projections if module.role == "down"):
        name = down.name.rpartition(".")[0]
        inside = [module for module in shape.projections if module.name.startswith(name + ".")]
        roles = {module.role for module in inside}
        if "up" in roles and roles <= {"gate", "up", "down"}:
            up = next(module for module in inside if module.role == "up")
            found[name] = Module(name, OTHER, (), up.inputs, down.outputs, down.layer)
    return tuple(found.values())
