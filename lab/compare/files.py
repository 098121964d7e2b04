"""Files that a comparison writes."""

from __future__ import annotations

import os
from pathlib import Path

from lab.errors import LabError


def save(file: Path, text: str) -> Path:
    """Write a file whole or not at all. Raises LabError where the disk is full or the folder cannot be written."""
    part = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True) if part.parent.is_dir() and os.access(part.parent, os.W_OK) else None
        raise LabError(
            f"'{file.name}' cannot be saved: {error.strerror}.", "Make room, or choose another folder."
        ) from None
    return file
