"""The adapter as a zip file, in peft's own format."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from lab import methods
from lab.artifacts.base import LoadableArtifact, copy_adapter, file_name
from lab.artifacts.card import base_of
from lab.errors import LabError
from lab.runs import Run


class AdapterZip(LoadableArtifact):
    key = "adapter"
    title = "Adapter"
    summary = "What was trained, as a zip of the folder that peft's from_pretrained reads."
    shared = True

    def write(self, run: Run, folder: Path) -> Path:
        with tempfile.TemporaryDirectory() as scratch:
            copy = copy_adapter(run, Path(scratch) / "adapter", base_of(run.plan))
            return Path(shutil.make_archive(str(folder / file_name(run)), "zip", copy))

    def load(self, run: Run, file: Path, base: Any) -> Any:
        with tempfile.TemporaryDirectory() as scratch:
            try:
                with zipfile.ZipFile(file) as archive:
                    archive.extractall(scratch)
            except (OSError, zipfile.BadZipFile) as error:
                raise LabError(f"'{file.name}' cannot be unpacked: {error}.", "Export it again.") from None
            return methods.method(run.plan.method).load(base, Path(scratch))
