"""What holds for every patch: it says why, and where it does not fit it is left out."""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
import subprocess
import sys

import pytest

from lab import compat
from lab.compat import optional
from lab.compat.gradio import slow_queue

PATCHES = [
    item
    for module in pkgutil.iter_modules(compat.__path__)
    for name, item in vars(importlib.import_module(f"lab.compat.{module.name}")).items()
    if inspect.isfunction(item) and item.__module__ == f"lab.compat.{module.name}" and not name.startswith("_")
]


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: f"{patch.__module__}.{patch.__name__}")
def test_a_patch_says_why_and_on_what_it_was_seen(patch):
    for part in ("Why: ", "Without it: ", "Seen on: "):
        assert part in (inspect.getdoc(patch) or "")


def test_importing_them_loads_none_of_the_libraries():
    names = [f"lab.compat.{module.name}" for module in pkgutil.iter_modules(compat.__path__)]
    code = f"import sys\nfor name in {names!r}: __import__(name)\n"
    code += "print([name for name in ('torch', 'gradio', 'transformers', 'peft', 'plotly') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("error", [AttributeError, ImportError, KeyError, TypeError, ValueError])
def test_what_does_not_fit_is_left_out_with_one_line(error, caplog):
    @optional
    def patch(value: int) -> int:
        raise error("renamed")

    patch.__wrapped__.__name__ = f"patch_{error.__name__}"
    patch = optional(patch.__wrapped__)
    with caplog.at_level(logging.WARNING):
        assert [patch(1), patch(2)] == [None, None]
    assert [line.split(" does not fit")[0] for line in caplog.messages] == [f"{__name__}.patch_{error.__name__}"]


def test_what_fits_gives_its_result():
    assert optional(lambda value: value + 1)(1) == 2


def test_a_queue_of_other_parts_is_left_alone(caplog):
    class Page:
        _queue = object()

    with caplog.at_level(logging.WARNING):
        slow_queue(Page())
    assert len(caplog.messages) == 1
    assert "sleep_when_free" in caplog.text
