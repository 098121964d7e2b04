"""The shape of a model, known before any weight is loaded.

A `ModelShape` lists every parameter and every module of a model with its dimensions. It is a plain value; `derive`
makes it from a configuration alone, by building the real class on torch's meta device, so that it is exact for any
architecture that transformers knows. Parameter counts, memory estimates, target modules and the drawings of the
lessons all come from it.
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from lab.errors import LabError
from lab.models import patterns
from lab.plan import CLASSIFY

LINEAR, CONV1D, EMBEDDING, NORM, OTHER = "linear", "conv1d", "embedding", "norm", "other"

#: What a projection does in its block, told from the last part of its name. The names are those that the
#: architectures of transformers use; a module that matches none is simply listed without a role.
ROLES: tuple[tuple[str, str], ...] = (
    (r"(^|\.)(q_proj|query|q_lin|q)$", "query"),
    (r"(^|\.)(k_proj|key|k_lin|k)$", "key"),
    (r"(^|\.)(v_proj|value|v_lin|v)$", "value"),
    (r"(^|\.)(c_attn|qkv_proj|query_key_value|Wqkv|qkv)$", "qkv"),
    (
        r"(^|\.)(o_proj|out_lin|o|attention\.output\.dense|attn\.c_proj|attn\.out_proj|self_attn\.out_proj)$",
        "output",
    ),
    (r"(^|\.)(gate_proj|wi_0)$", "gate"),
    (r"(^|\.)(up_proj|fc1|lin1|wi|wi_1|intermediate\.dense|mlp\.c_fc|gate_up_proj|dense_h_to_4h)$", "up"),
    (r"(^|\.)(down_proj|fc2|lin2|wo|(?<!attention\.)output\.dense|mlp\.c_proj|dense_4h_to_h)$", "down"),
)


@dataclass(frozen=True)
class Parameter:
    """One trainable tensor of the base: its full name and its dimensions."""

    name: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Module:
    """One leaf module: its full name, its kind, its parameters by name, and its place.

    For a linear map `inputs` is k and `outputs` is d of the d×k matrix W; both are 0 elsewhere. `layer` counts
    the blocks from 0 and is None outside of them; `role` is "query", "value", "up", … where the name tells it.
    """

    name: str
    kind: str
    parameters: tuple[Parameter, ...]
    inputs: int = 0
    outputs: int = 0
    layer: int | None = None
    role: str = ""

    @property
    def suffix(self) -> str:
        """The last part of the name, by which target modules are usually given ("q_proj")."""
        return self.name.rsplit(".", 1)[-1]

    @property
    def bias(self) -> bool:
        return any(item.name.endswith(".bias") for item in self.parameters)


@dataclass(frozen=True)
class ModelShape:
    """A model's dimensions, for one task.

    `family` is "decoder", "encoder" or "encoder-decoder". `parameters` counts tied tensors once. `head` names the
    modules of a freshly made classification head (empty for generation). `tied` names the parameters that
    share their tensor with another. `max_length` is the longest sequence that the positions allow (0: any), and
    `positions` tells whether it is a learned table, past whose end nothing can be read. `cache` tells whether
    the backbone takes keys and values of earlier positions, `embeds` whether it takes vectors for tokens.
    `config` is the configuration as JSON, from which `build` makes the model again; `tokenizer` is the folder or
    id under which its tokenizer is found.
    """

    architecture: str
    model_type: str
    family: str
    task: str
    labels: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocabulary: int
    max_length: int
    parameters: tuple[Parameter, ...]
    modules: tuple[Module, ...]
    head: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()
    positions: bool = False
    cache: bool = True
    embeds: bool = True
    config: str = ""
    tokenizer: str = ""

    def text_positions(self, virtual_tokens: int = 0) -> int:
        """Positions that are left for text beside virtual tokens, at least one; 0 where any number can be read."""
        return max(self.max_length - virtual_tokens, 1) if self.max_length else 0

    @cached_property
    def total(self) -> int:
        """Number of parameters of the base, each tied tensor once."""
        return sum(item.count for item in self.parameters)

    @cached_property
    def decoder_layers(self) -> int:
        """Number of blocks that write: those of the decoder, where there is an encoder too."""
        numbers = [
            item.layer for item in self.modules if item.layer is not None and item.name.split(".")[0] != "encoder"
        ]
        inside = [item.layer for item in self.modules if item.layer is not None and "decoder." in item.name]
        return max(inside or numbers, default=-1) + 1

    @cached_property
    def projections(self) -> tuple[Module, ...]:
        """The linear maps inside the blocks: what most methods can target."""
        return tuple(item for item in self.modules if item.kind in (LINEAR, CONV1D) and item.layer is not None)

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The names by which projections can be targeted, each once, in order of appearance."""
        return tuple(dict.fromkeys(self.short(item) for item in self.projections))

    def short(self, module: Module) -> str:
        """The name of a projection inside its block, as short as it can be without meaning another role too.

        Usually the last part ("q_proj"); where two roles share it, the parts that tell them apart
        ("attention.output.dense" and "output.dense" in BERT).
        """
        parts = re.split(r"\.\d+\.", module.name)[-1].split(".")
        rivals = [re.split(r"\.\d+\.", item.name)[-1] for item in self.projections if item.role != module.role]
        for size in range(1, len(parts) + 1):
            name = ".".join(parts[-size:])
            if not any(rival == name or rival.endswith("." + name) for rival in rivals):
                return name
        return ".".join(parts)

    def matching(self, targets: tuple[str, ...]) -> tuple[Module, ...]:
        """The projections that `targets` name, as peft matches them: whole names or ends of names at a dot;
        "all-linear" is every projection; a single regular expression is matched in full.

        Raises LabError for an expression that cannot be read (`lab.models.patterns`).
        """
        if targets == ("all-linear",):
            return self.projections
        if len(targets) == 1 and not patterns.is_name(targets[0]):
            return tuple(item for item in self.projections if patterns.fullmatch(targets[0], item.name))
        names = set(targets)
        return tuple(item for item in self.projections if not names.isdisjoint(patterns.tails(item.name)))

    def with_role(self, *roles: str) -> tuple[str, ...]:
        """The short names of the projections that have one of the roles."""
        return tuple(dict.fromkeys(self.short(item) for item in self.projections if item.role in roles))

    def attention_inputs(self) -> tuple[str, ...]:
        """The query and value projections (the LoRA paper's choice), or the joint one that holds both."""
        return self.with_role("query", "value") or self.with_role("qkv") or self.targets[:1]

    def head_parameters(self) -> tuple[Parameter, ...]:
        """The parameters of the classification head, which every method trains in full."""
        return tuple(item for item in self.parameters if any(item.name.startswith(name + ".") for name in self.head))


