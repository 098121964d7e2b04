"""PEFT Lab: `python app.py` opens the lab in a browser."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
import threading
import time
import webbrowser
from pathlib import Path

from lab.errors import LabError

#: Ports that are tried after one that is in use.
TRIES = 20


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python app.py", description="Learn, choose and use parameter-efficient fine-tuning."
    )
    parser.add_argument("--port", type=int, default=7860, help="port of the page (default 7860)")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), metavar="DIR", help="where runs are kept (default ./runs)"
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    asked = parser.parse_args(arguments)
    if not 1 <= asked.port <= 65535:
        parser.error(f"the port must be from 1 to 65535, not {asked.port}")
    return asked


def free_port(wanted: int) -> int:
    """The wanted port if nothing listens there, else the next free one. Raises LabError if there is none near."""
    for port in range(wanted, min(wanted + TRIES, 65536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise LabError(f"The ports from {wanted} on are all in use.", "Choose another with --port.")


def main(arguments: list[str] | None = None) -> int:
    """Serve the page until it is interrupted; the exit status."""
    asked = options(arguments)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    from lab.ui.app import build, launch
    from lab.ui.lab import Lab

    try:
        lab = Lab(asked.runs)
        port = free_port(asked.port)
        page = build(lab)
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    if port != asked.port:
        print(f"Port {asked.port} is in use; taking {port}.", flush=True)
    address = launch(page, port)
    print(f"PEFT Lab is at {address}", flush=True)
    threading.Thread(target=lab.warm_up, daemon=True).start()
    if not asked.no_browser:
        webbrowser.open(address)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print("\nClosing: what trains is stopped and kept.", flush=True)
    finally:
        lab.close()
        page.close(verbose=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
