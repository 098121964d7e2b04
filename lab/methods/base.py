"""What a method is: one descriptor, from which everything else is derived.

The form, the validation, the parameter panel, the memory estimate, the training loop, the exported script, the
comparison, the documentation and the contract tests ask a `Method` and never name one. A new method is one file
with one class, one line in `lab.methods.METHODS` and one lesson.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, ClassVar

from lab.errors import LabError
from lab.models.shape import ModelShape
from lab.plan import CLASSIFY, GENERATE, Precision, Training

#: The families, in the order in which the form lists them.
FAMILIES = ("baseline", "low rank", "orthogonal", "adapter", "prompt", "selective", "other")


@dataclass(frozen=True)
class Paper:
    """Where a method comes from. `place` is the section or equation that defines it."""

    title: str
    authors: str
    year: int
    url: str
    place: str = ""


@dataclass(frozen=True)
class Term:
    """One tensor that a method trains.

    `name` says what it is in the method's own letters ("A", "B"), `module` where it sits, `shape` its dimensions
    and `formula` how these follow from the settings and the model ("r·k").
    """

    name: str
    module: str
    shape: tuple[int, ...]
    formula: str

    @property
    def count(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Reason:
    """Why a choice cannot work, and what to take instead."""

    message: str
    hint: str


@dataclass(frozen=True)
class Config:
    """A peft configuration as a value: the name of its class and its arguments.

    The loop builds it and the exported script prints it, so both are the same.
    """

    cls: str
    arguments: Mapping[str, Any]

    def source(self) -> str:
        """The expression that a person would write."""
        inner = "".join(f"    {name}={value!r},\n" for name, value in self.arguments.items())
        return f"{self.cls}(\n{inner})"


class Method(ABC):
    """A way to fine-tune. Subclasses are stateless; `lab.methods.METHODS` holds one instance of each."""

    key: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[str]
    summary: ClassVar[str]  # one sentence: what it changes
    formula: ClassVar[str]  # trainable parameters, as a person writes it
    paper: ClassVar[Paper | None] = None
    lesson: ClassVar[str] = "lora"  # the tab that teaches it
    Settings: ClassVar[type]
    #: Training settings that suit the method better than the general defaults.
    training: ClassVar[Mapping[str, Any]] = {}
    tasks: ClassVar[tuple[str, ...]] = (CLASSIFY, GENERATE)
    mergeable: ClassVar[bool] = False
    inference: ClassVar[str] = "none"  # what it costs at inference, unmerged
    #: Empty where the model's output at initialisation equals the base's; else why it does not.
    not_identity: ClassVar[str] = ""
    #: Whether training changes the base's own weights (a base that was trained is loaded afresh).
    changes_base: ClassVar[bool] = False

    @abstractmethod
    def terms(self, settings: Any, shape: ModelShape) -> list[Term]:
        """Every tensor that will be trained, the classification head's included, from the shape alone."""

    @abstractmethod
    def apply(self, model: Any, settings: Any, shape: ModelShape) -> Any:
        """The model ready to train: `terms` require gradients and nothing else does."""

    @abstractmethod
    def save(self, model: Any, folder: Path) -> None:
        """Write what was learned into `folder`, as safetensors."""

    @abstractmethod
    def load(self, base: Any, folder: Path) -> Any:
        """The base with what `save` wrote; ready for inference, nothing trainable."""

    @abstractmethod
    def source(self, settings: Any, shape: ModelShape) -> tuple[str, ...]:
        """The lines of a script that turn `model` into the model to train (see `lab.training.script`)."""

    @abstractmethod
    @contextmanager
    def disabled(self, model: Any) -> Iterator[Any]:
        """Within the context, the value it yields computes what the base computes."""
        yield model

    def compatible(
        self, settings: Any, shape: ModelShape, precision: Precision, training: Training | None = None
    ) -> Reason | None:
        """Why the method cannot work with these choices, known before anything is loaded; None if it can."""
        if shape.task not in self.tasks:
            return Reason(f"{self.title} does not work for the task '{shape.task}'.", "Choose another task or method.")
        return None

    def warnings(self, settings: Any, shape: ModelShape) -> list[Reason]:
        """What a person should know of a choice that works."""
        return []

    def groups(self, model: Any, settings: Any, training: Training) -> list[dict[str, Any]]:
        """Parameter groups for the optimizer (torch's form); one group of all that is trainable by default."""
        return [{"params": [item for item in model.parameters() if item.requires_grad]}]

    def loss(self, model: Any, settings: Any) -> Any:
        """A regularising term that the method adds to the training loss; None where it adds nothing."""
        return None

    def after_step(self, model: Any, settings: Any, step: int, steps: int) -> None:
        """Called after each optimizer step, before gradients are cleared (for methods that reallocate)."""

    def prepare(self, settings: Any, steps: int) -> Any:
        """The settings completed by what is known only at launch (the number of steps)."""
        return settings

    def state(self, model: Any) -> dict[str, Any]:
        """All tensors that a checkpoint must hold to resume exactly, by parameter name."""
        return {name: item.detach() for name, item in model.named_parameters() if item.requires_grad}

    def trainable(self, settings: Any, shape: ModelShape) -> int:
        """Number of trained parameters, by the formula."""
        return sum(term.count for term in self.terms(settings, shape))


