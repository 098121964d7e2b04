"""One block of a model, part by part in the order of the computation, with the adapters that a plan puts in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.methods.bottleneck import Bottleneck
from lab.methods.bottleneck.dimensions import bottleneck_width
from lab.methods.bottleneck.method import BottleneckSettings
from lab.models.shape import NORM, ModelShape, Module

ATTENTION, FEED_FORWARD, ADAPTER, PARALLEL, ADD, NORMED = (
    "attention",
    "feed-forward",
    "adapter",
    "parallel",
    "add",
    "norm",
)

#: Norms of these names stand after the addition (BERT, DistilBERT); all others before the sub-layer.
AFTER = re.compile(r"(output\.LayerNorm|sa_layer_norm|output_layer_norm)$")


@dataclass(frozen=True)
class Part:
    """One part of a block. `shapes` are its matrices as (role, outputs, inputs); `count` its parameters.

    For an adapter `inputs`, `width` and `outputs` are d, m and d of down- and up-projection, and `module` is the
    module of the base that it follows (or stands beside).
    """

    kind: str
    title: str
    count: int = 0
    shapes: tuple[tuple[str, int, int], ...] = ()
    module: str = ""
    inputs: int = 0
    width: int = 0
    outputs: int = 0


def post_norm(shape: ModelShape) -> bool:
    """Whether the blocks normalise after each addition (the original Transformer) instead of before a sub-layer."""
    return any(AFTER.search(item.name) for item in shape.modules if item.kind == NORM)


def block(shape: ModelShape, settings: BottleneckSettings, layer: int) -> list[Part]:
    """The parts of the block `layer` with the adapters of the settings, from its input to its output."""
    layer_modules = [
        item for item in shape.projections if item.layer == layer and "encoder." not in item.name.split("layer.")[0]
    ]
    layer_modules = layer_modules or [item for item in shape.projections if item.layer == layer]
    attention = [item for item in layer_modules if item.role in ("query", "key", "value", "qkv", "output")]
    forward = [item for item in layer_modules if item.role in ("gate", "up", "down")]
    placed = {item.name: item for item in Bottleneck().matched(settings, shape) if item.layer == layer}
    norm = Part(NORMED, "Norm", shape.hidden)
    parts: list[Part] = []
    for kind, title, modules in ((ATTENTION, "Attention", attention), (FEED_FORWARD, "Feed-forward", forward)):
        if not modules:
            continue
        if not post_norm(shape):
            parts.append(norm)
        parts.append(
            Part(
                kind,
                title,
                sum(parameter.count for item in modules for parameter in item.parameters),
                tuple((item.role, item.outputs, item.inputs) for item in modules),
            )
        )
        parts += [_adapter(item, settings) for item in placed.values() if _belongs(item, modules)]
        parts.append(Part(ADD, "+"))
        if post_norm(shape):
            parts.append(norm)
    return parts


def _belongs(module: Module, modules: list[Module]) -> bool:
    return any(item.name == module.name or item.name.startswith(module.name + ".") for item in modules)


def _adapter(module: Module, settings: BottleneckSettings) -> Part:
    beside = settings.placement == "parallel"
    inputs = module.inputs if beside else module.outputs
    width = bottleneck_width(module.outputs, settings.reduction_factor)
    return Part(
        PARALLEL if beside else ADAPTER,
        f"{module.outputs} → {width} → {module.outputs}",
        width * inputs + width + module.outputs * width + module.outputs,
        (("down", width, inputs), ("up", module.outputs, width)),
        module.name,
        inputs,
        width,
        module.outputs,
    )


def curve(activation: str, low: float = -4.0, high: float = 4.0, points: int = 81) -> tuple[list[float], list[float]]:
    """The non-linearity as points (x, f(x))."""
    from math import erf, exp, tanh

    functions = {
        "relu": lambda x: max(0.0, x),
        "gelu": lambda x: 0.5 * x * (1 + erf(x / 2**0.5)),
        "silu": lambda x: x / (1 + exp(-x)),
        "tanh": tanh,
    }
    xs = [low + (high - low) * index / (points - 1) for index in range(points)]
    return xs, [functions[activation](x) for x in xs]
