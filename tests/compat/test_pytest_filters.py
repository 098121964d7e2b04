"""The warnings that pytest lets pass are still given."""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from lab import methods
from lab.plan import GENERATE
from tests import tiny

SETTINGS = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
FILTERS = [item for item in SETTINGS["tool"]["pytest"]["ini_options"]["filterwarnings"] if item.startswith("ignore:")]


def checkpoint() -> None:
    tiny.model("llama", GENERATE).gradient_checkpointing_enable()


def ask() -> None:
    _ = tiny.model("llama", GENERATE).is_gradient_checkpointing


def generate() -> None:
    method = methods.method("prompt")
    model = method.apply(tiny.model("llama", GENERATE), method.Settings(), tiny.shape("llama", GENERATE))
    ids = tiny.batch("llama", GENERATE)["input_ids"][1:]
    model.generate(input_ids=ids, position_ids=None, max_new_tokens=1, do_sample=False)


CALLS: dict[str, Callable[[], None]] = {
    "`is_gradient_checkpointing` is deprecated": ask,
    "`gradient_checkpointing_enable` is deprecated": checkpoint,
    "Position ids are not supported for parameter efficient tuning": generate,
}


@pytest.mark.parametrize("item", FILTERS)
def test_each_filter_is_needed(item):
    words = item.split(":")[1]
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        CALLS[words]()
    assert [one for one in shown if str(one.message).startswith(words)]
