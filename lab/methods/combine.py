"""Several adapters on one base: attach, switch, combine, and merge into the base's own weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.compat.peft import merged_is_not_finite, quiet
from lab.errors import LabError
from lab.methods.adapter_config import read_config
from lab.methods.adapters import check_adapter, misfit
from lab.methods.base import Method

#: How adapters can be combined into a new one (peft's `add_weighted_adapter`).
KINDS = {
    "linear": "Add the matrices A and B, each by its weight; needs equal ranks.",
    "cat": "Stack the matrices: exactly the weighted sum of the updates; the ranks add up.",
    "svd": "The weighted sum of the updates, cut back to the largest rank by a singular value decomposition.",
    "ties": "Keep the largest entries of A and B and the sign that most weight agrees on (TIES), then add.",
    "ties_svd": "TIES on the updates themselves, then cut back to a low rank.",
    "dare_linear": "Drop entries of A and B at random and scale up the rest (DARE), then add.",
    "dare_ties": "DARE, then TIES.",
    "dare_linear_svd": "DARE on the updates themselves, then cut back to a low rank.",
    "dare_ties_svd": "DARE and TIES on the updates themselves, then cut back to a low rank.",
    "magnitude_prune": "Keep the largest entries of A and B, then add.",
    "magnitude_prune_svd": "Keep the largest entries of the updates, then cut back to a low rank.",
}


def attach(model: Any, name: str, folder: Path) -> None:
    """Put the adapter in `folder` beside those that the peft model has, under a name of its own; no base is loaded.

    Raises LabError for a folder that holds none, for one that does not fit, and for a name that is taken.
    """
    check_adapter(folder)
    if name in model.peft_config or not name.isidentifier():
        raise LabError(f"An adapter cannot be called '{name}' here.", "Choose a new name of letters and digits.")
    try:
        with quiet():
            config = read_config(folder, model.get_base_model())
            config.inference_mode = True
            model.add_adapter(name, config)
            model.load_adapter(str(folder), adapter_name=name, low_cpu_mem_usage=False)
    except LabError:
        raise
    except Exception as error:
        if name in model.peft_config:
            model.delete_adapter(name)
        raise misfit(error) from error
    model.requires_grad_(False)


def switch(model: Any, name: str) -> None:
    """Let the adapter of that name act, and no other. Raises LabError if there is none."""
    if name not in model.peft_config:
        raise LabError(f"There is no adapter '{name}' here.", f"There are: {', '.join(model.peft_config)}.")
    model.set_adapter(name, inference_mode=True)
    model.requires_grad_(False)


def combine(
    model: Any, weights: Mapping[str, float], kind: str, name: str = "combined", density: float = 0.5
) -> None:
    """Make a new adapter of those named in `weights` and let it act.

    `density` is the share of entries that TIES, DARE and pruning keep. Raises LabError for adapters that cannot be
    combined that way: other methods than LoRA and (IA)³, a head of its own in each, unequal ranks.
    """
    kinds = {str(model.peft_config[key].peft_type.value) for key in weights if key in model.peft_config}
    missing = [key for key in weights if key not in model.peft_config]
    if missing or not weights:
        raise LabError(
            f"There is no adapter '{', '.join(missing)}' here.", f"There are: {', '.join(model.peft_config)}."
        )
    if kinds not in ({"LORA"}, {"IA3"}):
        raise LabError(
            "Only LoRA adapters, or only (IA)³ ones, can be combined.", "Switch between the others instead."
        )
    if kinds == {"IA3"} and kind != "linear":
        raise LabError("(IA)³ adapters can be combined linearly only.", "Choose 'linear'.")
    if kind not in KINDS:
        raise LabError(f"There is no combination '{kind}'.", f"There are: {', '.join(KINDS)}.")
    configs = [model.peft_config[key] for key in weights]
    heads = [head for config in configs for head in config.modules_to_save or ()]
    if len(heads) > len(set(heads)):
        raise LabError(
            "Classifiers have a head each, and heads cannot be combined.", "Combine adapters of the task 'generate'."
        )
    ranks = {max([config.r, *(config.rank_pattern or {}).values()]) for config in configs if kinds == {"LORA"}}
    if len(ranks) > 1 and kind != "cat" and not kind.endswith("svd"):
        raise LabError(f"'{kind}' needs adapters of the same rank.", "Choose 'cat' or 'svd'.")
    if name in model.peft_config:
        switch(model, next(iter(weights)))  # the one that acts cannot be deleted in silence
        model.delete_adapter(name)
    extra: dict[str, Any] = {}
    if kinds == {"LORA"}:
        extra["combination_type"] = kind
        if kind.startswith(("ties", "dare", "magnitude")):
            extra["density"] = density
    model.add_weighted_adapter(list(weights), list(weights.values()), name, **extra)
    switch(model, name)


def merge(method: Method, model: Any) -> Any:
    """The base with the active adapter of the method worked into its weights. The peft model is used up.

    Raises LabError for a method that cannot be merged, and for an adapter whose numbers are not finite.
    """
    if not method.mergeable:
        raise LabError(f"{method.title} cannot be merged into weights.", "Keep the adapter beside the base.")
    if method.changes_base:
        return model  # a selection of the base's own weights is in place already
    try:
        return model.merge_and_unload(safe_merge=True)
    except ValueError as error:
        if not merged_is_not_finite(error):
            raise
        raise LabError("The merged weights are not finite: the adapter is broken.", "Train it again.") from None
