"""Methods that sit on chosen linear maps: which ones, and how peft is told so."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

from lab.errors import LabError, Reason
from lab.knobs import knob
from lab.methods.adapters import PeftMethod
from lab.methods.base import Term, head_terms
from lab.models import patterns
from lab.models.shape import CONV1D, ModelShape, Module
from lab.plan import Precision, Training

T = TypeVar("T")


def target_knob(which: str) -> Any:
    """The setting `target_modules`; `which` says what an empty one takes."""
    return knob(
        (),
        "Target modules",
        f"The weight matrices that are adapted. Empty takes {which}; 'all-linear' takes every one in the blocks; "
        "a single regular expression is matched against whole names.",
        source="modules",
        public=True,  # matched by lab.models.patterns
    )


def layers_knob() -> Any:
    """The setting `layers`: the numbers of the blocks that are adapted."""
    return knob("", "Layers", "Blocks to adapt, from 0: '0-3, 7'. Empty takes all.", advanced=True, public=True)


def layer_numbers(text: str) -> tuple[int, ...]:
    """The numbers in '0-3, 7'. Raises LabError for anything else."""
    numbers: set[int] = set()
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        ends = re.fullmatch(r"(\d{1,4})(?:\s*-\s*(\d{1,4}))?", part, re.ASCII)
        if ends is None or int(ends[2] or ends[1]) < int(ends[1]):
            raise LabError(f"'{part}' is no range of layers.", "Write numbers and ranges, such as '0-3, 7'.")
        numbers.update(range(int(ends[1]), int(ends[2] or ends[1]) + 1))
    return tuple(sorted(numbers))


def pattern(text: str) -> Mapping[str, float]:
    """The pairs in 'q_proj=4, v_proj=16'. Raises LabError for anything else."""
    return _pairs(text)


@lru_cache(maxsize=64)
def _pairs(text: str) -> Mapping[str, float]:
    pairs: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, value = (piece.strip() for piece in part.rpartition("="))
        try:
            pairs[name] = float(value)
        except ValueError:
            raise LabError(f"'{part}' is no pair of a module and a number.", "Write 'q_proj=4, v_proj=16'.") from None
        if not name or not 0 < pairs[name] <= 4096:
            raise LabError(f"'{part}' is no pair of a module and a positive number.", "Write 'q_proj=4, v_proj=16'.")
    patterns.check(pairs)
    return MappingProxyType(pairs)


def in_pattern(pairs: Mapping[str, Any], module: Module, default: Any) -> Any:
    """The number that a pattern gives a module, as peft finds it: the first key that ends its name."""
    return next((value for key, value in pairs.items() if patterns.ends(key, module.name)), default)


def spelled_out(
    pairs: Mapping[str, T], modules: tuple[Module, ...], shape: ModelShape, key: Callable[[str], str] = re.escape
) -> dict[str, T]:
    """The pairs with keys that name modules, in place of those that a person wrote.

    The names are short where all targeted modules of that name share the value, else full; `key` writes a name so
    that peft's `re` reads it as this name. peft never sees a person's expression, which could keep `re` busy for
    ever.

    Raises LabError for a key that matches none of the modules, and where more than `patterns.MOST` names are needed.
    """
    for text in pairs:
        if not any(patterns.ends(text, module.name) for module in modules):
            raise LabError(
                f"'{text}' names none of the targeted modules.", f"They are: {short_names(modules, shape)}."
            )
    values = {module.name: value for module in modules if (value := in_pattern(pairs, module, None)) is not None}
    by_name: dict[str, T] = {}
    for short in dict.fromkeys(shape.short(module) for module in modules):
        names = [module.name for module in modules if ends(module, (short,))]
        if len({values.get(name) for name in names}) > 1:
            by_name |= {name: values[name] for name in names if name in values}
        elif names[0] in values:
            by_name[short] = values[names[0]]
    if len(by_name) > patterns.MOST:
        raise LabError(
            f"The settings by module differ for {len(by_name):,} modules; at most {patterns.MOST} can be told apart.",
            "Give all modules of a name the same value.",
        )
    return {key(name): value for name, value in by_name.items()}


def short_names(modules: tuple[Module, ...], shape: ModelShape) -> str:
    """The short names of modules, each once."""
    return ", ".join(dict.fromkeys(shape.short(module) for module in modules))


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

    def layers(self, settings: Any) -> tuple[int, ...]:
        """The numbers of the blocks that are adapted; empty for all. Raises LabError for what is no such list."""
        return layer_numbers(getattr(settings, "layers", ""))

    def matched(self, settings: Any, shape: ModelShape) -> tuple[Module, ...]:
        """The modules that the settings name. Raises LabError for layers or an expression that cannot be read."""
        found = shape.matching(settings.target_modules or self.default_targets(shape))
        layers = self.layers(settings)
        return tuple(module for module in found if not layers or module.layer in layers)

    def target_arguments(self, settings: Any, shape: ModelShape) -> dict[str, Any]:
        """`target_modules` and `layers_to_transform` with which peft adapts exactly `matched` and nothing else.

        Short names where they mean just these modules, else full names: a short name such as BERT's
        "output.dense" also ends another one.
        """
        wanted = self.matched(settings, shape)
        names = tuple(dict.fromkeys(shape.short(module) for module in wanted))
        layers = self.layers(settings)
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
        known = {tail for module in shape.projections for tail in patterns.tails(module.name)}
        lost = [name for name in several if name not in known]
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
