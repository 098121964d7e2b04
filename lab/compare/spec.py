"""A comparison as a file: what is compared, and under which protocol.

    name: LoRA's rank
    model: storybook
    data: {source: sentiment, rows: 2000}
    settings: {batch_size: 16}                 # for every member
    methods:
      - full                                   # a method with its defaults, or "all"
      - {method: lora, settings: {rank: [2, 8, 32]}}   # a list makes one member for each value
    precisions: [fp32, nf4]
    seeds: [0, 1, 2]
    protocol: {budget: steps, amount: 60, rate: tuned, rates: [1e-3, 1e-2], trial_steps: 20}

YAML and JSON are read alike. `plans` may list whole plans instead of `methods` or beside them, `runs` the ids of runs
that exist.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.knobs import build, changed, knob, nearest
from lab.methods import METHODS, method, with_values
from lab.plan import WEIGHTS, Data, Plan, Training, check_seed

#: Bytes of a comparison's file, values in it and levels of nesting that are read.
LARGEST, MOST_VALUES, DEEPEST = 2**20, 50_000, 30

#: Members of a comparison, and entries of any list in its file.
MOST = 500

STEPS, TOKENS, SECONDS = "steps", "tokens", "seconds"
GIVEN, TUNED = "given", "tuned"


@dataclass(frozen=True)
class Protocol:
    """What is held equal. Every member of a seed sees the same rows in the same order."""

    budget: str = knob(
        STEPS,
        "Equal",
        "What every member gets alike: optimizer steps, tokens read, or seconds of training.",
        choices=(STEPS, TOKENS, SECONDS),
    )
    amount: float = knob(
        60.0, "Amount", "How many steps, tokens or seconds each member gets.", low=1.0, high=1e12, log=True
    )
    rate: str = knob(
        GIVEN,
        "Learning rate",
        "Given: each method's own, or the one in its settings. Tuned: short trials at each rate, the one with the "
        "lowest validation loss is taken.",
        choices=(GIVEN, TUNED),
    )
    rates: tuple[str, ...] = knob(
        ("0.0003", "0.001", "0.003", "0.01", "0.03"), "Rates tried", "The learning rates of the trials."
    )
    trial_steps: int = knob(15, "Steps of a trial", "Optimizer steps in each trial of a rate.", low=1, high=100_000)

    @property
    def numbers(self) -> tuple[float, ...]:
        """The rates as numbers. Raises LabError for one that is none."""
        return tuple(float(build(_Rate, {"rate": item}).rate) for item in self.rates)


@dataclass(frozen=True)
class _Rate:
    rate: float = knob(1e-3, "A learning rate", "A number above 0.", low=1e-7, high=10.0)


@dataclass(frozen=True)
class Entry:
    """One line of the grid: a method with settings, each of which may be a list of values."""

    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> Any:
        return {"method": self.method, "settings": dict(self.settings)} if self.settings else self.method


@dataclass(frozen=True)
class Spec:
    """A comparison as it is written. `settings` hold for every member where a member says nothing else."""

    name: str = "Comparison"
    model: str = Plan.model
    data: Data = field(default_factory=Data)
    settings: Mapping[str, Any] = field(default_factory=dict)
    methods: tuple[Entry, ...] = ()
    precisions: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    protocol: Protocol = field(default_factory=Protocol)
    plans: tuple[Plan, ...] = ()
    runs: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, plain: Any) -> Spec:
        """The comparison of plain values. Raises LabError for an unknown key (with the nearest) or a wrong value."""
        if not isinstance(plain, Mapping):
            raise LabError("A comparison must be a table of settings.", "Start with `methods: [lora, full]`.")
        names = list(cls.__dataclass_fields__)
        for key in plain:
            if key not in names:
                near = nearest(str(key), names)
                raise LabError(f"A comparison has no '{key}'.", near or f"It has: {', '.join(names)}.")
        given: dict[str, Any] = {
            "name": " ".join(str(plain.get("name") or cls.name).split())[:80],
            "model": str(plain.get("model") or cls.model),
            "data": _data(plain.get("data", {})),
            "settings": dict(_table(plain.get("settings"), "settings")),
            "methods": tuple(_entry(item) for item in _methods(plain.get("methods"))),
            "precisions": tuple(_precision(item) for item in _list(plain.get("precisions"), "precisions")),
            "seeds": _seeds(plain.get("seeds", 1)),
            "protocol": build(Protocol, _protocol(plain.get("protocol"))),
            "plans": tuple(Plan.from_dict(item) for item in _list(plain.get("plans"), "plans")),
            "runs": tuple(str(item) for item in _list(plain.get("runs"), "runs")),
        }
        made = cls(**given)
        if made.protocol.budget == STEPS:
            build(Training, {"steps": int(made.protocol.amount)})
        if made.protocol.rate == TUNED and not made.protocol.numbers:
            raise LabError("There is no learning rate to try.", "List some under protocol: rates.")
        return made

    def to_dict(self) -> dict[str, Any]:
        """Plain values; what is at its default is left out."""
        parts = {
            "name": self.name,
            "model": self.model,
            "data": changed(self.data) or {"source": self.data.source},
            "settings": dict(self.settings),
            "methods": [entry.to_dict() for entry in self.methods],
            "precisions": list(self.precisions),
            "seeds": list(self.seeds),
            "protocol": changed(self.protocol) | {"budget": self.protocol.budget, "amount": self.protocol.amount},
            "plans": [plan.to_dict() for plan in self.plans],
            "runs": list(self.runs),
        }
        return {name: value for name, value in parts.items() if value not in ({}, [])}


def read(file: Path) -> Spec:
    """The comparison in a YAML or JSON file. Raises LabError for a file that cannot be read or holds none."""
    try:
        if file.stat().st_size > LARGEST:
            raise LabError(f"'{file.name}' is larger than {LARGEST // 2**20} MiB.", "A comparison is a short text.")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise LabError(f"'{file}' cannot be read: {reason}.", "Give the path of a YAML or JSON file.") from None
    return parse(text)


def parse(text: str) -> Spec:
    """The comparison of a YAML or JSON text. Raises LabError with the place of a mistake."""
    import yaml

    if len(text) > LARGEST:
        raise LabError(f"The text is longer than {LARGEST // 2**20} MiB.", "A comparison is a short text.")
    try:
        # The one written in C is ten times faster: a text of the allowed length takes seconds, not half a minute.
        plain = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        said = getattr(error, "problem", None) or "it is not well formed"
        raise LabError(
            f"The YAML cannot be read{place}: {said}.", "Check indentation, brackets and quotes."
        ) from None
    except ValueError as error:  # a date that is none, a number of thousands of digits
        raise LabError(f"The YAML holds a value that cannot be read: {error}.", "Put it in quotes.") from None
    except RecursionError:
        raise LabError("The YAML is nested too deeply.", f"At most {DEEPEST} levels are read.") from None
    _bounded(plain)
    return Spec.from_dict(plain)


def write(spec: Spec) -> str:
    """The comparison as YAML; `parse` reads it back."""
    import yaml

    plain = json.loads(json.dumps(spec.to_dict()))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)


def _bounded(plain: Any) -> None:
    """Refuse a value that refers to itself, or that grows without bound through references."""
    count = 0
    inside: list[int] = []

    def walk(value: Any) -> None:
        nonlocal count
        count += 1
        if count > MOST_VALUES:
            raise LabError(
                f"The file holds more than {MOST_VALUES:,} values.", "Write the grid as lists of settings."
            )
        if not isinstance(value, dict | list):
            _scalar(value)
            return
        if id(value) in inside:
            raise LabError("A part of the file refers to itself.", "Remove the alias (*name) that closes the circle.")
        if len(inside) >= DEEPEST:
            raise LabError("The file is nested too deeply.", f"At most {DEEPEST} levels are read.")
        inside.append(id(value))
        for key in value if isinstance(value, dict) else ():
            _scalar(key)
        for item in value.values() if isinstance(value, dict) else value:
            walk(item)
        inside.pop()

    walk(plain)


def _scalar(value: Any) -> None:
    """Refuse what JSON cannot hold: dates, sets, bytes, numbers that are not finite or beyond 64 bits."""
    finite = isinstance(value, float) and math.isfinite(value)
    whole = isinstance(value, int) and abs(value) < 2**63
    if not (value is None or finite or whole or isinstance(value, str)):
        # Python refuses to write numbers of thousands of digits, which YAML can spell in base 60.
        text = "A number of that size" if isinstance(value, int) else f"'{str(value)[:60]}'"
        raise LabError(f"{text} is no text, list, table or number that can be used.", "Put a text in quotes.")


def _table(value: Any, name: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise LabError(f"'{name}' must be a table of settings.", "Write name: value pairs.")
    return {str(key): item for key, item in value.items()}


def _list(value: Any, name: str) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list | tuple):
        raise LabError(f"'{name}' must be a list.", f"Write {name}: [a, b].")
    if len(value) > MOST:
        raise LabError(f"'{name}' has {len(value):,} entries; at most {MOST} are read.", "Make several comparisons.")
    return list(value)


def _protocol(value: Any) -> Mapping[str, Any]:
    table = dict(_table(value, "protocol"))
    if isinstance(table.get("rates"), list | tuple):
        table["rates"] = [str(item) for item in table["rates"]]
    return table


def _data(value: Any) -> Data:
    return build(Data, {"source": value} if isinstance(value, str) else _table(value, "data"))


def _methods(value: Any) -> list[Any]:
    return list(METHODS) if value == "all" else _list(value, "methods")


def _entry(item: Any) -> Entry:
    """One line of `methods`; its names are checked against the method's own settings."""
    if isinstance(item, str):
        method(item)
        return Entry(item)
    table = dict(_table(item, "methods"))
    key = str(table.pop("method", ""))
    given = _table(table.pop("settings", {}), "settings")
    if table or not key:
        unknown = next(iter(table), "")
        hint = nearest(unknown, ("method", "settings")) or "Write {method: lora, settings: {rank: [4, 8]}}."
        raise LabError(f"A method in a comparison has no '{unknown}'." if unknown else "A method has no name.", hint)
    method(key)
    for name, value in given.items():
        if isinstance(value, list | tuple) and not value:
            raise LabError(f"'{name}' of {key} has no value.", f"Write {name}: [4, 8], or leave it out.")
    return Entry(key, given)


