"""The set-up of Chromium, with commands that only pretend to install one."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from tests.browser import chromium

WORKS = "#!/bin/sh\necho Chromium 1.2.3\n"
BREAKS = "#!/bin/sh\necho 'needs a snap' >&2; exit 1\n"


class Machine:
    """A folder of commands in place of the system's, and the log of those that were called."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder / "bin", folder / "log"
        self.playwright_path = str(folder / "playwright" / "chrome")
        self.folder.mkdir()
        (folder / "playwright").mkdir()

    def add(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)
        return file

    def add_installer(self, name: str, result: str | None, content: str = WORKS) -> str:
        """Add a command that logs its arguments and creates `result`, or fails where that is None."""
        outcome = "echo 'no network' >&2; exit 1"
        if result:
            outcome = f"/bin/cat > {result} <<'END'\n{content}END\n/bin/chmod 755 {result}"
        return str(self.add(name, f'#!/bin/sh\necho "{name} $*" >> {self.log}\n{outcome}\n'))

    @property
    def calls(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine without Chromium where playwright downloads nothing, seen by its root."""
    machine = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(machine.folder))
    monkeypatch.setattr(chromium.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sys, "executable", machine.add_installer("python", None))
    return machine


def test_the_systems_comes_first_and_nothing_is_installed(machine: Machine) -> None:
    path = machine.add("google-chrome", WORKS)
    assert chromium.find_or_install(machine.playwright_path) == str(path)
    assert not machine.calls


def test_one_that_does_not_start_is_passed_over(machine: Machine) -> None:
    machine.add("chromium-browser", BREAKS)
    path = machine.add("google-chrome", WORKS)
    assert chromium.find_or_install(machine.playwright_path) == str(path)


def test_playwrights_is_taken_where_it_is(machine: Machine) -> None:
    machine.add_installer("python", machine.playwright_path)
    assert chromium.find_or_install(machine.playwright_path) == machine.playwright_path
    assert machine.calls == ["python -m playwright install chromium"]
    assert chromium.find_or_install(machine.playwright_path) == machine.playwright_path
    assert len(machine.calls) == 1


def test_root_takes_the_systems_packages_where_playwright_downloads_nothing(machine: Machine) -> None:
    path = machine.folder / "chromium"
    machine.add_installer("apt-get", str(path))
    assert chromium.find_or_install(machine.playwright_path) == str(path)
    assert machine.calls[:2] == ["python -m playwright install chromium", "apt-get update -qq"]


def test_libraries_are_installed_for_a_playwright_browser_that_lacks_them(machine: Machine) -> None:
    Path(machine.playwright_path).write_text(BREAKS, encoding="utf-8")
    Path(machine.playwright_path).chmod(0o755)
    machine.add_installer("apt-get", None)
    with pytest.raises(chromium.ChromiumMissing):
        chromium.find_or_install(machine.playwright_path)
    assert machine.calls[1] == "python -m playwright install-deps chromium"


def test_nobody_but_root_installs_packages(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine.add_installer("apt-get", str(machine.folder / "chromium"))
    with pytest.raises(chromium.ChromiumMissing) as caught:
        chromium.find_or_install(machine.playwright_path)
    assert machine.calls == ["python -m playwright install chromium"]
    assert "There is no Chromium for the browser tests." in str(caught.value)
    assert "playwright install chromium: no network" in str(caught.value)


def test_of_many_workers_one_installs(machine: Machine) -> None:
    machine.add_installer("python", machine.playwright_path)
    paths: list[str] = []
    workers = [
        threading.Thread(target=lambda: paths.append(chromium.find_or_install(machine.playwright_path)))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert paths == [machine.playwright_path] * 4
    assert len(machine.calls) == 1
