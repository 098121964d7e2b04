"""The form, derived from the knobs: what the page draws, and the way between a form and a plan.

The form's value is `Plan.to_dict()`, so the page needs no names of its own; a method that is added is in the form.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lab import methods
from lab.data import catalogue as data_catalogue
from lab.errors import LabError
from lab.knobs import Knob, build, knobs, values
from lab.methods.base import FAMILIES, Method
from lab.models import catalogue as model_catalogue
from lab.plan import Data, Plan, Precision, Training
from lab.plots.style import colour


def spec() -> dict[str, Any]:
    """Everything that the page needs to draw the form, as plain JSON values."""
    return {
        "models": [
            {"name": card.name, "title": card.title, "note": card.note} for card in model_catalogue.models().values()
        ],
        "data": [{"name": name, **_card(card)} for name, card in data_catalogue.datasets().items()],
        "families": list(FAMILIES),
        "methods": [_method(item) for item in methods.METHODS.values()],
        "parts": {
            "data": [described(item) for item in knobs(Data)],
            "training": [described(item) for item in knobs(Training)],
            "precision": [described(item) for item in knobs(Precision)],
        },
    }


def _card(card: Any) -> dict[str, Any]:
    return {"title": card.title, "note": card.note}


def _method(item: Method) -> dict[str, Any]:
    paper = dataclasses.asdict(item.paper) if item.paper else None
    return {
        "key": item.key,
        "title": item.title,
        "family": item.family,
        "summary": item.summary,
        "formula": item.formula,
        "inference": item.inference,
        "mergeable": item.mergeable,
        "paper": paper,
        "colour": colour(item.key),
        "knobs": [described(one) for one in knobs(item.Settings)],
        "training": dict(item.training),
    }


def described(item: Knob) -> dict[str, Any]:
    """A knob as plain values, with the letter that formulas call it by."""
    return {**dataclasses.asdict(item), "symbol": symbol(item)}


def symbol(item: Knob) -> str:
    """The letter by which formulas call a setting: the last word of its label if it is a single letter ("Rank r")."""
    last = item.label.split()[-1]
    return last if len(last) == 1 and last.isalpha() and last.islower() else ""


def plan(form: Mapping[str, Any]) -> Plan:
    """The plan that the form holds. Raises LabError for a value out of bounds or an unknown name."""
    made = Plan.from_dict(form)
    methods.settings(made)
    return made


def form(made: Plan) -> dict[str, Any]:
    """The form of a plan, with every setting of its method spelled out."""
    return {**made.to_dict(), "settings": values(methods.settings(made))}


def change_method(current: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The form with another method, with that method's own settings and training defaults.

    Of the training settings only those are changed that the old or the new method has an opinion of. Settings that
    both methods have (a rank, target modules) are kept where the new method allows them.
    """
    before = Plan.from_dict(current)
    old, new, training = methods.method(before.method), methods.method(key), values(before.training)
    for item in knobs(Training):
        if item.name in new.training:
            training[item.name] = new.training[item.name]
        elif item.name in old.training:
            training[item.name] = item.default
    shared = {item.name: item for item in knobs(new.Settings)}
    kept: dict[str, Any] = {}
    for name, value in before.settings.items():
        if name not in shared or value == _default(old, name):
            continue
        try:
            build(new.Settings, {name: value})
        except LabError:
            continue
        kept[name] = value
    changed = plan({**before.to_dict(), "method": key, "settings": kept, "training": training})
    found = methods.preset(changed.model, changed.data.source, key)
    return form(methods.with_values(changed, {name: value for name, value in found.items() if name not in kept}))


def _default(item: Method, name: str) -> Any:
    return next((values(item.Settings())[one.name] for one in knobs(item.Settings) if one.name == name), None)


def given(current: Mapping[str, Any], loose: Mapping[str, Any]) -> dict[str, Any]:
    """The form with loose settings (`rank`, `steps`, `method`, `model`, `data`) put in their places.

    This is what a lesson's link "#set?method=lora&rank=4" does.
    """
    rest = dict(loose)
    changed = dict(current)
    if key := rest.pop("method", ""):
        changed = change_method(changed, str(key))
    if model := rest.pop("model", ""):
        changed["model"] = model
    if source := rest.pop("data", ""):
        changed["data"] = {"source": source}
    return form(methods.with_values(plan(changed), rest))


def from_link(word: str) -> dict[str, Any]:
    """The form of a page's address. Raises LabError for a word that is no plan."""
    return form(Plan.from_link(word))
