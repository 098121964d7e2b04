"""The shortest plan on the embedded base. Imports neither torch nor gradio."""

from __future__ import annotations

from typing import Any

from lab import methods
from lab.plan import Data, Plan


def short(source: str = "persona", **training: Any) -> Plan:
    plan = methods.default_plan("lora", data=Data(source=source))
    values = {"steps": 1, "eval_every": 0, "eval_rows": 1, "reply_rows": 1, "batch_size": 2, "rank": 2}
    return methods.with_values(plan, {**values, **training})
