"""What the lab needs of other libraries beyond what they document: one module a library, one function a patch.

Each function says why it is there, what breaks without it and on which versions it was seen. `tests/compat` holds a
test for each, which fails when the library no longer needs the patch or no longer allows it.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

_left_out: set[str] = set()


def optional(patch: Callable[P, R]) -> Callable[P, R | None]:
    """Leave a patch out where it does not fit the installed library: one line in the log, and None as its result."""
    name = f"{patch.__module__}.{patch.__name__}"

    @functools.wraps(patch)
    def tried(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return patch(*args, **kwargs)
        except (AttributeError, ImportError, KeyError, TypeError, ValueError) as error:
            if name not in _left_out:
                _left_out.add(name)
                log.warning("%s does not fit the installed library and is left out: %s", name, error)
            return None

    return tried