def _precision(item: Any) -> str:
    if str(item) not in WEIGHTS:
        hint = nearest(str(item), WEIGHTS) or f"Choose from: {', '.join(WEIGHTS)}."
        raise LabError(f"There is no precision '{item}'.", hint)
    return str(item)


def _seeds(value: Any) -> tuple[int, ...]:
    """A list of seeds, or how many: 3 means 0, 1, 2."""
    if isinstance(value, list | tuple):
        seeds = tuple(check_seed(item) for item in _list(value, "seeds"))
    else:
        count = check_seed(value)
        if count > 100:
            raise LabError(f"{count:,} seeds are too many.", "Choose 100 or fewer; five tell most.")
        seeds = tuple(range(count))
    if not seeds:
        raise LabError("There is no seed.", "Write seeds: [0], or how many: seeds: 3.")
    if len(set(seeds)) < len(seeds):
        raise LabError("A seed is listed twice.", "The same seed gives the same run again.")
    return seeds


def with_loose(plan: Plan, given: Mapping[str, Any]) -> Plan:
    """`lab.methods.with_values`, but settings that only other methods have are passed over.

    Raises LabError for a name that no method has, with the nearest of all.
    """
    fitting = plan
    for name, value in given.items():
        try:
            fitting = with_values(fitting, {name: value})
        except LabError as error:
            known = {item.name for method in METHODS.values() for item in fields(method.Settings)}
            if name in known and name not in {item.name for item in fields(METHODS[plan.method].Settings)}:
                continue
            raise LabError(error.message, nearest(name, known) or error.hint) from None
    return fitting
