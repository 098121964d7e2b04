"""Chromium for the browser tests: find one on this machine, or set one up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

#: Names of Chromium and of browsers made from it.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: Seconds that one command of the set-up may take.
LIMIT = 900

HINT = "Install it with the package manager of this machine, or run 'playwright install chromium'."


class ChromiumMissing(Exception):
    """There is no Chromium and none could be set up; says what was tried."""


def find(playwright_path: str) -> str | None:
    """Return the path of a Chromium that starts: the system's, else playwright's at `playwright_path`, else None."""
    candidates = filter(None, [*map(shutil.which, NAMES), shutil.which(playwright_path)])
    return next((path for path in candidates if _starts(path)), None)


def find_or_install(playwright_path: str) -> str:
    """Return the path of a Chromium that starts; set one up first where there is none.

    Workers that run side by side wait for the one that sets it up. Raises ChromiumMissing if nothing works.
    """
    if path := find(playwright_path):
        return path
    with FileLock(Path(tempfile.gettempdir()) / f"peft-lab-chromium-{os.getuid()}.lock"):
        failures: list[str] = []
        for command in [[], *_commands(playwright_path)]:
            if command and (failure := _run(command)):
                failures.append(failure)
            if path := find(playwright_path):
                return path
    raise ChromiumMissing(f"There is no Chromium for the browser tests. {HINT}\n" + "\n".join(failures))


def _commands(playwright_path: str) -> Iterator[list[str]]:
    """Yield what to try, one command after the other, as long as no Chromium starts."""
    playwright = [sys.executable, "-m", "playwright"]
    yield [*playwright, "install", "chromium"]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    if Path(playwright_path).is_file():  # It is there and does not start: libraries of the system are missing.
        yield [*playwright, "install-deps", "chromium"]
    yield ["apt-get", "update", "-qq"]
    yield ["apt-get", "install", "-y", "-qq", "chromium", "fonts-dejavu-core"]


def _starts(path: str) -> bool:
    # On Ubuntu, /usr/bin/chromium-browser may be a script that only asks for a snap.
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _run(command: list[str]) -> str:
    """Run a command; return a line on its failure, or nothing if it went well."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{' '.join(command)}: {error}"
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    return f"{' '.join(command)}: {lines[0] if lines else 'no output'}" if done.returncode else ""
