"""What Gradio's pages open is closed after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.loops import closed_after


@pytest.fixture(autouse=True)
def loops(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with closed_after(monkeypatch):
        yield
