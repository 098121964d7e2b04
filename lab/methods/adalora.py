"""AdaLoRA: singular values that are pruned while training, so that ranks go where they matter (Zhang et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.compat.peft import freeze_ranks, importance, set_importance, without_orthogonal_loss
from lab.errors import Reason
from lab.knobs import knob
from lab.methods.base import Config, Paper, Term, common
from lab.methods.targeting import TargetedMethod, layers_knob, target_knob
from lab.models.shape import ModelShape, Module
from lab.plan import Precision, Training

#: Names under which a checkpoint holds the allocator's state.
IMPORTANCE, RANKS = "rank_allocator.", "rank_pattern."


@dataclass(frozen=True)
class AdaLoraSettings:
    initial_rank: int = knob(12, "Initial rank", "The rank of every matrix at the beginning.", low=2, high=1024)
    target_rank: int = knob(8, "Target rank", "The mean rank at the end.", low=1, high=1024)
    alpha: float = knob(16.0, "Alpha", "The update is scaled by alpha / r.", low=0.01, high=4096)
    dropout: float = knob(0.0, "Dropout", "Share of the update's inputs dropped in training.", low=0.0, high=0.9)
    target_modules: tuple[str, ...] = target_knob("the query and value projections")
    start: float = knob(
        0.1, "Pruning starts", "Share of the steps before the first singular value is dropped.", low=0.0, high=0.45
    )
    settle: float = knob(
        0.2, "Settling", "Share of the steps at the end in which the ranks stay as they are.", low=0.0, high=0.45
    )
    interval: int = knob(5, "Interval", "Steps between two allocations of the ranks.", low=1, high=10_000)
    orthogonality: float = knob(
        0.1, "Orthogonality γ", "Weight of the term that keeps P and Q orthogonal.", low=0.0, high=10.0, advanced=True
    )
    layers: str = layers_knob()


@dataclass(frozen=True)
class Scheduled(AdaLoraSettings):
    """The settings with the number of steps, which is known at launch."""

    steps: int = 0


class AdaLora(TargetedMethod):
    key = "adalora"
    title = "AdaLoRA"
    family = "low rank"
    summary = "Adds P·Λ·Q to each targeted matrix and sets the least important of the singular values Λ to zero."
    formula = "r₀·(d + k + 1) for each targeted d×k matrix, r₀ the initial rank"
    paper = Paper(
        "Adaptive Budget Allocation for Parameter-Efficient Fine-Tuning",
        "Zhang et al.",
        2023,
        "https://arxiv.org/abs/2303.10512",
        "section 3, equations 3 and 12",
    )
    lesson = "lora"
    Settings = AdaLoraSettings
    training = {"learning_rate": 1e-2}
    mergeable = True
    inference = "two small products for each target; none once merged"

    def prepare(self, settings: AdaLoraSettings, steps: int) -> Scheduled:
        return Scheduled(**{**asdict(settings), "steps": steps})

    def config(self, settings: AdaLoraSettings, shape: ModelShape) -> Config:
        steps = getattr(settings, "steps", 0) or Training().steps
        return Config(
            "AdaLoraConfig",
            {
                "init_r": settings.initial_rank,
                "target_r": settings.target_rank,
                "lora_alpha": settings.alpha,
                "lora_dropout": settings.dropout,
                "total_step": steps,
                "tinit": int(settings.start * steps),
                "tfinal": int(settings.settle * steps),
                "deltaT": settings.interval,
                "orth_reg_weight": settings.orthogonality,
                **self.target_arguments(settings, shape),
                **self.transposed(settings, shape),
                **common(shape),
            },
        )

    def module_terms(self, module: Module, settings: AdaLoraSettings, shape: ModelShape) -> list[Term]:
        rank = settings.initial_rank
        return [
            Term("Q", module.name, (rank, module.inputs), "r₀·k"),
            Term("Λ", module.name, (rank, 1), "r₀"),
            Term("P", module.name, (module.outputs, rank), "d·r₀"),
        ]

    def apply(self, model: Any, settings: AdaLoraSettings, shape: ModelShape) -> Any:
        made = super().apply(model, settings, shape)
        without_orthogonal_loss(made)  # `loss` adds it to the training's
        freeze_ranks(made)
        return made

    def load(self, base: Any, folder: Path) -> Any:
        model = super().load(base, folder)
        without_orthogonal_loss(model)
        return model

    def loss(self, model: Any, settings: AdaLoraSettings) -> Any:
        """γ times the mean of ‖PᵀP - I‖ and ‖QQᵀ - I‖ over the targets (equation 4)."""
        import torch

        parts = []
        for name, item in model.named_parameters():
            if item.requires_grad and (".lora_A." in name or ".lora_B." in name):
                square = item @ item.T if ".lora_A." in name else item.T @ item
                parts.append(torch.linalg.norm(square - torch.eye(len(square), device=square.device)))
        return settings.orthogonality * torch.stack(parts).mean()

    def after_step(self, model: Any, settings: AdaLoraSettings, step: int, steps: int) -> None:
        model.base_model.update_and_allocate(step)

    def source_after_step(self, settings: AdaLoraSettings) -> tuple[str, ...]:
        return ("model.base_model.update_and_allocate(step + 1)",)

    def report(self, model: Any) -> dict[str, Any]:
        """`ranks`: how many singular values are left, by module."""
        ranks = {}
        for name, item in model.named_parameters():
            if ".lora_E." in name:
                place = name.removeprefix("base_model.model.").partition(".lora_E.")[0]
                ranks[place] = int((item != 0).sum())
        return {"ranks": ranks}

    def state(self, model: Any) -> dict[str, Any]:
        import torch

        tensors = super().state(model)
        for part, by_name in importance(model).items():
            for name, item in by_name.items():
                tensors[f"{IMPORTANCE}{part}.{name}"] = item.detach()
        for name, kept in (model.peft_config["default"].rank_pattern or {}).items():
            tensors[RANKS + name] = torch.tensor(kept, dtype=torch.uint8)
        return tensors

    def restore(self, model: Any, state: Mapping[str, Any]) -> None:
        super().restore(model, state)
        parts: dict[str, dict[str, Any]] = {}
        for key in state:
            if key.startswith(IMPORTANCE):
                part, _, name = key.removeprefix(IMPORTANCE).partition(".")
                parts.setdefault(part, {})[name] = state[key]
        set_importance(model, parts)
        pattern = {
            name.removeprefix(RANKS): [bool(kept) for kept in item.tolist()]
            for name, item in state.items()
            if name.startswith(RANKS)
        }
        model.peft_config["default"].rank_pattern = pattern or None

    def compatible(
        self, settings: AdaLoraSettings, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        if settings.target_rank >= settings.initial_rank:
            return Reason(
                f"The target rank ({settings.target_rank}) is not below the initial one ({settings.initial_rank}).",
                "Begin with about one and a half times the target.",
            )
        if training and training.steps and training.steps - int(settings.settle * training.steps) < 2:
            return Reason(
                f"AdaLoRA cannot judge its ranks in {training.steps} steps.", "Choose at least 3 steps, or LoRA."
            )
        return super().compatible(settings, shape, precision, training)
