"""An adapter from elsewhere as a run of this lab, so that everything that works with runs works with it."""

from __future__ import annotations

import json
import shutil
from math import prod
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.events import DONE, Event, Finished, Saved, Started
from lab.plan import CLASSIFY, GENERATE, Plan
from lab.runs import Run, Runs


def method_of(kind: str, shape: Any) -> str:
    """The key of the lab's method whose peft configuration has this type ("LORA"). Raises LabError if none has."""
    import peft

    import lab.methods.bottleneck.tuner  # noqa: F401  (peft learns the type)
    from lab.methods import METHODS
    from lab.methods.adapters import PeftMethod

    config_classes: dict[Any, Any] = dict(peft.PEFT_TYPE_TO_CONFIG_MAPPING)
    config_class = config_classes.get(kind)
    for key, method in METHODS.items():
        if config_class is None or not isinstance(method, PeftMethod):
            continue
        try:
            cls = method.config(method.Settings(), shape).cls
        except LabError:  # its defaults do not fit this model
            continue
        if cls == config_class.__name__:
            return key
    raise LabError(f"The lab has no method for an adapter of the type '{kind}'.", "Choose another adapter.")


def adopt(runs: Runs, folder: Path, model: str, name: str) -> Run:
    """A finished run that holds the adapter in `folder`, for the base `model`.

    Raises LabError for a folder that is no readable adapter, for a type that the lab has no method for, and for a
    task that it cannot do.
    """
    from safetensors import safe_open

    from lab.methods.adapters import check_adapter
    from lab.models import loading
    from lab.models.precision import device_title

    check_adapter(folder)
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    task = {"SEQ_CLS": CLASSIFY}.get(str(config.get("task_type")), GENERATE)
    if task == CLASSIFY:
        raise LabError(
            "This adapter classifies, and does not say what its labels are called.",
            "Choose an adapter that writes text.",
        )
    shape = loading.shape(model, task)
    method = method_of(str(config.get("peft_type")), shape)
    with safe_open(str(folder / "adapter_model.safetensors"), "pt") as opened:
        trained = sum(prod(opened.get_slice(key).get_shape()) for key in opened.keys())  # noqa: SIM118
    run = runs.create(Plan(model=model, method=method), name=name)
    try:
        shutil.copytree(folder, run.folder / "adapter")
        size = sum(file.stat().st_size for file in run.adapter.iterdir())
        events: list[Event] = [
            Started(0, shape.total + trained, trained, task, "none", device_title(), 0, 0),
            Saved(0, "adapter", size),
            Finished(DONE),
        ]
        for _ in run.record(events):
            pass
    except OSError as error:
        runs.delete(run.id)
        raise LabError(f"The adapter cannot be kept: {error.strerror}.", "Make room on the disk.") from None
    return run
