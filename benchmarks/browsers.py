"""Chromium for the benchmarks: where it is, and one that nobody drives."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.browser.chromium import find


def chromium() -> str:
    """Where Chromium is. Ends the program with a sentence if there is none."""
    path = find("")
    if not path:
        raise SystemExit("Chromium is not there: install it, or leave out what needs a browser.")
    return path


class Browser:
    """All processes of a Chromium that runs."""

    def __init__(self, main: Any) -> None:
        self._main = main

    def _all(self) -> list[Any]:
        return [self._main, *self._main.children(recursive=True)]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to each."""
        import psutil

        for process in self._all():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def used(self) -> float:
        """Seconds of the processor that they have taken."""
        return sum(sum(process.cpu_times()[:2]) for process in self._all())


@contextmanager
def alone(address: str) -> Iterator[Browser]:
    """Chromium without a window on a page, which nothing listens to."""
    import psutil

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--window-size=1440,1000"]
        main = psutil.Popen(
            [chromium(), *options, f"--user-data-dir={folder}", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        browser = Browser(main)
        try:
            yield browser
        finally:
            browser.send(signal.SIGKILL)
            main.wait()
