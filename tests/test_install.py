"""The wheel: what is in it, and that it works without the clone that it was built from."""

from __future__ import annotations

import email
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

from lab.compare.trackers import TRACKERS
from lab.models.catalogue import models
from lab.paths import ASSETS
from tests import ports

ROOT = Path(__file__).resolve().parents[1]

#: Calls what `pip install` puts into `bin/peft-lab`.
ENTRY = (
    "from importlib.metadata import entry_points\n"
    "(entry,) = entry_points(group='console_scripts', name='peft-lab')\n"
    "raise SystemExit(entry.load()())"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel is unpacked, as pip does it."""
    folder = tmp_path_factory.mktemp("wheel")
    code = f"import hatchling.build; print(hatchling.build.build_wheel({str(folder)!r}))"
    build = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(folder / build.stdout.split()[-1]) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def environment(site: Path) -> dict[str, str]:
    """The environment of a process that imports the lab from the wheel."""
    clone = {"PYTHONPATH", "LAB_RUNS", "LAB_AUTH", "LAB_OWNER_TOKEN", "SPACE_ID"}
    return {key: value for key, value in os.environ.items() if key not in clone} | {
        "PYTHONPATH": str(site), "PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1"
    }  # fmt: skip


def test_it_holds_the_package_and_its_files_and_nothing_else(site: Path):
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    tracked = [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]
    expected = {name for name in tracked if name.startswith("lab/")}
    expected |= {f"lab/{name}" for name in tracked if name.startswith("assets/")}
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert expected <= files
    assert {name.split("/")[0] for name in files if ".dist-info/" not in name} == {"lab"}


def test_it_needs_what_the_requirements_list(site: Path):
    (file,) = site.glob("*.dist-info/METADATA")
    needed = email.message_from_string(file.read_text(encoding="utf-8")).get_all("Requires-Dist", [])
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[^\w-]", line)[0].replace("_", "-").lower() for line in requirements}

    assert names([line for line in needed if "extra ==" not in line]) == names(
        [line for line in lines if line and not line.startswith("#")]
    )


def test_an_extra_installs_every_tracker():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["optional-dependencies"]["trackers"]) == {package for package, _ in TRACKERS.values()}


def test_a_command_works_from_another_folder(site: Path, environment: dict[str, str], tmp_path: Path):
    command = [sys.executable, "-m", "lab", "models"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(models())


def test_the_page_is_served_from_another_folder(site: Path, environment: dict[str, str], tmp_path: Path):
    command = [sys.executable, "-c", ENTRY, "--no-browser", "--port", str(ports.free())]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[-1].rstrip("/")
            with urlopen(f"{address}/config", timeout=60) as answer:
                page = answer.read().decode()
        finally:
            process.terminate()
    assert (tmp_path / "runs").is_dir()
    title = (ASSETS / "lessons" / "lora.md").read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    assert title in page
