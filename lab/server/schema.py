"""The shape of what a browser may send: declared once as a type, checked in one place before anything runs.

A service's request is the annotation of its `request` parameter, usually a `TypedDict` with `Field` bounds:

    class Rename(Request):
        run: RunId
        name: Annotated[str, Field(max_length=200)]

    def rename(lab: Lab, request: Rename) -> None: ...

`validate` turns what does not fit into a LabError of one sentence, so that no service sees JSON that nobody checked.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from lab.errors import LabError

#: Bounds of any request: levels of nesting, values, characters of all its texts, and the largest whole number.
MAX_DEPTH, MAX_VALUES, MAX_CHARACTERS, MAX_INTEGER = 30, 50_000, 2**25, 2**63 - 1

RELOAD = "Reload the page and try again."


@with_config(ConfigDict(extra="forbid"))
class Request(TypedDict):
    """The base of all requests: a key that is not declared is refused."""


class Empty(Request):
    """The request of a service that needs to know nothing."""


def check_json(value: Any, values: int = MAX_VALUES, characters: int = MAX_CHARACTERS) -> Any:
    """The value itself, if it is JSON of bounded size that can be stored and sent on.

    Raises LabError for more than `values` values or `characters` characters, deeper nesting than MAX_DEPTH, numbers
    that are not finite or beyond 64 bits, and texts that have no UTF-8 form or contain NUL.
    """
    levels = [(value, 1)]  # a list instead of recursion: the nesting is the sender's choice
    count = length = 0
    while levels:
        item, depth = levels.pop()
        count += 1
        if count > values:
            raise LabError(f"The request holds more than {values:,} values.", "Send less at once.")
        if depth > MAX_DEPTH:
            raise LabError(f"The request is nested more than {MAX_DEPTH} levels deep.", "Send a flatter one.")
        if isinstance(item, dict):
            length += sum(len(_text(key)) for key in item)
            levels += [(inner, depth + 1) for inner in item.values()]
        elif isinstance(item, list):
            levels += [(inner, depth + 1) for inner in item]
        elif isinstance(item, str):
            length += len(_text(item))
        elif not (item is None or isinstance(item, bool) or _number(item)):
            raise LabError("The request holds a number that cannot be used.", "Send finite numbers of 64 bits.")
        if length > characters:
            raise LabError(f"The request holds more than {characters:,} characters.", "Send a shorter one.")
    return value


def _text(item: Any) -> str:
    """The text. Raises LabError if no file and no answer could hold it."""
    try:
        if "\0" in item:
            raise ValueError
        item.encode()
    except (TypeError, ValueError):
        raise LabError("The request holds a text with characters that cannot be stored.", "Remove them.") from None
    return item


def _number(item: Any) -> bool:
    return (isinstance(item, float) and math.isfinite(item)) or (isinstance(item, int) and abs(item) <= MAX_INTEGER)


def bounded(values: int, characters: int) -> AfterValidator:
    """The size of a JSON object whose own reader (a plan's, a comparison's) checks its keys."""
    return AfterValidator(partial(check_json, values=values, characters=characters))


def one_of(names: Iterable[str]) -> AfterValidator:
    """A text that is one of `names`."""
    known = tuple(names)

    def check(value: str) -> str:
        if value not in known:
            raise PydanticCustomError("literal_error", "unknown", {"expected": f"one of {', '.join(known)}"})
        return value

    return AfterValidator(check)


#: The id of a run or of a comparison, or a key of its members.
Id = Annotated[str, Field(min_length=1, max_length=200)]

#: A form's plan as plain values (`lab.plan.Plan.from_dict` reads it).
PlanTable = Annotated[dict[str, Any], bounded(values=2_000, characters=50_000)]


def request_type(function: Callable[..., Any]) -> Any:
    """The declared type of a service's request. Raises TypeError if the function declares none."""
    hints = typing.get_type_hints(function, include_extras=True)
    if "request" not in hints:
        raise TypeError(f"{function.__qualname__} must annotate its parameter 'request'")
    return hints["request"]


@lru_cache(maxsize=256)
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def validate(shape: Any, value: Any) -> Any:
    """The value as the type `shape` declares it. Raises LabError with the first thing that does not fit."""
    check_json(value)
    try:
        return _adapter(shape).validate_python(value)
    except ValidationError as problem:
        raise _translate(problem) from None


#: What pydantic finds, in the lab's words; braces are filled from the error's context.
WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "string_type": "must be a text",
    "string_too_short": "must not be empty",
    "string_too_long": "must be a text of at most {max_length} characters",
    "list_type": "must be a list",
    "too_long": "must be a list of at most {max_length}",
    "dict_type": "must be a table of names and values",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "literal_error": "must be {expected}",
    "union_tag_invalid": "must be one of {expected_tags}",
    "union_tag_not_found": "is missing",
}


def _translate(problem: ValidationError) -> LabError:
    first = problem.errors(include_url=False, include_input=False)[0]
    context = first.get("ctx", {})
    names = [part for part in first["loc"] if isinstance(part, str)]
    if "discriminator" in context:
        names = [context["discriminator"].strip("'")]
    subject = f"'{names[-1][:60]}'" if names else "The request"
    words = WORDS.get(first["type"], "cannot be read").format_map(context)
    return LabError(f"{subject} {words}.", RELOAD)
