"""A tiny base in a folder and a lab of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.plan import GENERATE
from lab.ui.lab import Lab
from tests.loops import closed_after


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests import tiny

    return tiny.save(tmp_path_factory.mktemp("base") / "tiny-llama", "llama", GENERATE)


@pytest.fixture(autouse=True)
def loops(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with closed_after(monkeypatch):
        yield


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path / "runs")
    yield made
    made.close()
