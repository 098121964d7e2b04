"""Files that a shared lab makes for its visitors to fetch."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.ui.visitor import Served


@pytest.fixture
def served() -> Served:
    return Served(None)


def file(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(b"x" * 100)
    return path


def test_what_is_made_for_a_visitor_fills_no_more_than_their_share(served: Served, tmp_path: Path) -> None:
    files = [file(tmp_path, str(number)) for number in range(5)]
    for path in files:
        served.offer(path, "ann", 250)
    assert [path.exists() for path in files] == [False, False, False, True, True]
    assert [served.may(path, "ann") for path in files] == [False, False, False, True, True]


def test_a_file_that_another_visitor_has_too_stays(served: Served, tmp_path: Path) -> None:
    shared, newer = file(tmp_path, "shared"), file(tmp_path, "newer")
    served.offer(shared, "ann", 150)
    served.offer(shared, "bob", 150)
    served.offer(newer, "ann", 150)
    assert not served.may(shared, "ann")
    assert served.may(shared, "bob")
    assert shared.exists()


def test_a_file_larger_than_the_share_can_still_be_fetched(served: Served, tmp_path: Path) -> None:
    large = file(tmp_path, "large")
    served.offer(large, "ann", 10)
    assert served.may(large, "ann")
