"""The plan: everything that decides a training run, as one value.

It is what the form fills in, what the command line parses, what `run.json` stores, what a page's address holds and
what the exported script spells out. Four choices are independent: model, precision, method and data. QLoRA is
therefore not a special case: it is the method LoRA on a base whose precision is NF4.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab import strict_json
from lab.errors import LabError
from lab.knobs import brief, build, changed, knob, nearest, values, writable

#: The tasks: a classification head on the model, or text after text.
CLASSIFY = "classify"
GENERATE = "generate"

#: Bits of a stored base weight, without the quantization constants (see `lab.models.precision`).
WEIGHTS = ("fp32", "bf16", "fp16", "int8", "nf4", "fp4")
QUANTIZED = ("int8", "nf4", "fp4")

#: Levels of tables and lists in a part of a plan: settings are values, or lists and tables of values.
DEPTH = 8


@dataclass(frozen=True)
class Precision:
    """How the base's weights are stored and in what they compute."""

    weights: str = knob(
        "fp32",
        "Base precision",
        "How each weight of the base is stored: 32 or 16 bits, or quantized to 8 or 4. The adapter is not quantized.",
        choices=WEIGHTS,
    )
    double_quant: bool = knob(
        True,
        "Double quantization",
        "With 4-bit weights, quantize the quantization constants too: 4.5 bits a parameter become about 4.13.",
    )
    compute: str = knob(
        "auto",
        "Compute type",
        "The type in which quantized weights are multiplied. 'auto' takes bf16 on a GPU that has it, else fp32.",
        choices=("auto", "fp32", "bf16", "fp16"),
        advanced=True,
    )

    @property
    def quantized(self) -> bool:
        return self.weights in QUANTIZED

    @property
    def four_bit(self) -> bool:
        return self.weights in ("nf4", "fp4")


@dataclass(frozen=True)
class Data:
    """Which examples to learn from. Empty columns and task are guessed from the data (`lab.data.mapping`)."""

    source: str = knob(
        "persona",
        "Data set",
        "An embedded set, the id of a data set on the Hugging Face Hub, or a CSV, JSONL or Parquet file.",
    )
    config: str = knob("", "Configuration", "The configuration (subset) of a Hub data set.", advanced=True)
    split: str = knob("", "Split", "The split to train on; empty takes 'train'.", advanced=True)
    task: str = knob(
        "auto",
        "Task",
        "Classify: a new head gives one label. Generate: the model writes the answer; labels may be written too.",
        choices=("auto", CLASSIFY, GENERATE),
    )
    input: str = knob("", "Input column", "The column that the model reads.")
    target: str = knob("", "Target column", "The column that it learns to give: the label or the reply.")
    rows: int = knob(0, "Training rows", "Use at most this many rows for training; 0 takes all.", low=0, high=10**7)


@dataclass(frozen=True)
class Training:
    """How to optimise. The learning rate's default depends on the method (`Method.training`)."""

    learning_rate: float = knob(
        1e-3, "Learning rate", "The size of a step at the schedule's peak.", low=1e-7, high=10.0, log=True
    )
    steps: int = knob(60, "Steps", "Optimizer steps; 0 counts in epochs instead.", low=0, high=1_000_000)
    epochs: float = knob(1.0, "Epochs", "Passes over the training rows, if steps is 0.", low=0.01, high=1000.0)
    batch_size: int = knob(16, "Batch size", "Examples in one forward pass.", low=1, high=4096)
    accumulation: int = knob(
        1,
        "Accumulation",
        "Forward passes whose gradients are added before one optimizer step.",
        low=1,
        high=1024,
    )
    max_length: int = knob(
        128, "Sequence length", "Longer examples are cut to this many tokens.", low=4, high=131_072
    )
    schedule: str = knob(
        "cosine",
        "Schedule",
        "How the learning rate falls after the warm-up.",
        choices=("constant", "linear", "cosine"),
    )
    warmup: float = knob(
        0.05, "Warm-up", "Share of the steps in which the learning rate rises from 0.", low=0.0, high=1.0
    )
    optimizer: str = knob(
        "adamw",
        "Optimizer",
        "AdamW keeps two numbers for each trainable parameter; its 8-bit form keeps them in one byte each; paged "
        "moves them to the CPU's memory when the GPU's is full (on a CPU it is the plain 8-bit form).",
        choices=("adamw", "adamw8bit", "paged_adamw8bit", "sgd"),
        advanced=True,
    )
    weight_decay: float = knob(
        0.0, "Weight decay", "Decoupled decay of trainable weights.", low=0.0, high=1.0, advanced=True
    )
    clip: float = knob(
        1.0, "Gradient clipping", "Largest norm of the gradient; 0 leaves it as it is.", low=0.0, high=1000.0
    )
    gradient_checkpointing: bool = knob(
        False,
        "Gradient checkpointing",
        "Recompute activations in the backward pass instead of keeping them: less memory, about a third more time.",
    )
    eval_every: int = knob(
        20,
        "Evaluate every",
        "Steps between evaluations; 0 evaluates only before and after.",
        low=0,
        high=1_000_000,
    )
    eval_rows: int = knob(
        128, "Evaluation rows", "Rows of the validation split in each evaluation.", low=1, high=100_000
    )
    reply_rows: int = knob(
        32,
        "Replies scored",
        "Rows for which a reply is written and scored in each evaluation of a generation task.",
        low=1,
        high=10_000,
        advanced=True,
    )
    save_every: int = knob(
        0,
        "Checkpoint every",
        "Steps between checkpoints from which a broken-off run resumes; 0 saves one at each evaluation.",
        low=0,
        high=1_000_000,
        advanced=True,
    )
    sample: str = knob(
        "",
        "Sample prompt",
        "A prompt that is answered at each evaluation; empty takes the data set's own.",
        advanced=True,
    )