def derive(config: Any, task: str, labels: int = 2) -> ModelShape:
    """The shape of the model that `config` (a transformers configuration) describes, for a task.

    Builds the real class on the meta device: no weight is read or allocated. Raises LabError if transformers has
    no model of this architecture for the task.
    """
    name_or_path = config.name_or_path
    config = type(config).from_dict(config.to_dict())
    config.name_or_path = name_or_path
    # transformers makes the configuration's type torch's default while it builds: that is the whole process's, and a
    # model that another thread loads meanwhile would take it.
    config.dtype = "float32"
    if task == CLASSIFY:
        config.num_labels = labels
    return describe(made(config, task), task, labels)


def auto_class(config: Any, task: str) -> Any:
    """The transformers class that makes a model of this configuration for a task."""
    import transformers

    if task == CLASSIFY:
        return transformers.AutoModelForSequenceClassification
    if getattr(config, "is_encoder_decoder", False):
        return transformers.AutoModelForSeq2SeqLM
    return transformers.AutoModelForCausalLM


def made(config: Any, task: str, device: str = "meta") -> Any:
    """The model of a configuration; on the meta device all of its structure and none of its numbers."""
    import torch

    try:
        with torch.device(device):
            return auto_class(config, task).from_config(config).eval()
    except ValueError:
        raise LabError(
            f"The architecture '{config.model_type}' has no model for the task '{task}'.",
            "Choose the other task, or another model.",
        ) from None