def head_terms(shape: ModelShape) -> list[Term]:
    """The classification head, which every method trains in full."""
    return [
        Term("head", item.name.rsplit(".", 1)[0], item.shape, "·".join(str(size) for size in item.shape))
        for item in shape.head_parameters()
    ]


class PeftMethod(Method):
    """A method of the peft library: described by the configuration that peft takes."""

    @abstractmethod
    def config(self, settings: Any, shape: ModelShape) -> Config:
        """The peft configuration, its task type and the classification head included."""

    def apply(self, model: Any, settings: Any, shape: ModelShape) -> Any:
        import peft

        config = self.config(settings, shape)
        return peft.get_peft_model(model, getattr(peft, config.cls)(**config.arguments))

    def save(self, model: Any, folder: Path) -> None:
        model.save_pretrained(str(folder), safe_serialization=True)

    def load(self, base: Any, folder: Path) -> Any:
        import peft

        check_adapter(folder)
        return peft.PeftModel.from_pretrained(base, str(folder), low_cpu_mem_usage=False)

    def source(self, settings: Any, shape: ModelShape) -> tuple[str, ...]:
        config = self.config(settings, shape)
        return (
            f"from peft import {config.cls}, get_peft_model",
            f"config = {config.source()}",
            "model = get_peft_model(model, config)",
            "model.print_trainable_parameters()",
        )

    @contextmanager
    def disabled(self, model: Any) -> Iterator[Any]:
        with model.disable_adapter():
            yield model


def check_adapter(folder: Path) -> None:
    """Refuse a folder that is not a readable safetensors adapter. Raises LabError with the reason."""
    config = folder / "adapter_config.json"
    if not config.is_file():
        raise LabError(f"'{folder.name}' holds no adapter_config.json.", "Choose a folder that peft has saved.")
    try:
        if not isinstance(json.loads(config.read_text(encoding="utf-8")), dict):
            raise ValueError("not an object")
    except (OSError, ValueError):
        raise LabError("adapter_config.json cannot be read.", "Download or save the adapter again.") from None
    if not (folder / "adapter_model.safetensors").is_file():
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt"))
        raise LabError(
            "This adapter is in the pickle format, which can run code when it is opened."
            if pickled
            else "The adapter's weights (adapter_model.safetensors) are missing.",
            "Save it again as safetensors.",
        )


def common(shape: ModelShape) -> dict[str, Any]:
    """The arguments that every peft configuration needs for a task: its type, and the head to train in full."""
    if shape.task == CLASSIFY:
        return {"task_type": "SEQ_CLS", "modules_to_save": list(shape.head)}
    return {"task_type": "SEQ_2_SEQ_LM" if shape.family == "encoder-decoder" else "CAUSAL_LM"}
