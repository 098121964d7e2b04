"""A tuner for the peft library: bottleneck adapters, saved, loaded and switched by peft's ordinary calls.

Importing this module makes the type known to peft. What it adds to a targeted module with input x and output y:

    sequential   y + s · W_up f(W_down dropout(y) + b_down) + s · b_up      (Houlsby et al. 2019, section 2.1)
    parallel     y + s · W_up f(W_down dropout(x) + b_down) + s · b_up      (He et al. 2022, section 3.3)

W_up and b_up begin at zero, so that the model begins as the base.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from peft.config import PeftConfig
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from peft.utils.peft_types import PeftType
from torch import nn

from lab.compat.peft import add_type
from lab.errors import LabError
from lab.methods.bottleneck.dimensions import bottleneck_width

NAME = "BOTTLENECK"

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}


@dataclass
class BottleneckConfig(PeftConfig):
    """Where the adapters sit and how wide they are."""

    target_modules: list[str] | str | None = field(
        default=None,
        metadata={"help": "Modules after (or beside) which an adapter is put, as peft matches names."},
    )
    exclude_modules: list[str] | str | None = field(default=None, metadata={"help": "Modules to leave out."})
    layers_to_transform: list[int] | int | None = field(default=None, metadata={"help": "Blocks to adapt."})
    layers_pattern: list[str] | str | None = field(default=None, metadata={"help": "Name of the list of blocks."})
    modules_to_save: list[str] | None = field(default=None, metadata={"help": "Modules to train in full."})
    reduction_factor: float = field(default=16.0, metadata={"help": "Width of the module over the bottleneck's."})
    activation: str = field(default="relu", metadata={"help": f"One of {', '.join(ACTIVATIONS)}."})
    parallel: bool = field(default=False, metadata={"help": "Read the module's input instead of its output."})
    dropout: float = field(default=0.0, metadata={"help": "Dropout on what the adapter reads."})
    scaling: float = field(default=1.0, metadata={"help": "Factor of the adapter's output."})

    def __post_init__(self) -> None:
        super().__post_init__()
        if NAME not in PeftType.__members__:
            raise LabError("The installed peft takes no bottleneck adapters.", "Install peft 0.21, or choose LoRA.")
        self.peft_type = PeftType[NAME]
        if isinstance(self.target_modules, list):
            self.target_modules = set(self.target_modules)  # type: ignore[assignment]  # as peft's own configurations do
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {self.activation!r}")
        if self.reduction_factor <= 0:
            raise ValueError(f"reduction_factor must be positive, not {self.reduction_factor}")


class BottleneckLayer(nn.Module, BaseTunerLayer):
    """A module of the base and the adapters that sit on it, by name."""

    adapter_layer_names = ("bottleneck_down", "bottleneck_up")
    other_param_names = ("bottleneck_act", "bottleneck_dropout", "bottleneck_scaling", "bottleneck_parallel")

    def __init__(self, base_layer: nn.Module, adapter_name: str, config: BottleneckConfig) -> None:
        super().__init__()
        self.base_layer = base_layer
        self.bottleneck_down = nn.ModuleDict({})
        self.bottleneck_up = nn.ModuleDict({})
        self.bottleneck_act = nn.ModuleDict({})
        self.bottleneck_dropout = nn.ModuleDict({})
        self.bottleneck_scaling: dict[str, float] = {}
        self.bottleneck_parallel: dict[str, bool] = {}
        self.in_features, self.out_features = outer_width(self.get_base_layer())
        self.update_layer(adapter_name, config)
        self.set_adapter([adapter_name], inference_mode=config.inference_mode)

    def update_layer(self, adapter_name: str, config: BottleneckConfig) -> None:
        width = bottleneck_width(self.out_features, config.reduction_factor)
        inputs = self.in_features if config.parallel else self.out_features
        down, up = nn.Linear(inputs, width), nn.Linear(width, self.out_features)
        if down.weight.device.type != "meta":
            nn.init.normal_(down.weight, std=0.02)
            nn.init.zeros_(down.bias)
            nn.init.zeros_(up.weight)
            nn.init.zeros_(up.bias)
            device = next(self.get_base_layer().parameters()).device
            down, up = down.to(device), up.to(device)
        self.bottleneck_down[adapter_name] = down
        self.bottleneck_up[adapter_name] = up
        self.bottleneck_act[adapter_name] = ACTIVATIONS[config.activation]()
        self.bottleneck_dropout[adapter_name] = nn.Dropout(config.dropout)
        self.bottleneck_scaling[adapter_name] = config.scaling
        self.bottleneck_parallel[adapter_name] = config.parallel
        self.set_adapter(self.active_adapters, inference_mode=config.inference_mode)

    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        result = self.base_layer(x, *args, **kwargs)
        if self.disable_adapters:
            return result
        for name in self.active_adapters:
            if name not in self.bottleneck_down:
                continue
            down, up = self.bottleneck_down[name], self.bottleneck_up[name]
            read = self.bottleneck_dropout[name](x if self.bottleneck_parallel[name] else result)
            added = up(self.bottleneck_act[name](down(read.to(down.weight.dtype))))
            result = result + (self.bottleneck_scaling[name] * added).to(result.dtype)
        return result

    def merge(self, safe_merge: bool = False, adapter_names: list[str] | None = None) -> None:
        raise ValueError("A bottleneck adapter has a non-linearity and cannot be merged into a weight matrix.")

    def __getattr__(self, name: str) -> Any:
        # Blocks read attributes of their feed-forward (T5: the type of `wo.weight`).
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == "base_layer":
                raise
            return getattr(super().__getattr__("base_layer"), name)


class BottleneckModel(BaseTuner):
    """The base with bottleneck adapters put in."""

    prefix = "bottleneck_"
    tuner_layer_cls = BottleneckLayer
    target_module_mapping: dict[str, list[str]] = {}

    def _create_and_replace(  # type: ignore[override]  # peft hands each tuner its own configuration
        self,
        peft_config: BottleneckConfig,
        adapter_name: str,
        target: nn.Module,
        target_name: str,
        parent: nn.Module,
        current_key: str,
        parameter_name: str | None = None,
    ) -> None:
        if isinstance(target, BottleneckLayer):
            target.update_layer(adapter_name, peft_config)
            return
        layer = BottleneckLayer(target, adapter_name, peft_config)
        if adapter_name not in self.active_adapters:
            layer.requires_grad_(False)  # a further adapter is not trained until it is made active
        setattr(parent, target_name, layer)


def outer_width(module: nn.Module) -> tuple[int, int]:
    """(inputs, outputs) of a linear map, or of the first and last one inside a feed-forward."""
    maps = [item for item in module.modules() if width(item)]
    if not maps:
        raise ValueError(
            f"A bottleneck adapter sits on linear maps or modules made of them, not {type(module).__name__}."
        )
    inputs, outputs = width(maps[0])[0], width(maps[-1])[1]
    return inputs, outputs


def width(module: nn.Module) -> tuple[int, ...]:
    """(inputs, outputs) of a linear map of torch, bitsandbytes or GPT-2; empty for anything else."""
    if hasattr(module, "in_features") and hasattr(module, "out_features"):
        return int(module.in_features), int(module.out_features)  # type: ignore[arg-type]
    if type(module).__name__ == "Conv1D":
        return int(module.nx), int(module.nf)  # type: ignore[arg-type]
    return ()


#: Whether the installed peft knows the type.
AVAILABLE = bool(add_type(NAME, BottleneckConfig, BottleneckModel, "bottleneck_"))
