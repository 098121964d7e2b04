"""(IA)³: learned factors on keys, values and the inner activations of the feed-forward (Liu et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass

from lab.methods.base import Config, Paper, Term, common
from lab.methods.targeting import TargetedMethod, target_knob
from lab.models.shape import ModelShape, Module


@dataclass(frozen=True)
class IA3Settings:
    target_modules: tuple[str, ...] = target_knob(
        "the key, value and down projections, as the paper does. A down projection's input is scaled, "
        "any other's output"
    )


class IA3(TargetedMethod):
    key = "ia3"
    title = "(IA)³"
    family = "selective"
    summary = "Multiplies keys, values and the feed-forward's inner activations by learned factors that begin at 1."
    formula = "d for each key and value projection, k for each down projection"
    paper = Paper(
        "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning",
        "Liu et al.",
        2022,
        "https://arxiv.org/abs/2205.05638",
        "section 3.3",
    )
    lesson = "adapters"
    Settings = IA3Settings
    training = {"learning_rate": 1e-2}
    mergeable = True
    inference = "one multiplication for each targeted activation; none once merged"

    def default_targets(self, shape: ModelShape) -> tuple[str, ...]:
        return shape.with_role("key", "value", "down") if shape.with_role("key") else shape.with_role("qkv", "down")

    def config(self, settings: IA3Settings, shape: ModelShape) -> Config:
        arguments = self.target_arguments(settings, shape)
        inner = [module for module in self.matched(settings, shape) if module.role == "down"]
        targets = arguments["target_modules"]
        short = list(dict.fromkeys(shape.short(module) for module in inner))
        # peft compares the ends of names, without regard to dots, and wants the inner ones among the targets.
        ends = [item for item in self.matched(settings, shape) if any(item.name.endswith(name) for name in short)]
        if len(ends) != len(inner) or not set(short) <= set(targets):
            arguments["target_modules"] = [module.name for module in self.matched(settings, shape)]
            short = [module.name for module in inner]
        return Config(
            "IA3Config",
            {**arguments, "feedforward_modules": short, **self.transposed(settings, shape), **common(shape)},
        )

    def module_terms(self, module: Module, settings: IA3Settings, shape: ModelShape) -> list[Term]:
        if module.role == "down":
            return [Term("l", module.name, (1, module.inputs), "k")]
        return [Term("l", module.name, (module.outputs, 1), "d")]
