"""Chromium for the benchmarks: where it is, and one that nobody drives."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


def chromium() -> str:
    """Where Chromium is. Ends the program with a sentence if there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        raise SystemExit("Chromium is not there: install it, or leave out what needs a browser.")
    return found


@contextmanager
def alone(address: str) -> Iterator[Callable[[signal.Signals], None]]:
    """Chromium without a window on a page, which nothing listens to; sends a signal to all its processes."""
    import psutil

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--window-size=1440,1000"]
        main = psutil.Popen(
            [chromium(), *options, f"--user-data-dir={folder}", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def send(number: signal.Signals) -> None:
            for process in (main, *main.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)

        try:
            yield send
        finally:
            send(signal.SIGKILL)
            main.wait()
