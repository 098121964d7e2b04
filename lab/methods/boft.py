"""BOFT: the rotation of OFT as a product of sparse ones, wired like a fast Fourier transform (Liu et al. 2024)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from lab.errors import Reason
from lab.knobs import knob
from lab.methods.base import Config, Paper, Term, common
from lab.methods.oft import whole_blocks
from lab.methods.targeting import TargetedMethod, layers_knob, target_knob
from lab.models.shape import ModelShape, Module
from lab.plan import Precision, Training


@dataclass(frozen=True)
class BoftSettings:
    block_size: int = knob(
        4,
        "Block size b",
        "Numbers that are rotated together; it must divide the inputs of every target.",
        low=2,
        high=8192,
    )
    factors: int = knob(
        1,
        "Butterfly factors m",
        "Sparse rotations that are multiplied. With 1 it is OFT with a learned scale of the outputs; more need a "
        "CUDA GPU and its compiler.",
        low=1,
        high=12,
    )
    dropout: float = knob(0.0, "Dropout", "Share of the blocks left unrotated in training.", low=0.0, high=0.9)
    target_modules: tuple[str, ...] = target_knob("the query and value projections")
    layers: str = layers_knob()


class Boft(TargetedMethod):
    key = "boft"
    title = "BOFT"
    family = "orthogonal"
    summary = "Multiplies each targeted matrix by a product of m sparse rotations and scales its outputs."
    formula = "m·k·b + d for each targeted d×k matrix"
    paper = Paper(
        "Parameter-Efficient Orthogonal Finetuning via Butterfly Factorization",
        "Liu et al.",
        2024,
        "https://arxiv.org/abs/2311.06243",
        "section 4",
    )
    lesson = "lora"
    Settings = BoftSettings
    training = {"learning_rate": 3e-3}
    mergeable = True
    inference = "a product with a k×k rotation for each target; none once merged"
    conv1d = False

    def config(self, settings: BoftSettings, shape: ModelShape) -> Config:
        return Config(
            "BOFTConfig",
            {
                "boft_block_size": settings.block_size,
                "boft_n_butterfly_factor": settings.factors,
                "boft_dropout": settings.dropout,
                **self.target_arguments(settings, shape),
                **common(shape),
            },
        )

    def module_terms(self, module: Module, settings: BoftSettings, shape: ModelShape) -> list[Term]:
        size = settings.block_size
        return [
            Term("R", module.name, (settings.factors, module.inputs // size, size, size), "m·k·b"),
            Term("s", module.name, (module.outputs, 1), "d"),
        ]

    def compatible(
        self, settings: BoftSettings, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        reason = super().compatible(settings, shape, precision, training)
        if reason:
            return reason
        if settings.factors > 1 and (settings.block_size % 2 or not compiler()):
            return Reason(
                "More than one butterfly factor needs an even block size and a CUDA GPU with its compiler (nvcc).",
                "Choose 1 factor; a larger block size mixes more numbers too.",
            )
        return whole_blocks(self, settings, shape, 2 ** (settings.factors - 1))


def compiler() -> bool:
    """Whether peft can compile its butterfly kernel here."""
    if not (shutil.which("nvcc") and shutil.which("ninja")):
        return False
    import torch

    return torch.cuda.is_available()
