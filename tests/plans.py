"""Plans that train in a second."""

from __future__ import annotations

from typing import Any

from lab import methods
from lab.plan import Data, Plan

QUICK = {"steps": 6, "eval_every": 3, "eval_rows": 8, "reply_rows": 2, "batch_size": 4, "max_length": 48}


def quick(model: str, data: str, method: str = "lora", **given: Any) -> Plan:
    """A short plan on a tiny model; `given` are settings of any part."""
    return methods.with_values(methods.default_plan(method, model=model, data=Data(source=data)), {**QUICK, **given})
