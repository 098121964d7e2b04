"""Every other type that peft registers, its settings read from its configuration class.

A release of peft with a new type makes it usable here before a file of its own is written for it. What it trains
is found by a trial (`lab.methods.trial`).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from lab import access
from lab.errors import LabError, Reason
from lab.methods import fields
from lab.methods.base import Config, Term, common
from lab.methods.targeting import TargetedMethod, spelled_out, target_knob
from lab.models import libraries, patterns
from lab.models.shape import CONV1D, ModelShape, Module
from lab.plan import QUANTIZED, Precision, Training

if TYPE_CHECKING:
    from lab.methods.trial import Trial

#: Types that have a file of their own.
OWN = (
    "LORA", "ADALORA", "VERA", "OFT", "BOFT", "IA3", "LN_TUNING", "PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING",
    "BOTTLENECK",
)  # fmt: skip

#: Quantized precisions on which a type works where it is not all of them, measured against whole weights
#: (tests/methods/test_other.py): some fail, HRA, PEANuT and UniLoRA on int8 give wrong gradients without a word.
QUANTIZED_ON = {
    **dict.fromkeys(("DEFT", "LOHA", "LOKR"), ("int8",)),
    **dict.fromkeys(("C3A", "GRALORA"), ("nf4", "fp4")),
    **dict.fromkeys(
        ("ADAMSS", "DELORA", "FROD", "GLORA", "HRA", "OSF", "PEANUT", "PSOFT", "SUPERTUNING", "TINYLORA", "UNILORA"),
        (),
    ),
}

#: Fields that the lab fills in itself.
FILLED = (
    "task_type", "peft_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision", "inference_mode",
    "modules_to_save", "target_modules", "fan_in_fan_out", "token_dim", "num_layers", "num_attention_heads",
)  # fmt: skip


#: Fields that name modules by a person's expressions, which `matched` and `spelled_out` resolve to names.
BY_MODULE = "_pattern"

#: How a name is written for the types that do not read keys as `(.*\.)?(key)$`: those of FourierFT and C³A are
#: `.*\.key$`, or a whole name as it is; those of OSF are found anywhere in a name.
KEYS: dict[str, Callable[[str], str]] = {
    "FOURIERFT": str,
    "C3A": str,
    "OSF": lambda name: rf"(^|\.){re.escape(name)}$",
}


class Other(TargetedMethod):
    """One of peft's types. Its settings are the fields of its configuration."""

    family = "other"
    formula = "as peft builds it"
    lesson = "lora"

    def __init__(self, kind: str, cls: type) -> None:
        self.key = f"peft:{kind.lower()}"  # type: ignore[misc]
        self.title = cls.__name__.removesuffix("Config")  # type: ignore[misc]
        self.summary = f"The type {kind} of the peft library, with its own settings."  # type: ignore[misc]
        self.quantized = QUANTIZED_ON.get(kind, QUANTIZED)  # type: ignore[misc]
        self.cls = cls
        self.fields = {item.name: item for item in dataclasses.fields(cls) if item.init}
        self.kinds = fields.kinds(cls)
        self.pattern_key = KEYS.get(kind, re.escape)
        self.targeted = "target_modules" in self.fields
        self.Settings = self._settings()  # type: ignore[misc]

    def _settings(self) -> type:
        items = [
            fields.setting(field, self.kinds[name])
            for name, field in self.fields.items()
            if name not in FILLED and not name.startswith(("megatron", "layers_pattern"))
        ]
        if self.targeted:
            items.insert(0, ("target_modules", tuple, target_knob("the query and value projections")))
        return dataclasses.make_dataclass(self.cls.__name__.replace("Config", "Settings"), items, frozen=True)

    def layers(self, settings: Any) -> tuple[int, ...]:
        numbers = self._argument(settings, "layers_to_transform")
        numbers = [numbers] if isinstance(numbers, int) else numbers or []
        if not isinstance(numbers, list) or not all(type(item) is int for item in numbers):
            raise LabError(f"'{numbers}' is no list of layers.", "Write numbers, such as [0, 3].")
        return tuple(numbers)

    def virtual_tokens(self, settings: Any) -> int:
        return int(getattr(settings, "num_virtual_tokens", None) or 0)

    def matched(self, settings: Any, shape: ModelShape) -> tuple[Module, ...]:
        if not self.targeted:
            return ()
        excluded = self._argument(settings, "exclude_modules") or []
        modules = super().matched(settings, shape)
        if isinstance(excluded, str):
            return tuple(module for module in modules if not patterns.fullmatch(excluded, module.name))
        if not isinstance(excluded, list):
            raise LabError(f"'{excluded}' names no modules.", 'Write an expression, or a list such as ["q_proj"].')
        names = {str(name) for name in excluded}
        return tuple(module for module in modules if names.isdisjoint(patterns.tails(module.name)))

    def config(self, settings: Any, shape: ModelShape) -> Config:
        # Everything that is handed to peft passes here, whoever asks for it and whatever for.
        access.check_settings(settings)
        given = {
            name: self._by_module(settings, name, shape)
            if name.endswith(BY_MODULE)
            else self._argument(settings, name)
            for name, field in self.fields.items()
            if name not in (*FILLED, "exclude_modules", "layers_to_transform")
            and hasattr(settings, name)
            and getattr(settings, name) != fields.default(field)
        }
        if self.targeted:
            given |= self.target_arguments(settings, shape)
        else:
            given |= {
                name: value
                for name, value in (
                    ("token_dim", shape.hidden),
                    ("num_layers", shape.decoder_layers),
                    ("num_attention_heads", shape.heads),
                )
                if name in self.fields
            }
        if "fan_in_fan_out" in self.fields and any(m.kind == CONV1D for m in self.matched(settings, shape)):
            given["fan_in_fan_out"] = True
        told = {name: value for name, value in common(shape).items() if name in self.fields}
        return Config(self.cls.__name__, given | told, self.cls.__module__)

    def _argument(self, settings: Any, name: str) -> Any:
        """The value of a field for peft; None for one that the type does not have. Raises LabError."""
        if not hasattr(settings, name):
            return None
        return fields.argument(getattr(settings, name), self.fields[name], self.kinds[name])

    def _by_module(self, settings: Any, name: str, shape: ModelShape) -> dict[str, Any]:
        """A field of numbers by module, its expressions resolved to names. Raises LabError."""
        pairs = self._argument(settings, name)
        if not isinstance(pairs, dict):
            raise LabError(f"'{pairs}' is no table of numbers by module.", 'Write {"q_proj": 4}.')
        for value in pairs.values():
            fields.check_number(value, name)
        patterns.check(pairs)
        return spelled_out(pairs, self.matched(settings, shape), shape, self.pattern_key)

    def module_terms(self, module: Module, settings: Any, shape: ModelShape) -> list[Term]:
        return [term for term in self.terms(settings, shape) if term.module == module.name]

    def terms(self, settings: Any, shape: ModelShape) -> list[Term]:
        trial = _trial(self, settings, shape)
        return [] if trial.problem else list(trial.terms)

    def compatible(
        self, settings: Any, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        check: Any = super() if self.targeted else super(TargetedMethod, self)
        reason = check.compatible(settings, shape, precision, training)
        if reason:
            return reason
        try:
            trial = _trial(self, settings, shape)
            if not trial.passed and not trial.problem:
                access.rules().untried(self.title)
        except LabError as error:
            return Reason(error.message, error.hint)
        return Reason(trial.problem, "Change its settings, or choose another method.") if trial.problem else None


def _trial(method: Other, settings: Any, shape: ModelShape) -> Trial:
    from lab.methods.trial import trial  # loads torch

    return trial(method, settings, shape)


@cache
def others() -> dict[str, Other]:
    """The methods that only peft describes, by key ("peft:miss"). Loads peft."""
    libraries.load()
    from peft import PEFT_TYPE_TO_CONFIG_MAPPING

    found = {}
    for kind, cls in sorted(PEFT_TYPE_TO_CONFIG_MAPPING.items()):
        if kind.value not in OWN:
            method = Other(kind.value, cls)
            found[method.key] = method
    return found


def other(key: str) -> Other:
    """The method of that key. Raises LabError if peft has no such type."""
    if key not in others():
        raise LabError(f"peft has no type '{key.removeprefix('peft:')}'.", f"It has: {', '.join(others())}.")
    return others()[key]
