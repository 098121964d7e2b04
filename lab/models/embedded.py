"""Whether an embedded model is whole."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from lab.errors import LabError
from lab.paths import how_to_restore

#: One line a file: its SHA-256, two spaces, its name (as `sha256sum` writes and checks it).
CHECKSUMS = "CHECKSUMS"


@cache
def check(folder: Path) -> None:
    """Compare the model's files with their checksums, once in a process. Raises LabError naming a bad one."""
    restore = how_to_restore(f"models/{folder.name}")
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except OSError:
        raise LabError(f"The checksums of the model '{folder.name}' are missing.", restore) from None
    for line in lines:
        expected, _, name = line.partition("  ")
        file = folder / name
        if not file.is_file():
            raise LabError(f"The model '{folder.name}' lacks its file '{name}'.", restore)
        with file.open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != expected:
                raise LabError(f"The file '{name}' of the model '{folder.name}' is damaged.", restore)
