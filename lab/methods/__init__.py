"""The methods, and the questions that the rest of the lab asks about them. Importing this loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lab import access
from lab.errors import LabError
from lab.knobs import brief, build, nearest, values
from lab.methods.adalora import AdaLora
from lab.methods.base import Method
from lab.methods.bitfit import BitFit
from lab.methods.boft import Boft
from lab.methods.bottleneck import Bottleneck
from lab.methods.full import Full
from lab.methods.head_only import HeadOnly
from lab.methods.ia3 import IA3
from lab.methods.last_layers import LastLayers
from lab.methods.lntuning import LayerNormTuning
from lab.methods.lora import Lora
from lab.methods.oft import Oft
from lab.methods.other import other, others
from lab.methods.prefix import Prefix
from lab.methods.presets import preset
from lab.methods.prompt import Prompt
from lab.methods.ptuning import PTuning
from lab.methods.vera import Vera
from lab.plan import Plan, Training

__all__ = ["METHODS", "default_plan", "method", "others", "preset", "settings", "with_values"]

#: Every method, in the order in which the form lists them.
METHODS: dict[str, Method] = {
    method.key: method
    for method in (
        Full(),
        LastLayers(),
        HeadOnly(),
        Lora(),
        AdaLora(),
        Vera(),
        Oft(),
        Boft(),
        Bottleneck(),
        Prefix(),
        Prompt(),
        PTuning(),
        IA3(),
        BitFit(),
        LayerNormTuning(),
    )
}


def method(key: str) -> Method:
    """The method of that name; one of `others()` too. Raises LabError with the nearest name otherwise."""
    if key.startswith("peft:"):
        return other(key)
    if key not in METHODS:
        raise LabError(
            f"There is no method '{brief(key)}'.", nearest(key, METHODS) or f"There are: {', '.join(METHODS)}."
        )
    return METHODS[key]


def settings(plan: Plan) -> Any:
    """The plan's method settings, typed and checked.

    Raises LabError for an unknown name, a value out of bounds, and one that the lab's rules do not allow.
    """
    typed: Any = build(method(plan.method).Settings, plan.settings)
    access.check_settings(typed)
    return typed


def default_plan(key: str = "lora", **parts: Any) -> Plan:
    """A plan with the method's own defaults, its training settings included. `parts` replace whole fields.

    On the embedded base and data the preset that was found for them is put in (`lab.methods.presets`), unless the
    parts say how to train.
    """
    chosen = method(key)
    training = Training(**chosen.training)
    plan = Plan(**{"method": key, "settings": values(chosen.Settings()), "training": training, **parts})
    if parts.keys() & {"training", "settings"}:
        return plan
    return with_values(plan, preset(plan.model, plan.data.source, key))


def with_values(plan: Plan, given: Mapping[str, Any]) -> Plan:
    """The plan with loose settings put where they belong (`rank`, `steps`, `weights`, …).

    Names are those of the method's settings, the training's, the precision's and the data's; an ambiguous name
    can be written in full ("data.rows"). Raises LabError for a name that is nowhere.
    """
    plain = plan.to_dict()
    places = {
        "settings": values(method(plan.method).Settings()),
        "training": plain["training"],
        "precision": plain["precision"],
        "data": plain["data"],
    }
    for name, value in given.items():
        part, _, short = name.rpartition(".")
        place = next((key for key in places if (not part or key == part) and short in places[key]), None)
        if short == "seed" and not part:
            plain["seed"] = value
        elif place is None:
            known = [key for part in places.values() for key in part]
            raise LabError(
                f"{method(plan.method).title} has no setting '{brief(name)}'.",
                nearest(short, known) or f"There are: {', '.join(known)}.",
            )
        else:
            plain[place][short] = value
    changed = Plan.from_dict(plain)
    return replace(changed, settings=values(settings(changed)))
