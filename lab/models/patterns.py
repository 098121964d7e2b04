"""Regular expressions that people write, matched against the names of modules and files in linear time.

Python's `re` backtracks: `((\\w|\\.)+)+!` keeps it busy for years on one name, holds the interpreter's lock meanwhile
and cannot be interrupted. RE2 reads each name once, whatever the expression, and the limits below bound how much it
does at each character. Only names come out of here, so no other library has to match a person's expression.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any

from lab.errors import LabError

#: Characters of one expression; instructions that the expressions of one setting compile to, together; and bytes in
#: which RE2 keeps an expression with what it has learned while matching.
LONGEST, INSTRUCTIONS, MEMORY = 500, 2_000, 2**20

#: Names and expressions in a setting by module. peft tries one after the other on each module, and Python's `re`
#: remembers 512 of them.
MOST = 500

HINT = "Name modules, such as q_proj; lookaheads and backreferences are not supported."


def is_name(text: str) -> bool:
    """Whether the text is a module's name, or the end of one, and no regular expression."""
    return re.fullmatch(r"[\w.-]+", text) is not None


def check(texts: Collection[str]) -> None:
    """Refuse the expressions of a setting if RE2 cannot read them, or if they are too many or too large together.

    Raises LabError.
    """
    if len(texts) > MOST:
        raise LabError(
            f"A setting by module may name {MOST}, not {len(texts):,}.", "Name modules by their ends: q_proj."
        )
    size = 0
    for text in (text for text in texts if not is_name(text)):
        if len(text) > LONGEST:
            raise LabError(f"A regular expression may have {LONGEST} characters.", "Write a shorter one.")
        size += _compiled(text).programsize
        if size > INSTRUCTIONS:
            raise LabError("The regular expressions are too large.", "Write shorter or fewer ones.")


def fullmatch(text: str, name: str) -> bool:
    """Whether the expression matches the whole name. Raises LabError for one that `check` refuses."""
    check([text])
    return _matches(text, name)


def ends(text: str, name: str) -> bool:
    """Whether the text is the name, or an end of it that begins after a dot; a regular expression may match either.

    Raises LabError for an expression that `check` refuses.
    """
    if is_name(text):
        return name == text or name.endswith("." + text)
    check([text])
    return _matches(rf"(?:.*\.)?(?:{text})", name)


def tails(name: str) -> Iterator[str]:
    """The name, and each end of it that begins after a dot: "a.b.c", "b.c", "c"."""
    while name:
        yield name
        name = name.partition(".")[2]


@lru_cache(maxsize=64)
def _compiled(text: str) -> Any:
    import re2

    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except (re2.error, UnicodeError) as error:
        reason = error.args[0].decode(errors="replace") if isinstance(error, re2.error) else "it is no text"
        raise LabError(f"'{text}' is not a regular expression that the lab can read: {reason}.", HINT) from None


@lru_cache(maxsize=2**16)
def _matches(text: str, name: str) -> bool:
    return _compiled(text).fullmatch(name) is not None
