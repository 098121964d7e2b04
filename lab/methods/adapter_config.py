"""The configuration of a saved adapter, which anybody may have written, made safe before peft acts on it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.models import patterns

#: The largest rank, block or number of virtual tokens of an adapter: peft allocates by them before it reads a weight.
LARGEST = 8192

#: Modules to which AdaLoRA may have given a rank of their own.
MOST_TARGETS = 5_000

#: Fields of sizes, beside all those whose name has "rank" in it.
SIZES = ("r", "init_r", "target_r", "num_virtual_tokens", "oft_block_size", "boft_block_size", "encoder_hidden_size")

#: A name as it is or as `re.escape` writes it, perhaps marked as the end of a name: nothing that can backtrack.
LITERAL = re.compile(r"(\(\^\|\\\.\))?(\\[.-]|[\w.-])+\$?")

HINT = "Choose another adapter."


def read_config(folder: Path, base: Any) -> Any:
    """The peft configuration in `folder`, its expressions resolved to names of modules of the torch model `base`.

    Raises LabError for what no adapter needs and what could take all memory, and whatever peft raises for a
    configuration that it cannot read.
    """
    import peft

    config = peft.PeftConfig.from_pretrained(str(folder))
    _refuse(config)
    names = [name for name, _ in base.named_modules() if name]
    for field in ("target_modules", "exclude_modules", "feedforward_modules"):
        text = getattr(config, field, None)
        if isinstance(text, str) and text != "all-linear" and not patterns.is_name(text):
            setattr(config, field, [name for name in names if patterns.fullmatch(text, name)])
    for field, pairs in vars(config).items():
        if field.endswith("_pattern") and isinstance(pairs, dict):
            _check_size(pairs)
            if not _literal(pairs):
                setattr(config, field, _by_name(pairs, _targets(config, names)))
    return config


def _check_size(pairs: dict[str, Any]) -> None:
    """Raises LabError for more pairs than peft can try on each module. AdaLoRA keeps one for each target."""
    if len(pairs) > (MOST_TARGETS if any(isinstance(value, list) for value in pairs.values()) else patterns.MOST):
        raise LabError(f"The adapter has {len(pairs):,} settings by module.", HINT)


def _refuse(config: Any) -> None:
    """Raises LabError for a configuration that no adapter needs: it would run code, or fill the memory."""
    for field in ("layer_replication", "megatron_config"):
        if getattr(config, field, None):
            raise LabError(f"The lab does not load adapters with '{field}'.", HINT)
    for field, value in vars(config).items():
        sizes = value.values() if isinstance(value, dict) else [value]
        if (field in SIZES or "rank" in field) and any(_above(size, LARGEST) for size in sizes):
            raise LabError(f"The adapter has {field} = {value}; at most {LARGEST:,} is loaded.", HINT)
    for field in ("modules_to_save", "layers_pattern", "trainable_token_indices"):
        names = getattr(config, field, None) or ()
        if not _literal([names] if isinstance(names, str) else [str(name) for name in names]):
            raise LabError(f"The adapter's {field} are expressions; the lab takes names.", HINT)


def _above(value: Any, most: int) -> bool:
    return isinstance(value, int | float) and not value <= most


def _literal(texts: Iterable[str]) -> bool:
    return all(LITERAL.fullmatch(text) for text in texts)


def _targets(config: Any, names: Iterable[str]) -> list[str]:
    """The modules that the configuration adapts, and perhaps some that it leaves out."""
    targets = config.target_modules or ()
    if isinstance(targets, str):
        return [name for name in names if targets == "all-linear" or patterns.fullmatch(targets, name)]
    return [name for name in names if not set(targets).isdisjoint(patterns.tails(name))]


def _by_name(pairs: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The pairs with a name for each module that a key matches, the first one that does. Raises LabError."""
    patterns.check(pairs)
    by_name: dict[str, Any] = {}
    for name in names:
        key = next((key for key in pairs if patterns.ends(key, name)), None)
        if key is not None:
            by_name[re.escape(name)] = pairs[key]
    _check_size(by_name)
    return by_name
