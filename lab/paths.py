"""Where the files that come with the lab are: beside the package in a clone, inside it once it is installed."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent

#: Whether the lab runs from an installed wheel, which holds the folder `assets` as `lab/assets`.
INSTALLED = (PACKAGE / "assets").is_dir()

#: The embedded models, data, lessons, scripts and styles.
ASSETS = PACKAGE / "assets" if INSTALLED else PACKAGE.parent / "assets"


def how_to_restore(name: str) -> str:
    """Return the hint for a damaged or missing `name`, the path of a file or folder below `ASSETS`."""
    if INSTALLED:
        return "Install the lab again: pip install --force-reinstall --no-deps with what it was installed from."
    return f"Restore it with: git checkout -- assets/{name}"
