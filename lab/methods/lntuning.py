"""LayerNorm tuning: only the normalisation layers are trained (Zhao et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass

from lab.methods.adapters import PeftMethod
from lab.methods.base import Config, Paper, Term, common, head_terms
from lab.models.shape import NORM, ModelShape, Module


@dataclass(frozen=True)
class LayerNormTuningSettings:
    pass


class LayerNormTuning(PeftMethod):
    key = "layernorm"
    title = "LayerNorm tuning"
    family = "selective"
    summary = "Trains the scales (and shifts) of the normalisation layers."
    formula = "d for each scale and each shift"
    paper = Paper(
        "Tuning LayerNorm in Attention: Towards Efficient Multi-Modal LLM Finetuning",
        "Zhao et al.",
        2024,
        "https://arxiv.org/abs/2312.11420",
        "section 3",
    )
    lesson = "why"
    Settings = LayerNormTuningSettings
    training = {"learning_rate": 1e-2}
    mergeable = True
    inference = "none: the changed scales take the place of the old"

    def norms(self, shape: ModelShape) -> list[Module]:
        return [module for module in shape.modules if module.kind == NORM]

    def config(self, settings: LayerNormTuningSettings, shape: ModelShape) -> Config:
        found = self.norms(shape)
        short = list(dict.fromkeys(module.suffix for module in found))
        reached = [module for module in shape.modules if module.suffix in short]
        names = short if reached == found else [module.name for module in found]
        return Config("LNTuningConfig", {"target_modules": names, **common(shape)})

    def terms(self, settings: LayerNormTuningSettings, shape: ModelShape) -> list[Term]:
        scales = [
            Term("γ" if item.name.endswith("weight") else "β", module.name, item.shape, "d")
            for module in self.norms(shape)
            for item in module.parameters
        ]
        return scales + head_terms(shape)
