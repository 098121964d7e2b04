"""Imports run downward, and the pure rooms stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: The floors of the house; a module may import from its own floor and from those below.
FLOORS = {
    "access": 0, "errors": 0, "knobs": 0, "events": 0, "history": 0, "paths": 0, "plan": 0,
    "methods": 1, "models": 1, "data": 1,
    "training": 2, "runs": 2, "chat": 2, "insight": 2, "compare": 2, "hosting": 2,
    "plots": 3,
    "ui": 4, "cli": 4, "__main__": 4,
}  # fmt: skip

#: Packages that only these rooms may import.
ONLY = {"gradio": {"ui"}, "plotly": {"plots", "ui", "compare"}}

PURE = ("lab.plan", "lab.events", "lab.history", "lab.knobs", "lab.methods", "lab.models", "lab.models.precision",
        "lab.models.catalogue", "lab.models.loading", "lab.data.tasks", "lab.data.catalogue", "lab.runs",
        "lab.training.estimate")  # fmt: skip


def modules() -> list[Path]:
    return sorted((ROOT / "lab").rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(ROOT / "lab").parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {item.name for item in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{item.name}" for item in node.names if node.module == "lab"}
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_downward(path):
    here = room(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "lab" and len(parts) > 1 and here != "__init__":
            assert FLOORS.get(parts[1], 0) <= FLOORS[here], f"{here} imports {name}"
        allowed = ONLY.get(parts[0])
        assert allowed is None or here in allowed, f"{here} imports {name}"
        if here == "plots":
            assert parts[0] not in ("torch", "transformers", "peft", "gradio"), f"{here} imports {name}"


def test_one_module_knows_where_the_files_of_the_lab_are():
    """In an installed lab they are elsewhere than in a clone (`lab/paths.py`)."""
    by_file = {str(path.relative_to(ROOT)) for path in modules() if "Path(__file__)" in path.read_text("utf-8")}
    assert by_file == {"lab/paths.py"}


def test_the_pure_part_loads_neither_torch_nor_gradio():
    code = f"import sys\nfor name in {PURE!r}: __import__(name)\n"
    code += (
        "print([n for n in ('torch', 'gradio', 'transformers', 'peft', 'pandas', 'datasets') if n in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_no_tracked_file_is_too_large_or_a_pickle():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        file = ROOT / name
        assert file.suffix not in (".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt"), name
        assert not file.is_file() or file.stat().st_size < 10 * 10**6, name
