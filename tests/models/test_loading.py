"""Which model a name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import access
from lab.errors import LabError
from lab.models import loading


@pytest.mark.parametrize("name", ["x" * 5_000, "~nobody-of-that-name/x", "/" + "x" * 5_000, "a\\b", "./no/such"])
def test_a_name_that_no_folder_can_have_is_told_in_a_sentence(name: str) -> None:
    with pytest.raises(LabError):
        loading.folder(name)


def test_whoever_may_read_no_folders_is_not_told_which_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed(access.Rules):
        def folder(self, path: Path) -> None:
            raise LabError("No folders.")

    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    assert loading.kind("there") == "folder"
    before = access.use(Closed())
    try:
        with pytest.raises(LabError, match="no embedded model 'there'"):
            loading.kind("there")
    finally:
        access.use(before)
