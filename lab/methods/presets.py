"""Settings that were found to work well in a minute on two cores (`python -m benchmarks.presets`)."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from lab.models.catalogue import DEFAULT
from lab.paths import ASSETS


@cache
def _found() -> dict[str, dict[str, dict[str, Any]]]:
    """Loose settings by data set and method."""
    return json.loads((ASSETS / "presets.json").read_text(encoding="utf-8"))


def preset(model: str, source: str, key: str) -> dict[str, Any]:
    """Loose settings for a method on a data set; empty where none were searched for.

    They hold for the embedded base alone: a learning rate that suits a small model does not suit a large one.
    """
    return dict(_found().get(source, {}).get(key, {})) if model == DEFAULT else {}
