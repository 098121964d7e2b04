"""Gradio makes event loops while a page is built outside of one, and leaves them open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def closed_after(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close those that were made inside the context and do not run."""
    made: list[asyncio.AbstractEventLoop] = []
    real = asyncio.new_event_loop

    def recorded() -> asyncio.AbstractEventLoop:
        made.append(real())
        return made[-1]

    patch.setattr(asyncio, "new_event_loop", recorded)
    yield
    for loop in made:
        if not loop.is_running():
            loop.close()
    asyncio.set_event_loop(None)
