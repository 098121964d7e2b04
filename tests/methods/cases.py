"""What the suites of the methods run over: settings that reach every branch of a method's formula."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from lab.knobs import build
from lab.methods import METHODS
from lab.methods.base import Method
from lab.plan import CLASSIFY, GENERATE, Precision
from tests import tiny

#: Settings small enough for the tiny models.
SMALL: dict[str, dict[str, Any]] = {
    "lora": {"rank": 4},
    "adalora": {"initial_rank": 6, "target_rank": 2},
    "vera": {"rank": 8},
    "oft": {"block_size": 8},
    "boft": {"block_size": 4},
    "bottleneck": {"reduction_factor": 4},
    "prefix": {"virtual_tokens": 5},
    "prompt": {"virtual_tokens": 5},
    "ptuning": {"virtual_tokens": 5, "encoder_width": 12},
}

#: Further settings, each added to the small ones.
VARIANTS: dict[str, tuple[dict[str, Any], ...]] = {
    "lora": (
        {"target_modules": "all-linear"},
        {"layers": "1"},
        {"rslora": True, "dora": True},
        {"lora_plus": 16},
        {"init": "gaussian"},
        {"init": "orthogonal"},
        {"init": "pissa", "rslora": True, "rank_pattern": "v_proj=2", "alpha_pattern": "v_proj=8"},
        {"init": "olora"},
        {"init": "mica"},
        {"target_modules": ".*1.*"},
    ),
    "bottleneck": ({"placement": "houlsby", "layers": "1"}, {"placement": "parallel", "activation": "gelu"}),
    "prefix": ({"projection": True, "projection_width": 12}, {"init": "zero"}),
    "prompt": ({"init": "random"},),
    "ptuning": ({"encoder": "lstm", "encoder_layers": 3},),
    "oft": ({"share": True}, {"target_modules": "all-linear", "exact": True, "constrained": True}),
    "adalora": ({"target_modules": "all-linear", "layers": "0"},),
    "last_layers": ({"count": 2},),
}


def settings(key: str, **extra: Any) -> Any:
    return build(METHODS[key].Settings, {**SMALL.get(key, {}), **extra})


def cases() -> list[tuple[str, dict[str, Any]]]:
    """Each method with its small settings, and with each variant."""
    return [(key, extra) for key in METHODS for extra in ({}, *VARIANTS.get(key, ()))]


def allowed(key: str, extra: dict[str, Any], family: str, task: str, weights: str = "fp32") -> bool:
    """Whether the method says that it works there; what it refuses is tried in test_compatible.py."""
    shape, precision = tiny.shape(family, task), Precision(weights=weights)
    return METHODS[key].compatible(settings(key, **extra), shape, precision) is None


def everywhere(works: bool = True) -> list[tuple[str, dict[str, Any], str, str]]:
    """Each case on each family and task on which its method works, or on those that it refuses."""
    return [
        (key, extra, family, task)
        for key, extra in cases()
        for family, task in grounds()
        if allowed(key, extra, family, task) == works
    ]


def grounds() -> list[tuple[str, str]]:
    """Each family with each task that its models have."""
    return [
        (family, task)
        for family in tiny.FAMILIES
        for task in (CLASSIFY, GENERATE)
        if not (family in tiny.ENCODERS and task == GENERATE)
    ]


def trained(model: Any) -> dict[str, tuple[int, ...]]:
    """Names and shapes of what requires a gradient, without peft's prefixes and the adapter's name."""
    found = {}
    for name, item in model.named_parameters():
        if item.requires_grad:
            short = name.replace(".modules_to_save", "").replace(".default", "").replace(".base_layer", "")
            found[re.sub(r"^base_model\.(model\.)?", "", short)] = tuple(item.shape)
    return found


def mismatch(method: Method, chosen: Any, shape: Any, model: Any) -> str:
    """How the trained parameters differ from the method's terms; empty if they are the same, one for one."""
    terms = method.terms(chosen, shape)
    places = sorted({term.module for term in terms}, key=len, reverse=True)
    real: Counter[tuple[str, tuple[int, ...]]] = Counter()
    for name, size in trained(model).items():
        place = next((place for place in places if name.startswith(place + ".")), f"unexpected {name}")
        real[place, size] += 1
    told = Counter((term.module, term.shape) for term in terms)
    return f"missing {told - real}, unexpected {real - told}" if told != real else ""