def build(shape: ModelShape, device: str = "meta") -> Any:
    """A model of this shape, with random weights if the device is a real one."""
    from transformers import AutoConfig

    config = json.loads(shape.config)
    return made(AutoConfig.for_model(config.pop("model_type"), **config), shape.task, device)


def describe(model: Any, task: str, labels: int = 2) -> ModelShape:
    """The shape of a model that exists (on any device, the meta device included)."""
    config = model.config
    text = config.get_text_config() if hasattr(config, "get_text_config") else config

    def first(*names: str, default: int = 0) -> int:
        return next((int(v) for n in names if isinstance(v := getattr(text, n, None), int)), default)

    heads = first("num_attention_heads", "n_head", "num_heads")
    hidden = first("hidden_size", "n_embd", "d_model", "dim")
    parameters = tuple(Parameter(name, tuple(item.shape)) for name, item in model.named_parameters())
    distinct = {item.name for item in parameters}
    everything = [name for name, _ in model.named_parameters(remove_duplicate=False)]
    table = _position_table(model)
    backbone = getattr(model, model.base_model_prefix, model)
    takes = set(inspect.signature(model.forward).parameters) | set(inspect.signature(backbone.forward).parameters)
    return ModelShape(
        architecture=type(model).__name__,
        model_type=config.model_type,
        family=_family(config, type(model).__name__),
        task=task,
        labels=labels if task == CLASSIFY else 0,
        hidden=hidden,
        layers=first("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
        heads=heads,
        kv_heads=first("num_key_value_heads", default=heads),
        head_dim=first("head_dim", "d_kv", default=hidden // max(heads, 1)),
        intermediate=first("intermediate_size", "n_inner", "d_ff", "hidden_dim", default=4 * hidden),
        vocabulary=first("vocab_size"),
        max_length=table or first("max_position_embeddings", "n_positions", default=0),
        parameters=parameters,
        modules=tuple(_modules(model)),
        head=_head(model) if task == CLASSIFY else (),
        tied=tuple(name for name in everything if name not in distinct),
        positions=bool(table),
        cache="past_key_values" in takes,
        embeds="inputs_embeds" in takes,
        config=config.to_json_string(use_diff=False),
        tokenizer=config.name_or_path,
    )


def _position_table(model: Any) -> int:
    """How many positions a learned position table holds; 0 where there is none."""
    import torch

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Embedding) and re.search(
            r"(^|\.)(wpe|position_embeddings|embed_positions)$", name
        ):
            return module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
    return 0


def _family(config: Any, architecture: str) -> str:
    if getattr(config, "is_encoder_decoder", False):
        return "encoder-decoder"
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING

    bidirectional = re.match(
        r"(Bert|Roberta|DistilBert|Electra|Deberta|XLMRoberta|Albert|ModernBert|Camembert)", architecture
    )
    return "encoder" if bidirectional or type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING else "decoder"


def _modules(model: Any) -> list[Module]:
    import torch
    from transformers import Conv1D

    modules = []
    for name, module in model.named_modules():
        parameters = tuple(
            Parameter(f"{name}.{key}" if name else key, tuple(item.shape))
            for key, item in module.named_parameters(recurse=False)
        )
        if not parameters:
            continue
        kind, inputs, outputs = OTHER, 0, 0
        if isinstance(module, torch.nn.Linear):
            kind, inputs, outputs = LINEAR, module.in_features, module.out_features
        elif isinstance(module, Conv1D):
            kind, inputs, outputs = CONV1D, *module.weight.shape
        elif isinstance(module, torch.nn.Embedding):
            kind = EMBEDDING
        elif "norm" in type(module).__name__.lower():
            kind = NORM
        layer = re.search(r"\.(\d+)\.", name)
        role = next((role for pattern, role in ROLES if re.search(pattern, name)), "") if inputs else ""
        modules.append(Module(name, kind, parameters, inputs, outputs, int(layer.group(1)) if layer else None, role))
    return modules


def _head(model: Any) -> tuple[str, ...]:
    """The modules that the classification class adds to its backbone."""
    backbone = model.base_model_prefix
    return tuple(
        name for name, child in model.named_children() if name != backbone and any(True for _ in child.parameters())
    )
