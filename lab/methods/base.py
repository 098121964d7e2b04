"""What a method is: one descriptor, from which everything else is derived.

The form, the validation, the parameter panel, the memory estimate, the training loop, the exported script, the
comparison, the documentation and the contract tests ask a `Method` and never name one. A new method is one file
with one class, one line in `lab.methods.METHODS` and one lesson.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any, ClassVar

from lab.errors import LabError, Reason
from lab.models.shape import ModelShape
from lab.plan import CLASSIFY, GENERATE, QUANTIZED, WEIGHTS, Precision, Training

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
class Config:
    """A peft configuration as a value: the name of its class and its arguments.

    The loop builds it and the exported script prints it, so both are the same.
    """

    cls: str
    arguments: Mapping[str, Any]
    module: str = "peft"

    def build(self) -> Any:
        """The configuration itself."""
        return getattr(import_module(self.module), self.cls)(**self.arguments)

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
    #: The quantized base precisions on which it works; it works on all that are not quantized.
    quantized: ClassVar[tuple[str, ...]] = QUANTIZED
    mergeable: ClassVar[bool] = False
    inference: ClassVar[str] = "none"  # what it costs at inference, unmerged
    #: Empty where the model's output at initialisation equals the base's; else why it does not.
    not_identity: ClassVar[str] = ""
    #: Whether training changes the base's own weights (a base that was trained is loaded afresh).
    changes_base: ClassVar[bool] = False

    @abstractmethod
    def terms(self, settings: Any, shape: ModelShape) -> list[Term]:
        """Every tensor that will be trained, the classification head's included, from the shape alone."""

    def virtual_tokens(self, settings: Any) -> int:
        """Positions before the text that the method takes for itself."""
        return 0

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
        """The lines of a script that turn `model` into the model to train (see `lab.artifacts.script`)."""

    def source_groups(self, settings: Any, training: Training) -> str:
        """The expression of `groups` in a script: what the optimizer trains."""
        return "[item for item in model.parameters() if item.requires_grad]"

    def source_after_step(self, settings: Any) -> tuple[str, ...]:
        """The script's lines for `after_step`; `step` counts from 0 there."""
        return ()

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
            return Reason(
                f"{self.title} does not work for the task '{shape.task}'.", "Choose another task or method."
            )
        if shape.task == GENERATE and shape.family == "encoder":
            return Reason(
                f"{shape.architecture} reads in both directions and cannot write a text word by word.",
                "Choose the task 'classify', or a decoder such as Llama or GPT-2.",
            )
        if precision.quantized and precision.weights not in self.quantized:
            others = ", ".join(item for item in WEIGHTS if item in self.quantized or item not in QUANTIZED)
            return Reason(f"{self.title} does not work on {precision.weights} weights.", f"Choose one of: {others}.")
        return None

    def warnings(self, settings: Any, shape: ModelShape) -> list[Reason]:
        """What a person should know of a choice that works."""
        return []

    def groups(self, model: Any, settings: Any, training: Training) -> list[dict[str, Any]]:
        """Parameter groups for the optimizer (torch's form); one group of all that is trainable by default.

        A group may hold an "lr" of its own, to which the schedule is applied as to the others.
        """
        return [{"params": [item for item in model.parameters() if item.requires_grad]}]

    def loss(self, model: Any, settings: Any) -> Any:
        """A regularising term that the method adds to the training loss; None where it adds nothing."""
        return None

    def after_step(self, model: Any, settings: Any, step: int, steps: int) -> None:
        """Called after each optimizer step, before gradients are cleared (for methods that reallocate)."""
        return

    def prepare(self, settings: Any, steps: int) -> Any:
        """The settings completed by what is known only at launch (the number of steps)."""
        return settings

    def state(self, model: Any) -> dict[str, Any]:
        """All tensors that a checkpoint must hold to resume exactly, by name."""
        return {name: item.detach() for name, item in model.named_parameters() if item.requires_grad}

    def restore(self, model: Any, state: Mapping[str, Any]) -> None:
        """Put `state`'s tensors back into a model to which the method was applied.

        Raises LabError if one is missing or of another shape.
        """
        import torch

        with torch.no_grad():
            for name, item in model.named_parameters():
                if not item.requires_grad:
                    continue
                if name not in state or state[name].shape != item.shape:
                    have = tuple(state[name].shape) if name in state else "nothing of that name"
                    raise LabError(
                        f"The checkpoint does not fit: '{name}' is {tuple(item.shape)}, it holds {have}.",
                        "Start the run again with the settings that it was started with.",
                    )
                item.copy_(state[name])

    def report(self, model: Any) -> dict[str, Any]:
        """What the method found out while it trained, as plain JSON values (AdaLoRA: the ranks that it chose)."""
        return {}

    def trainable(self, settings: Any, shape: ModelShape) -> int:
        """Number of trained parameters, by the formula."""
        return sum(term.count for term in self.terms(settings, shape))


def head_terms(shape: ModelShape) -> list[Term]:
    """The classification head, which every method trains in full."""
    return [
        Term("head", item.name.rsplit(".", 1)[0], item.shape, "·".join(str(size) for size in item.shape))
        for item in shape.head_parameters()
    ]


@contextmanager
def swapped(model: Any, values: Mapping[str, Any]) -> Iterator[None]:
    """Within the context, the parameters of these names have these values."""
    import torch

    own = dict(model.named_parameters())
    before = {name: own[name].detach().clone() for name in values}
    with torch.no_grad():
        for name, value in values.items():
            own[name].copy_(value)
    try:
        yield
    finally:
        with torch.no_grad():
            for name, value in before.items():
                own[name].copy_(value)


def common(shape: ModelShape) -> dict[str, Any]:
    """The arguments that every peft configuration needs for a task: its type, and the head to train in full."""
    if shape.task == CLASSIFY:
        return {"task_type": "SEQ_CLS", "modules_to_save": list(shape.head)}
    return {"task_type": "SEQ_2_SEQ_LM" if shape.family == "encoder-decoder" else "CAUSAL_LM"}
