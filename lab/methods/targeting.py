"""Methods that sit on chosen linear maps: which ones, and how peft is told so."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any

from lab.errors import LabError, Reason
from lab.knobs import knob
from lab.methods.adapters import PeftMethod
from lab.methods.base import Term, head_terms
from lab.models.shape import CONV1D, ModelShape, Module
from lab.plan import Precision, Training


def target_knob(which: str) -> Any:
    """The setting `target_modules`; `which` says what an empty one takes."""
    return knob(
        (),
        "Target modules",
        f"The weight matrices that are adapted. Empty takes {which}; 'all-linear' takes every one in the blocks; "
        "a single regular expression is matched against whole names.",
        source="modules",
    )


def layers_knob() -> Any:
    """The setting `layers`: the numbers of the blocks that are adapted."""
    return knob("", "Layers", "Blocks to adapt, from 0: '0-3, 7'. Empty takes all.", advanced=True)


def layer_numbers(text: str) -> tuple[int, ...]:
    """The numbers in '0-3, 7'. Raises LabError for anything else."""
    numbers: list[int] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        found = re.fullmatch(r"(\d{1,4})(?:\s*-\s*(\d{1,4}))?", part)
        if found is None or int(found[2] or found[1]) < int(found[1]):
            raise LabError(f"'{part}' is no range of layers.", "Write numbers and ranges, such as '0-3, 7'.")
        numbers += range(int(found[1]), int(found[2] or found[1]) + 1)
    return tuple(dict.fromkeys(numbers))


def pattern(text: str) -> dict[str, float]:
    """The pairs in 'q_proj=4, v_proj=16'. Raises LabError for anything else."""
    pairs: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, value = (piece.strip() for piece in part.partition("="))
        try:
            pairs[name] = float(value)
            re.compile(name)
        except (ValueError, re.error):
            raise LabError(f"'{part}' is no pair of a module and a number.", "Write 'q_proj=4, v_proj=16'.") from None
        if not name or not 0 < pairs[name] <= 4096:
            raise LabError(f"'{part}' is no pair of a module and a positive number.", "Write 'q_proj=4, v_proj=16'.")
    return pairs


def in_pattern(pairs: dict[str, float], module: Module, default: float) -> float:
    """The number that a pattern gives a module, as peft finds it: the first key that ends its name."""
    return next((value for key, value in pairs.items() if re.match(rf"(.*\.)?({key})$", module.name)), default)


def ends(module: Module, names: tuple[str, ...]) -> bool:
    """Whether peft takes the module for one of the names."""
    return any(module.name == name or module.name.endswith("." + name) for name in names)


class TargetedMethod(PeftMethod):
    """A method whose settings have `target_modules` and, where it can, `layers`."""

    #: Whether peft's layers of this method work on the transposed maps of GPT-2.
    conv1d = True

    def default_targets(self, shape: ModelShape) -> tuple[str, ...]:
        """The targets of an empty setting."""
        return shape.attention_inputs()

    @abstractmethod
    def module_terms(self, module: Module, settings: Any, shape: ModelShape) -> list[Term]:
        """What is trained at one targeted module."""

    def matched(self, settings: Any, shape: ModelShape) -> tuple[Module, ...]:
        """The modules that the settings name. Raises LabError for layers or an expression that cannot be read."""
        found = shape.matching(settings.target_modules or self.default_targets(shape))
        layers = layer_numbers(getattr(settings, "layers", ""))
        return tuple(module for module in found if not layers or module.layer in layers)

    def target_arguments(self, settings: Any, shape: ModelShape) -> dict[str, Any]:
        """`target_modules` and `layers_to_transform` with which peft adapts exactly `matched` and nothing else.

        Short names where they mean just these modules, else full names: a short name such as BERT's
        "output.dense" also ends another one.
        """
        wanted = self.matched(settings, shape)
        names = tuple(dict.fromkeys(shape.short(module) for module in wanted))
        layers = layer_numbers(getattr(settings, "layers", ""))
        reached = tuple(
            module
            for module in shape.modules
            if ends(module, names) and (not layers or module.layer in layers) and not ends_in_head(module, shape)
        )
        if reached != wanted:
            return {"target_modules": [module.name for module in wanted]}
        return {"target_modules": list(names)} | ({"layers_to_transform": list(layers)} if layers else {})

    def transposed(self, settings: Any, shape: ModelShape) -> dict[str, Any]:
        """`fan_in_fan_out`, where the targets store their weights as (inputs, outputs)."""
        return {"fan_in_fan_out": True} if any(m.kind == CONV1D for m in self.matched(settings, shape)) else {}

    def terms(self, settings: Any, shape: ModelShape) -> list[Term]:
        terms = [
            term for module in self.matched(settings, shape) for term in self.module_terms(module, settings, shape)
        ]
        return terms + head_terms(shape)

    def compatible(
        self, settings: Any, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        try:
            found = self.matched(settings, shape)
        except LabError as error:
            return Reason(error.message, error.hint)
        named, layers = getattr(settings, "target_modules", ()), getattr(settings, "layers", "")
        # Beside names that match, peft leaves out without a word one that does not.
        several = named if len(named) > 1 else ()
        lost = [name for name in several if not any(ends(module, (name,)) for module in shape.projections)]
        if lost or not found:
            given = ", ".join(lost or named) or "the default targets"
            where = f" in the layers {layers}" if layers and not lost else ""
            return Reason(
                f"No module of this model matches {given}{where}.",
                f"It has {shape.layers} layers with: {', '.join(shape.targets)}.",
            )
        # Quantized, these maps are ordinary ones.
        if not self.conv1d and not precision.quantized and any(module.kind == CONV1D for module in found):
            return Reason(
                f"{self.title} does not work on the transposed linear maps (Conv1D) of this model.",
                "Choose LoRA, (IA)³ or a bottleneck adapter, or another model.",
            )
        return super().compatible(settings, shape, precision, training)


def ends_in_head(module: Module, shape: ModelShape) -> bool:
    """Whether the module belongs to the classification head, which peft never adapts."""
    return any(module.name == name or module.name.startswith(name + ".") for name in shape.head)
