"""A tiny base in a folder and a lab of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.plan import GENERATE
from lab.ui.lab import Lab


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests import tiny

    return tiny.save(tmp_path_factory.mktemp("base") / "tiny-llama", "llama", GENERATE)


@pytest.fixture(autouse=True)
def loops(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close the event loops that Gradio makes and leaves when a page is built outside of one."""
    made: list[asyncio.AbstractEventLoop] = []
    real = asyncio.new_event_loop

    def recorded() -> asyncio.AbstractEventLoop:
        made.append(real())
        return made[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", recorded)
    yield
    for loop in made:
        loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path / "runs")
    yield made
    made.close()
