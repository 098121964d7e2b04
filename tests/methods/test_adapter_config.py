"""An adapter's configuration is somebody else's writing: its expressions are names before peft sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from lab.errors import LabError
from lab.methods import METHODS
from lab.methods.combine import attach, switch
from lab.plan import GENERATE
from tests import tiny
from tests.alarm import within
from tests.methods.test_combine import disturbed, logits
from tests.models.test_patterns import CATASTROPHIC

#: Ranks that differ by layer, so that a key that is not found shows.
RANKS = {"target_modules": ("q_proj", "v_proj"), "rank_pattern": r".*\.0\..*q_proj=2", "alpha_pattern": "v_proj=3"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    METHODS["lora"].save(disturbed("lora", "llama", GENERATE, 1, **RANKS), tmp_path / "adapter")
    return tmp_path / "adapter"


def rewrite(folder: Path, **change: Any) -> dict[str, Any]:
    """Change the configuration as whoever shares an adapter can; returns what it was."""
    file = folder / "adapter_config.json"
    before = json.loads(file.read_text())
    file.write_text(json.dumps(before | change))
    return before


def load(folder: Path) -> Any:
    return METHODS["lora"].load(tiny.model("llama", GENERATE), folder)


def beside(folder: Path) -> Any:
    model = disturbed("lora", "llama", GENERATE, 2)
    attach(model, "other", folder)
    switch(model, "other")
    return model


@pytest.mark.parametrize("read", [load, beside])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"target_modules": r".*\.(q|v)_proj"},
        {"target_modules": ".*_proj", "exclude_modules": r".*(mlp\..*|[ko]_proj)"},
        {"rank_pattern": {r"(model\.)?layers\.[0]\..*q_proj": 2}, "alpha_pattern": {"v_pro[jk]": 3}},
    ],
    ids=str,
)
def test_expressions_mean_what_they_meant(read: Callable[[Path], Any], change: dict, folder: Path) -> None:
    batch = tiny.batch("llama", GENERATE)
    expected = logits(load(folder), batch)
    rewrite(folder, **change)
    assert torch.equal(logits(read(folder), batch), expected)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("read", [load, beside])
@pytest.mark.parametrize("field", ["target_modules", "exclude_modules", "layers_pattern", "modules_to_save"])
@pytest.mark.parametrize("text", CATASTROPHIC)
def test_an_adapters_expression_keeps_nobody_busy(
    read: Callable[[Path], Any], field: str, text: str, folder: Path
) -> None:
    layers = {"layers_to_transform": [0]} if field == "layers_pattern" else {}
    rewrite(folder, **layers, **{field: [text] if field == "modules_to_save" else text})
    with within(20), suppress(LabError):
        read(folder)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("field", ["rank_pattern", "alpha_pattern"])
@pytest.mark.parametrize("text", CATASTROPHIC)
def test_nor_does_one_by_module(field: str, text: str, folder: Path) -> None:
    rewrite(folder, **{field: {text: 2}})
    with within(20), suppress(LabError):
        load(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"r": 10**6},
        {"r": float("nan")},
        {"rank_pattern": {"q_proj": 10**6}},
        {"rank_pattern": {f"layer{number}": 2 for number in range(501)}},
        {"rank_pattern": {"a" * 20 + "(?=b)": 2}},
        {"layer_replication": [[0, 2], [0, 2]]},
        {"megatron_config": {"a": 1}, "megatron_core": "antigravity"},
        {"modules_to_save": [r"(\w+)+!"]},
    ],
    ids=lambda change: str(change)[:40],
)
def test_what_no_adapter_needs_is_refused_in_a_sentence(change: dict, folder: Path) -> None:
    rewrite(folder, **change)
    for read in (load, beside):
        with pytest.raises(LabError) as caught:
            read(folder)
        assert caught.value.hint
        assert "cannot be put on this base" not in caught.value.message
