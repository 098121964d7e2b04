"""Every other type that peft registers, its settings read from its configuration class.

A release of peft with a new type makes it usable here before a file of its own is written for it. What it trains
is found by building it on the meta device, without numbers.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import typing
import warnings
from functools import cache, lru_cache
from typing import Any

from lab.errors import LabError, Reason
from lab.knobs import knob
from lab.methods.base import Config, Term, common
from lab.methods.targeting import TargetedMethod, target_knob
from lab.models import libraries
from lab.models.shape import CONV1D, ModelShape, Module, build
from lab.plan import CLASSIFY, QUANTIZED, Precision, Training

#: Up to this many parameters a type is tried out on a model with weights.
TRIED = 40_000_000

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
        self.Settings = _settings(cls, tuple(self.fields.values()))  # type: ignore[misc]
        self.targeted = "target_modules" in self.fields

    def virtual_tokens(self, settings: Any) -> int:
        return int(getattr(settings, "num_virtual_tokens", None) or 0)

    def matched(self, settings: Any, shape: ModelShape) -> tuple[Module, ...]:
        return super().matched(settings, shape) if self.targeted else ()

    def config(self, settings: Any, shape: ModelShape) -> Config:
        given = {
            name: _value(getattr(settings, name), field)
            for name, field in self.fields.items()
            if name not in FILLED and hasattr(settings, name) and getattr(settings, name) != _default(field)
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

    def module_terms(self, module: Module, settings: Any, shape: ModelShape) -> list[Term]:
        return [term for term in self.terms(settings, shape) if term.module == module.name]

    def terms(self, settings: Any, shape: ModelShape) -> list[Term]:
        return [] if _trial(self, settings, shape)[1] else list(_trial(self, settings, shape)[0])

    def compatible(
        self, settings: Any, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        check: Any = super() if self.targeted else super(TargetedMethod, self)
        reason = check.compatible(settings, shape, precision, training)
        if reason:
            return reason
        problem = _trial(self, settings, shape)[1]
        return Reason(problem, "Change its settings, or choose another method.") if problem else None


@lru_cache(maxsize=256)
def _trial(method: Other, settings: Any, shape: ModelShape) -> tuple[tuple[Term, ...], str]:
    """(what is trained, why it does not work): the method put on a model of this shape.

    A small model is made with random weights and runs once; of a large one there is only the structure, which
    cannot run, and on which a type that reads the base's weights cannot be tried.
    """
    import torch

    small = shape.total <= TRIED
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = method.apply(build(shape, "cpu" if small else "meta"), settings, shape)
            trained = tuple(
                Term(plain(name).rpartition(".")[2], plain(name).rpartition(".")[0], tuple(item.shape), "as built")
                for name, item in model.named_parameters()
                if item.requires_grad
            )
            if small:
                _run(model, shape)
    except Exception as error:
        text = str(error).strip().splitlines()
        return (), f"peft cannot put {method.title} on this model: {text[0] if text else type(error).__name__}"
    return trained, "" if trained else f"{method.title} trains nothing here."


def _run(model: Any, shape: ModelShape) -> None:
    """One forward and one backward pass. Raises whatever they raise; ValueError where no gradient arrives."""
    import torch

    ids = torch.full((2, 6), shape.vocabulary - 1)
    ids[:, -1] = json.loads(shape.config).get("eos_token_id") or 0
    labels = torch.zeros(2, dtype=torch.long) if shape.task == CLASSIFY else ids
    model.train()
    loss = model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels).loss
    if not torch.isfinite(loss):
        raise ValueError("its loss is no number here")
    loss.backward()
    if not any(item.grad is not None for item in model.parameters() if item.requires_grad):
        raise ValueError("no gradient arrives at it")


def plain(name: str) -> str:
    """A parameter's name without what peft puts around it."""
    for part in (".modules_to_save", ".default", ".base_layer"):
        name = name.replace(part, "")
    return name.removeprefix("base_model.model.").removeprefix("base_model.")


def _default(field: dataclasses.Field) -> Any:
    """The field's default as a setting: plain values as they are, everything else as text."""
    value = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    if isinstance(value, enum.Enum):
        return value.value
    if value is None or value is dataclasses.MISSING:
        return ""
    return value if isinstance(value, bool | int | float | str) else json.dumps(value, default=str)


def _value(given: Any, field: dataclasses.Field) -> Any:
    """The setting as the argument: what is text only because the default is empty or a list is read as JSON."""
    if not isinstance(given, str) or isinstance(field.default, str):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given


def _settings(cls: type, fields: tuple[dataclasses.Field, ...]) -> type:
    made = []
    for field in fields:
        if field.name in FILLED or field.name.startswith(("megatron", "layers_pattern")):
            continue
        default = _default(field)
        label = field.name.replace("_", " ").capitalize()
        help = " ".join(str(field.metadata.get("help", "")).split())
        choices = [item for item in typing.get_args(field.type) if isinstance(item, str)]
        closed = choices if default in choices and typing.get_origin(field.type) is typing.Literal else ()
        made.append((field.name, type(default), knob(default, label, help, choices=closed, advanced=True)))
    if any(field.name == "target_modules" for field in fields):
        names = target_knob("the query and value projections")
        made.insert(0, ("target_modules", tuple, names))
    return dataclasses.make_dataclass(cls.__name__.replace("Config", "Settings"), made, frozen=True)


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
