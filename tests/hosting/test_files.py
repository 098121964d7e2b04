"""What Spaces and Docker read: README's front matter and the Dockerfile."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}

#: Each key that Spaces knows and what it accepts.
KEYS: dict[str, Any] = {
    "title": lambda value: 0 < len(value) <= 60,
    "emoji": lambda value: 1 <= len(value) <= 2 and not value.isascii(),
    "colorFrom": COLOURS.__contains__,
    "colorTo": COLOURS.__contains__,
    "sdk": {"gradio", "docker", "static"}.__contains__,
    "sdk_version": lambda value: re.fullmatch(r"\d+\.\d+\.\d+", value),
    "python_version": lambda value: isinstance(value, str) and re.fullmatch(r"3\.\d+(\.\d+)?", value),
    "app_file": lambda value: (ROOT / value).is_file(),
    "pinned": lambda value: isinstance(value, bool),
    "license": {"apache-2.0", "mit"}.__contains__,
    "short_description": lambda value: 0 < len(value) <= 60,
    "suggested_hardware": {"cpu-basic", "cpu-upgrade", "t4-small", "l4x1", "zero-a10g"}.__contains__,
    "hf_oauth": lambda value: value is True,
    # Beside who one is: repositories that the lab makes, and no others. Spaces names these scopes.
    "hf_oauth_scopes": lambda value: value == ["contribute-repos"],
    "hf_oauth_expiration_minutes": lambda value: isinstance(value, int) and 0 < value <= 43200,
}


def front() -> dict[str, Any]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.startswith("---\n")
    return yaml.safe_load(text.split("---\n")[1])


@pytest.mark.parametrize("key", sorted(KEYS))
def test_each_key_of_the_front_matter_is_one_that_spaces_accepts(key: str) -> None:
    told = front()
    assert key in told
    assert KEYS[key](told[key]), told[key]


def test_the_front_matter_has_no_key_that_is_not_checked() -> None:
    assert set(front()) == set(KEYS)


def test_the_versions_are_those_of_the_requirements() -> None:
    told = front()
    wanted = re.search(r"^gradio>=([\d.]+),<([\d.]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert wanted
    low, high = (tuple(map(int, version.split("."))) for version in wanted.groups())
    assert low <= tuple(map(int, told["sdk_version"].split("."))) < high
    assert f"FROM python:{told['python_version']}" in (ROOT / "Dockerfile").read_text()


def test_the_container_runs_as_nobody_special_is_checked_and_shared() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users[-1:] == ["lab"]
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    command = lines[-1]
    assert command.startswith("CMD")
    assert '"--public"' in command
    for line in lines:
        if line.startswith("COPY"):
            for name in [part for part in line.split()[1:-1] if not part.startswith("--")]:
                assert (ROOT / name).exists(), name


def test_no_file_names_a_secret() -> None:
    secret = re.compile(r"\bhf_[A-Za-z0-9]{30,}\b")
    for file in [*ROOT.glob("*.*"), *ROOT.glob("docs/*.md"), *ROOT.glob("lab/**/*.py")]:
        if file.is_file() and file.suffix in (".py", ".md", ".toml", ".txt", ".yaml"):
            assert not secret.search(file.read_text(encoding="utf-8")), file
