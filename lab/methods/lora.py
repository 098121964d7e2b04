"""LoRA: a low-rank update beside each targeted weight matrix (Hu et al. 2021), and its variants as settings."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.errors import LabError, Reason
from lab.knobs import knob
from lab.methods.base import Config, Paper, Term, common, swapped
from lab.methods.targeting import TargetedMethod, in_pattern, layers_knob, pattern, spelled_out, target_knob
from lab.models.shape import CONV1D, ModelShape, Module
from lab.plan import Precision, Training

#: Initialisations that take the update out of the base's weights, so that base and update begin as the base was.
FROM_BASE = ("pissa", "olora")
#: Those that read the base's weights; they need them whole.
SPECTRAL = (*FROM_BASE, "mica")


@dataclass(frozen=True)
class LoraSettings:
    rank: int = knob(
        8,
        "Rank r",
        "Width of the bottleneck between A and B. Twice the rank is twice the parameters.",
        low=1,
        high=1024,
    )
    alpha: float = knob(
        16.0, "Alpha", "The update BA is scaled by alpha / r before it is added to W.", low=0.01, high=4096
    )
    dropout: float = knob(0.0, "Dropout", "Share of the update's inputs dropped in training.", low=0.0, high=0.9)
    target_modules: tuple[str, ...] = target_knob("the query and value projections, as the paper does")
    rslora: bool = knob(
        False,
        "rsLoRA",
        "Scale by alpha / √r, so that a higher rank learns no more slowly (Kalajdzievski 2023).",
    )
    dora: bool = knob(
        False,
        "DoRA",
        "Learn the length of each of W's rows apart from its direction (Liu et al. 2024): d parameters more.",
    )
    lora_plus: float = knob(
        1.0,
        "LoRA+ ratio",
        "B learns this many times faster than A (Hayou et al. 2024 take about 16); 1 is plain LoRA.",
        low=1.0,
        high=64.0,
    )
    init: str = knob(
        "default",
        "Initialisation",
        "'default' and 'gaussian': A random, B zero. 'orthogonal': both at right angles. 'pissa', 'olora': the "
        "principal part of W itself is trained. 'mica': B holds W's smallest directions and stays fixed.",
        choices=("default", "gaussian", "orthogonal", *SPECTRAL),
        advanced=True,
    )
    rank_pattern: str = knob(
        "", "Ranks by module", "Other ranks for some modules: 'q_proj=4, v_proj=16'.", advanced=True, public=True
    )
    alpha_pattern: str = knob(
        "", "Alphas by module", "Other alphas for some modules: 'q_proj=8, v_proj=32'.", advanced=True, public=True
    )
    layers: str = layers_knob()


class Lora(TargetedMethod):
    key = "lora"
    title = "LoRA"
    family = "low rank"
    summary = "Adds (alpha/r)·B·A to each targeted matrix W and trains only A and B."
    formula = "r·(d + k) for each targeted d×k matrix; d more with DoRA"
    paper = Paper(
        "LoRA: Low-Rank Adaptation of Large Language Models",
        "Hu et al.",
        2021,
        "https://arxiv.org/abs/2106.09685",
        "section 4.1, equation 3",
    )
    lesson = "lora"
    Settings = LoraSettings
    training = {"learning_rate": 3e-3}
    mergeable = True
    inference = "two small products for each target; none once merged"

    def config(self, settings: LoraSettings, shape: ModelShape) -> Config:
        modules = self.matched(settings, shape)
        ranks = {name: int(value) for name, value in pattern(settings.rank_pattern).items()}
        alphas = pattern(settings.alpha_pattern)
        extra: dict[str, Any] = {
            "use_rslora": settings.rslora,
            "use_dora": settings.dora,
            "init_lora_weights": "" if settings.init == "default" else settings.init,
            "rank_pattern": spelled_out(ranks, modules, shape),
            "alpha_pattern": spelled_out(alphas, modules, shape),
        }
        return Config(
            "LoraConfig",
            {
                "r": settings.rank,
                "lora_alpha": settings.alpha,
                "lora_dropout": settings.dropout,
                **self.target_arguments(settings, shape),
                **self.transposed(settings, shape),
                **{name: value for name, value in extra.items() if value},
                **common(shape),
            },
        )

    def module_terms(self, module: Module, settings: LoraSettings, shape: ModelShape) -> list[Term]:
        rank = int(in_pattern(pattern(settings.rank_pattern), module, settings.rank))
        terms = [Term("A", module.name, (rank, module.inputs), "r·k")]
        if settings.init != "mica":
            terms.append(Term("B", module.name, (module.outputs, rank), "d·r"))
        if settings.dora:
            terms.append(Term("m", module.name, (module.outputs,), "d"))
        return terms

    def apply(self, model: Any, settings: LoraSettings, shape: ModelShape) -> Any:
        if settings.init not in FROM_BASE:
            return super().apply(model, settings, shape)
        from peft import get_peft_model_state_dict

        originals = {
            f"base_model.model.{item.name}.base_layer.weight": model.get_submodule(item.name)
            .weight.detach()
            .to("cpu", copy=True)
            for item in self.matched(settings, shape)
        }
        made = super().apply(model, settings, shape)
        made.originals = originals
        made.initial = {
            name: item.detach().to("cpu", copy=True) for name, item in get_peft_model_state_dict(made).items()
        }
        return made

    def save(self, model: Any, folder: Path) -> None:
        """Where the update was taken out of the base, what is saved is the difference to its beginning.

        B·A - B₀·A₀ is an ordinary LoRA of twice the rank, which fits the base as it was: any number of them can
        share it (Meng et al. 2024, appendix C).
        """
        import torch
        from peft import get_peft_model_state_dict
        from safetensors.torch import save_file

        if not hasattr(model, "initial"):
            return super().save(model, folder)
        tensors = {}
        for name, item in get_peft_model_state_dict(model).items():
            now = item.detach().cpu()
            if ".lora_A." in name:
                now = torch.cat([now, model.initial[name]])
            elif ".lora_B." in name:
                now = torch.cat([now, -model.initial[name]], dim=1)
            tensors[name] = now.contiguous()
        folder.mkdir(parents=True, exist_ok=True)
        save_file(tensors, str(folder / "adapter_model.safetensors"), metadata={"format": "pt"})
        config = copy.deepcopy(model.peft_config["default"])
        more = 2**0.5 if config.use_rslora else 2  # keeps the scale, alpha / r or alpha / √r
        config.init_lora_weights, config.inference_mode = True, True
        config.r, config.lora_alpha = 2 * config.r, more * config.lora_alpha
        config.rank_pattern = {name: 2 * value for name, value in config.rank_pattern.items()}
        config.alpha_pattern = {name: more * value for name, value in config.alpha_pattern.items()}
        config.base_model_name_or_path = model.get_base_model().config.name_or_path or None
        config.save_pretrained(str(folder))
        return None

    @contextmanager
    def disabled(self, model: Any) -> Iterator[Any]:
        with super().disabled(model), swapped(model, getattr(model, "originals", {})):
            yield model

    def groups(self, model: Any, settings: LoraSettings, training: Training) -> list[dict[str, Any]]:
        if settings.lora_plus == 1:
            return super().groups(model, settings, training)
        named = [(name, item) for name, item in model.named_parameters() if item.requires_grad]
        fast = [item for name, item in named if ".lora_B." in name]
        rest = [item for name, item in named if ".lora_B." not in name]
        return [{"params": rest}, {"params": fast, "lr": training.learning_rate * settings.lora_plus}]

    def source_groups(self, settings: LoraSettings, training: Training) -> str:
        if settings.lora_plus == 1:
            return super().source_groups(settings, training)
        fast = training.learning_rate * settings.lora_plus
        some = (
            '[item for name, item in model.named_parameters() if item.requires_grad and (".lora_B." in name) is {}]'
        )
        return f'[{{"params": {some.format(False)}}}, {{"params": {some.format(True)}, "lr": {fast}}}]'

    def compatible(
        self, settings: LoraSettings, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        reason = super().compatible(settings, shape, precision, training)
        return reason or self._patterns(settings, shape) or self._variants(settings, shape, precision)

    def _patterns(self, settings: LoraSettings, shape: ModelShape) -> Reason | None:
        modules = self.matched(settings, shape)
        try:
            ranks = pattern(settings.rank_pattern)
            for pairs in (ranks, pattern(settings.alpha_pattern)):
                spelled_out(pairs, modules, shape)
        except LabError as error:
            return Reason(error.message, error.hint)
        if any(value != int(value) for value in ranks.values()):
            return Reason("A rank must be a whole number.", "Write 'q_proj=4, v_proj=16'.")
        return None

    def _variants(self, settings: LoraSettings, shape: ModelShape, precision: Precision) -> Reason | None:
        found = self.matched(settings, shape)
        ranks = pattern(settings.rank_pattern)
        used = [(int(in_pattern(ranks, module, settings.rank)), module) for module in found]
        if settings.dora and precision.weights == "int8":
            return Reason("DoRA does not work on int8 weights.", "Choose nf4 or fp4, or switch DoRA off.")
        if settings.dora and settings.init == "mica":
            return Reason("DoRA and the initialisation 'mica' exclude each other.", "Choose one of them.")
        if settings.init in (*SPECTRAL, "orthogonal") and precision.quantized:
            return Reason(
                f"The initialisation '{settings.init}' needs the base's whole weights, not {precision.weights}.",
                "Choose fp32, bf16 or fp16, or the default initialisation.",
            )
        if settings.init == "olora" and any(module.kind == CONV1D for module in found):
            return Reason(
                "The initialisation 'olora' does not work on the transposed linear maps (Conv1D) of this model.",
                "Choose 'pissa', or the default initialisation.",
            )
        if settings.init in SPECTRAL:
            for rank, module in used:
                if rank > min(module.inputs, module.outputs):
                    return Reason(
                        f"'{module.name}' has only {min(module.inputs, module.outputs)} directions, not {rank}.",
                        "Choose a lower rank, or the default initialisation.",
                    )
        if settings.init == "orthogonal" and any(rank % 2 for rank, _ in used):
            return Reason("The orthogonal initialisation needs even ranks.", "Choose an even rank.")
        return None

    def warnings(self, settings: LoraSettings, shape: ModelShape) -> list[Reason]:
        smallest = min((min(m.inputs, m.outputs) for m in self.matched(settings, shape)), default=0)
        if settings.rank > smallest:
            return [
                Reason(
                    f"Rank {settings.rank} is above the smaller side of a targeted matrix ({smallest}): "
                    "BA is no longer low-rank, and no saving there.",
                    f"Choose {smallest} or less.",
                )
            ]
        return []
