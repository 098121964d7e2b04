"""Settings declared once.

A dataclass whose fields are made with `knob` carries, beside its defaults, the label, the help and the bounds of
each setting. The form, the command line, the validation, the documentation and the address of a page are all
derived from those fields, so a setting is described in one place only.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass
from pathlib import PurePath
from typing import Any, TypeVar

from lab.errors import LabError

T = TypeVar("T")

#: Characters of a text, and names in a list of them: what a setting may hold at most.
LONGEST, MOST_NAMES = 50_000, 2_000

TRUE = {"true", "yes", "on", "1"}
FALSE = {"false", "no", "off", "0"}


@dataclass(frozen=True)
class Knob:
    """One setting: what it is called, what it means and what it may be.

    `kind` is "int", "float", "bool", "text" or "names" (a tuple of strings). `choices` lists the allowed values;
    `source` names a list that only the loaded model knows ("modules": its linear modules), which the form offers
    and which is not closed. `log` asks for a logarithmic slider, `advanced` folds the setting away. `public` says
    that a text is harmless whoever writes it: it becomes no path, no address, no code and no argument of a library.
    """

    name: str
    kind: str
    default: Any
    label: str
    help: str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    source: str = ""
    log: bool = False
    advanced: bool = False
    public: bool = False

    @property
    def closed(self) -> bool:
        """Whether the values are a yes or no, numbers between two bounds, or a list of choices."""
        bounded = self.kind in ("int", "float") and self.low is not None and self.high is not None
        return self.kind == "bool" or bounded or (self.kind == "text" and bool(self.choices))

    def coerce(self, raw: Any) -> Any:
        """The value of `raw` (a string from a command line, a JSON value or a widget's) as this setting's type.

        Raises LabError with the bounds or the allowed values if it cannot be one.
        """
        value = self._typed(raw)
        size = sum(map(len, value)) if self.kind == "names" else len(value) if self.kind == "text" else 0
        if size > LONGEST or (self.kind == "names" and len(value) > MOST_NAMES):
            raise LabError(f"{self.label} is too long.", f"At most {LONGEST:,} characters can be given.")
        if self.choices and self.kind == "text" and value not in self.choices:
            near = nearest(str(value), self.choices)
            raise LabError(
                f"{self.label} cannot be '{brief(value)}'.", near or f"Choose one of: {', '.join(self.choices)}."
            )
        if self.kind in ("int", "float"):
            if not math.isfinite(value):
                raise LabError(f"{self.label} must be a finite number.", self._range())
            if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
                raise LabError(f"{self.label} cannot be {value:g}.", self._range())
        return value

    def _typed(self, raw: Any) -> Any:
        if self.kind == "bool":
            text = str(raw).strip().lower() if isinstance(raw, bool | int | str) else ""
            if text not in TRUE | FALSE:
                raise LabError(f"{self.label} must be yes or no, not '{brief(raw)}'.", "Write true or false.")
            return text in TRUE
        if self.kind == "names":
            parts = raw.split(",") if isinstance(raw, str) else () if raw is None else raw
            if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
                raise LabError(f"{self.label} must be names, not '{brief(raw)}'.", "Write them with commas: a, b.")
            return tuple(writable(part.strip(), self.label) for part in parts if part.strip())
        if self.kind == "text":
            if raw is not None and not isinstance(raw, str | int | float | PurePath):
                raise LabError(f"{self.label} must be text, not '{brief(raw)}'.", self.help)
            return "" if raw is None else writable(str(raw), self.label)
        number = self._number(raw)
        if self.kind == "float":
            return number
        if not math.isfinite(number) or number != int(number):
            raise LabError(f"{self.label} must be a whole number, not '{brief(raw)}'.", self._range())
        return int(number)

    def _number(self, raw: Any) -> float:
        try:
            if isinstance(raw, bool):
                raise TypeError("a switch is no number")
            return float(raw)
        except OverflowError:  # a whole number of more than 308 digits
            return math.inf
        except (TypeError, ValueError):
            raise LabError(f"{self.label} must be a number, not '{brief(raw)}'.", self._range()) from None

    def _range(self) -> str:
        if self.low is not None and self.high is not None:
            return f"Choose a value from {self.low:g} to {self.high:g}."
        if self.low is not None:
            return f"Choose {self.low:g} or more."
        return self.help


def knob(
    default: Any,
    label: str,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    choices: Iterable[str] = (),
    source: str = "",
    log: bool = False,
    advanced: bool = False,
    public: bool = False,
) -> Any:
    """A dataclass field that carries the description of the setting beside its default."""
    description = {
        "label": label,
        "help": help,
        "low": low,
        "high": high,
        "step": step,
        "choices": tuple(choices),
        "source": source,
        "log": log,
        "advanced": advanced,
        "public": public,
    }
    return dataclasses.field(default=default, metadata={"knob": description})


def _kind(default: Any) -> str:
    if isinstance(default, bool):
        return "bool"
    if isinstance(default, int):
        return "int"
    if isinstance(default, float):
        return "float"
    return "names" if isinstance(default, tuple) else "text"


def knobs(settings: Any) -> tuple[Knob, ...]:
    """The settings of a dataclass or of an instance of one, in the order of its fields."""
    return tuple(
        Knob(name=field.name, kind=_kind(field.default), default=field.default, **field.metadata["knob"])
        for field in dataclasses.fields(settings)
        if field.default is not MISSING and "knob" in field.metadata
    )


def build(cls: type[T], values: Mapping[str, Any]) -> T:
    """An instance of the settings class `cls` from loose values; what is not given keeps its default.

    Raises LabError for a name that the class does not have (with the nearest that it has) and for a value out
    of bounds.
    """
    known = {item.name: item for item in knobs(cls)}
    for name in values:
        if name not in known:
            near = nearest(name, known)
            raise LabError(f"There is no setting '{brief(name)}' here.", near or f"There are: {', '.join(known)}.")
    return cls(**{name: known[name].coerce(raw) for name, raw in values.items()})


def values(settings: Any) -> dict[str, Any]:
    """The settings as plain JSON values: tuples become lists, every field is there."""
    plain = dataclasses.asdict(settings)
    return json.loads(json.dumps(plain))


def changed(settings: Any) -> dict[str, Any]:
    """Only the settings that differ from their defaults, as plain JSON values (for short links and scripts)."""
    defaults = {item.name: item.default for item in knobs(settings)}
    return {
        name: value
        for name, value in values(settings).items()
        if defaults[name] != (tuple(value) if isinstance(value, list) else value)
    }


def brief(raw: Any, length: int = 60) -> str:
    """What was given, as a message shows it: on one line, its end left out if it is long."""
    if isinstance(raw, int) and abs(raw) >= 10**length:  # Python refuses to write out thousands of digits
        return "a very large number"
    text = " ".join(str(raw).split())
    return text if len(text) <= length else f"{text[:length]}…"


def writable(text: str, label: str) -> str:
    """The text. Raises LabError if no file can hold it (half a surrogate pair)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise LabError(f"{label} holds a character that is not Unicode text.", "Write it anew.") from None
    return text


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint "Did you mean 'x'?", or an empty string if nothing is near."""
    found = difflib.get_close_matches(name[:100], list(known), n=1, cutoff=0.6)
    return f"Did you mean '{found[0]}'?" if found else ""