@dataclass(frozen=True)
class Plan:
    """A training run before it runs.

    `model` is the name of an embedded model, a Hub id ("org/name") or a folder. `settings` are the method's own,
    as plain values; `lab.methods.settings(plan)` gives them their type.
    """

    model: str = "storybook"
    method: str = "lora"
    settings: Mapping[str, Any] = field(default_factory=dict)
    precision: Precision = Precision()
    data: Data = Data()
    training: Training = Training()
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; every setting is spelled out, so that later defaults cannot change an old run."""
        return {
            "model": self.model,
            "method": self.method,
            "settings": json.loads(json.dumps(dict(self.settings))),
            "precision": values(self.precision),
            "data": values(self.data),
            "training": values(self.training),
            "seed": self.seed,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Plan:
        """The plan of `to_dict`'s values; missing parts keep their defaults.

        Raises LabError for an unknown key or a value out of bounds. The method's settings are checked where the
        methods are known (`lab.methods.settings`).
        """
        if not isinstance(plain, Mapping):
            raise LabError("A plan must be a table of settings.", "See docs/architecture.md for an example.")
        names = {item.name for item in dataclasses.fields(cls)}
        parts = {"precision": Precision, "data": Data, "training": Training}
        given: dict[str, Any] = {}
        for name, value in plain.items():
            if name not in names:
                raise LabError(
                    f"A plan has no '{brief(name)}'.",
                    nearest(str(name), names) or f"It has: {', '.join(sorted(names))}.",
                )
            if name in parts or name == "settings":
                if not isinstance(value, Mapping):
                    raise LabError(f"'{name}' in a plan must be a table of settings.", "Write name: value pairs.")
                if strict_json.depth(value) > DEPTH:
                    raise LabError(f"'{name}' in a plan is nested too deeply.", "Write name: value pairs.")
                given[name] = build(parts[name], value) if name in parts else dict(value)
            elif name == "seed":
                given[name] = check_seed(value)
            else:
                if not isinstance(value, str):
                    raise LabError(f"'{name}' in a plan must be text, not '{brief(value)}'.", "Write a name.")
                given[name] = writable(value, f"'{name}' in a plan")
        return cls(**given)

    def to_link(self) -> str:
        """The plan as a short word for a page's address (what differs from the defaults, compressed)."""
        parts: dict[str, Any] = {
            "model": self.model,
            "method": self.method,
            "settings": dict(self.settings),
            "precision": changed(self.precision),
            "data": changed(self.data),
            "training": changed(self.training),
            "seed": self.seed,
        }
        short = {name: value for name, value in parts.items() if value not in ({}, 0)}
        packed = zlib.compress(json.dumps(short, separators=(",", ":")).encode(), 9)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def from_link(cls, word: str) -> Plan:
        """The plan of a page's address. Raises LabError for a word that is none."""
        try:
            packed = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
            # A link is short; the bound keeps a hostile one from unpacking to gigabytes.
            plain = strict_json.loads(zlib.decompressobj().decompress(packed, 100_000).decode())
        except (ValueError, zlib.error):
            raise LabError(
                "This link does not hold a plan.", "Ask for the link again, or start from the form."
            ) from None
        return cls.from_dict(plain)


def check_seed(raw: Any) -> int:
    """The seed as a whole number from 0 to 2³²-1. Raises LabError otherwise."""
    try:
        seed = int(raw)
    except (TypeError, ValueError, OverflowError):
        seed = -1
    if isinstance(raw, bool) or not 0 <= seed < 2**32 or (isinstance(raw, float) and raw != seed):
        raise LabError(
            f"The seed must be a whole number, not '{brief(raw)}'.", "Choose a value from 0 to 4294967295."
        )
    return seed
