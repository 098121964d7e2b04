"""Methods side by side on one model: where they act, what they train, how much, and what they cost afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.methods import METHODS
from lab.methods.prompting import EmbeddingMethod, PromptMethod
from lab.models.shape import ModelShape
from lab.plan import Precision


@dataclass(frozen=True)
class Placed:
    """One method on one model.

    `trainable` parameters learn; `kept` is what has to be stored for a task. `layers` of the blocks hold something of
    it. `context` positions of the sequence are taken, `cache` bytes of keys and values (32 bits) a sequence are added
    by them, and `flops` floating-point operations a token of the text, unmerged (2 for each number of a matrix that
    is multiplied, 4 for each number of a key that is attended to). `reason` says why it does not work here.
    """

    key: str
    title: str
    where: str
    trainable: int
    kept: int
    layers: int
    context: int
    cache: int
    flops: int
    mergeable: bool
    reason: str = ""


def place(key: str, values: Mapping[str, Any], shape: ModelShape) -> Placed:
    """The method of that key with these settings on a model of this shape."""
    method = METHODS[key]
    settings = method.Settings(**values)
    reason = method.compatible(settings, shape, Precision())
    if reason:
        return Placed(key, method.title, "", 0, 0, 0, 0, 0, 0, method.mergeable, reason.message)
    head = {item.name.rsplit(".", 1)[0] for item in shape.head_parameters()}
    terms = [term for term in method.terms(settings, shape) if term.module not in head]
    trainable = sum(term.count for term in terms)
    tokens = getattr(settings, "virtual_tokens", 0)
    keys = 2 * shape.kv_heads * shape.head_dim * shape.decoder_layers * tokens
    if isinstance(method, PromptMethod):
        everywhere = not isinstance(method, EmbeddingMethod)
        return Placed(
            key,
            method.title,
            "keys and values of every layer" if everywhere else "the input, before the first layer",
            trainable,
            keys if everywhere else tokens * shape.hidden,
            shape.decoder_layers if everywhere else 0,
            tokens,
            4 * keys,
            4 * tokens * shape.heads * shape.head_dim * shape.decoder_layers,
            method.mergeable,
        )
    matched = {term.module for term in terms}
    layers = {item.layer for item in shape.modules if item.layer is not None and _inside(item.name, matched)}
    matrices = sum(term.count for term in terms if len(term.shape) == 2)
    return Placed(
        key,
        method.title,
        "beside the weights" if method.mergeable else "after the sub-layers",
        trainable,
        trainable,
        len(layers),
        0,
        0,
        2 * matrices,
        method.mergeable,
    )


def _inside(name: str, modules: set[str]) -> bool:
    return any(name == item or name.startswith(item + ".") for item in modules)
