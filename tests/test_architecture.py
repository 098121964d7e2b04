"""Imports run downward, and the pure rooms stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: The floors of the house; a module may import from its own floor and from those below.
FLOORS = {
    "errors": 0, "knobs": 0, "events": 0, "history": 0, "paths": 0, "compat": 0, "plan": 0, "access": 0,
    "typed_json": 0, "strict_json": 0, "terminal": 0,
    "models": 1,
    "methods": 2, "data": 2,
    "training": 3, "runs": 3, "artifacts": 3, "chat": 3, "insight": 3, "compare": 3, "hosting": 3,
    "plots": 4, "server": 4,
    "ui": 5, "cli": 5, "__main__": 5,
}  # fmt: skip

#: Packages that only these rooms may import.
ONLY = {"gradio": {"ui", "compat"}, "plotly": {"plots", "ui", "compare", "compat"}}

PURE = ("lab.plan", "lab.events", "lab.history", "lab.knobs", "lab.methods", "lab.models", "lab.models.precision",
        "lab.models.catalogue", "lab.models.loading", "lab.data.tasks", "lab.data.catalogue", "lab.runs",
        "lab.training.memory.estimate")  # fmt: skip


def modules() -> dict[str, Path]:
    """The files of the lab by the names under which they are imported."""
    files = {}
    for path in sorted((ROOT / "lab").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


MODULES = modules()


def imports(name: str, path: Path) -> set[str]:
    """The modules that a file imports: at its top, inside functions and for type checkers alone.

    What is only for type checkers counts too: a reader of the one file still needs the other.
    """
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {item.name for item in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*start, *filter(None, [node.module])])
            inner = (f"{source}.{item.name}" for item in node.names)
            names |= {item if item in MODULES else source for item in inner}
    return names - {name}


IMPORTS = {name: imports(name, path) for name, path in MODULES.items()}
WITHIN = {name: targets & MODULES.keys() for name, targets in IMPORTS.items()}


def siblings() -> dict[str, dict[str, set[str]]]:
    """By package, which of its children (files and packages) imports from which other."""
    found: dict[str, dict[str, set[str]]] = {}
    for name, targets in WITHIN.items():
        for target in targets:
            here, there = name.split("."), target.split(".")
            depth = next((depth for depth, (one, other) in enumerate(zip(here, there)) if one != other), None)
            if depth is not None:  # a package's own __init__ may gather its children
                edges = found.setdefault(".".join(here[:depth]), {})
                edges.setdefault(here[depth], set()).add(there[depth])
    return found


SIBLINGS = siblings()


@pytest.mark.parametrize("name", [name for name in MODULES if name != "lab"])
def test_imports_run_downward(name):
    room = name.split(".")[1]
    for target in IMPORTS[name]:
        parts = target.split(".")
        if target in MODULES and target != "lab":
            assert FLOORS[parts[1]] <= FLOORS[room], f"{name} imports {target}"
        allowed = ONLY.get(parts[0])
        assert allowed is None or room in allowed, f"{name} imports {target}"
        if room == "plots":
            assert parts[0] not in ("torch", "transformers", "peft", "gradio"), f"{name} imports {target}"


def test_no_cycle_between_files():
    TopologicalSorter(WITHIN).prepare()  # raises CycleError, which names the cycle


@pytest.mark.parametrize("package", SIBLINGS)
def test_no_cycle_between_the_files_and_packages_of_a_package(package):
    TopologicalSorter(SIBLINGS[package]).prepare()


def test_one_module_knows_where_the_files_of_the_lab_are():
    """In an installed lab they are elsewhere than in a clone (`lab/paths.py`)."""
    by_file = {name for name, path in MODULES.items() if "Path(__file__)" in path.read_text("utf-8")}
    assert by_file == {"lab.paths"}


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
