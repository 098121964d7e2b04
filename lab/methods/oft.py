"""OFT: the inputs of each targeted matrix are rotated in blocks (Qiu et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.errors import Reason
from lab.knobs import knob
from lab.methods.base import Config, Paper, Term, common
from lab.methods.targeting import TargetedMethod, layers_knob, target_knob
from lab.models.shape import ModelShape, Module
from lab.plan import Precision, Training


@dataclass(frozen=True)
class OftSettings:
    block_size: int = knob(
        32,
        "Block size b",
        "Numbers that are rotated together; it must divide the inputs of every target.",
        low=2,
        high=8192,
    )
    dropout: float = knob(0.0, "Dropout", "Share of the blocks left unrotated in training.", low=0.0, high=0.9)
    target_modules: tuple[str, ...] = target_knob("the query and value projections")
    share: bool = knob(False, "Shared block", "One rotation for all blocks of a matrix.", advanced=True)
    exact: bool = knob(
        False,
        "Exact Cayley map",
        "Invert a matrix instead of summing the first five terms of its series.",
        advanced=True,
    )
    constrained: bool = knob(False, "Constrained (COFT)", "Keep each rotation near the identity.", advanced=True)
    layers: str = layers_knob()


class Oft(TargetedMethod):
    key = "oft"
    title = "OFT"
    family = "orthogonal"
    summary = "Multiplies each targeted matrix by a learned block-diagonal rotation: angles between neurons stay."
    formula = "(k/b)·b·(b - 1)/2 for each targeted d×k matrix"
    paper = Paper(
        "Controlling Text-to-Image Diffusion by Orthogonal Finetuning",
        "Qiu et al.",
        2023,
        "https://arxiv.org/abs/2306.07280",
        "section 3.2",
    )
    lesson = "lora"
    Settings = OftSettings
    training = {"learning_rate": 3e-3}
    mergeable = True
    inference = "one block-diagonal product for each target; none once merged"
    conv1d = False

    def config(self, settings: OftSettings, shape: ModelShape) -> Config:
        return Config(
            "OFTConfig",
            {
                "oft_block_size": settings.block_size,
                "module_dropout": settings.dropout,
                "block_share": settings.share,
                "use_cayley_neumann": not settings.exact,
                "coft": settings.constrained,
                **self.target_arguments(settings, shape),
                **common(shape),
            },
        )

    def module_terms(self, module: Module, settings: OftSettings, shape: ModelShape) -> list[Term]:
        size = settings.block_size
        blocks = 1 if settings.share else module.inputs // size
        return [Term("Q", module.name, (blocks, size * (size - 1) // 2), "(k/b)·b·(b-1)/2")]

    def compatible(
        self, settings: OftSettings, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        return super().compatible(settings, shape, precision, training) or whole_blocks(self, settings, shape)


def whole_blocks(method: TargetedMethod, settings: Any, shape: ModelShape, unit: int = 1) -> Reason | None:
    """Why the blocks do not fill the inputs of every target; `unit` blocks must go together."""
    size = settings.block_size * unit
    inputs = sorted({module.inputs for module in method.matched(settings, shape)})
    uneven = next((width for width in inputs if width % size), None)
    if uneven is None:
        return None
    good = [size for size in range(2, min(inputs) + 1) if all(width % (size * unit) == 0 for width in inputs)]
    near = sorted(sorted(good, key=lambda item: abs(item - settings.block_size))[:3])
    return Reason(
        f"{uneven} inputs cannot be cut into blocks of {size}.",
        f"Choose the block size {' or '.join(map(str, near))}." if near else "Choose other target modules.",
    )
