"""PEFT Lab: `python app.py` opens the lab in a browser."""

from __future__ import annotations

import argparse
import logging
import os
import re
import signal
import socket
import sys
import time
import webbrowser
from dataclasses import replace
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
        "--runs",
        type=Path,
        default=Path(os.environ.get("LAB_RUNS", "runs")),
        metavar="DIR",
        help="where runs are kept (default ./runs)",
    )
    parser.add_argument(
        "--public",
        action="store_true",
        default=bool(os.environ.get("SPACE_ID")),
        help="for strangers: each has runs of their own, within limits (on by itself on Hugging Face Spaces)",
    )
    parser.add_argument("--max-visitors", type=int, metavar="N", help="visitors of a public lab (default 100)")
    parser.add_argument("--auth", metavar="USER:PASSWORD", default=os.environ.get("LAB_AUTH"), help="ask for these")
    parser.add_argument(
        "--owner-token",
        metavar="SECRET",
        default=os.environ.get("LAB_OWNER_TOKEN", ""),
        help="opens the owner's page of a public lab, at /owner (better in the variable LAB_OWNER_TOKEN)",
    )
    parser.add_argument("--root-path", default="", metavar="PATH", help="path below which a proxy serves the page")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    asked = parser.parse_args(arguments)
    if not 1 <= asked.port <= 65535:
        parser.error(f"the port must be from 1 to 65535, not {asked.port}")
    if asked.max_visitors is not None and not 1 <= asked.max_visitors <= 100_000:
        parser.error("--max-visitors must be from 1 to 100000")
    if asked.auth and not all(asked.auth.partition(":")):
        parser.error("--auth must be USER:PASSWORD")
    if asked.owner_token and len(asked.owner_token) < 16:
        parser.error("--owner-token must have 16 characters or more")
    if asked.root_path and not re.fullmatch(r"(/[\w.-]+)+", asked.root_path):
        parser.error("--root-path must look like /lab")
    return asked


def free_port(wanted: int, host: str = "127.0.0.1") -> int:
    """The wanted port if nothing listens there, else the next free one. Raises LabError if there is none near."""
    for port in range(wanted, min(wanted + TRIES, 65536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise LabError(f"The ports from {wanted} on are all in use.", "Choose another with --port.")


def shut() -> None:
    """Keep what the owner's token may read on the Hub from visitors."""
    os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
    os.environ.pop("HF_TOKEN", None)


def main(arguments: list[str] | None = None) -> int:
    """Serve the page until it is interrupted; the exit status."""
    asked = options(arguments)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if asked.public:
        shut()
    from lab.hosting.limits import read
    from lab.ui.app import build, launch
    from lab.ui.lab import Lab

    host = "0.0.0.0" if asked.public else "127.0.0.1"
    try:
        limits = read(os.environ.get("LAB_LIMITS", "")) if asked.public else None
        if limits and asked.max_visitors:
            limits = replace(limits, visitors=asked.max_visitors)
        lab = Lab(asked.runs, limits)
        port = free_port(asked.port, host)
        page = build(lab)
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    if port != asked.port:
        print(f"Port {asked.port} is in use; taking {port}.", flush=True)
    user = tuple(asked.auth.split(":", 1)) if asked.auth else None
    address = launch(page, port, host, asked.root_path, lab if asked.public else None, user, asked.owner_token)
    # Also where a shell had Ctrl-C ignored (`nohup python app.py &`), and as containers are stopped.
    for sent in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sent, signal.default_int_handler)
    try:
        print(f"PEFT Lab is at {address}", flush=True)
        lab.warm_up()
        if not (asked.no_browser or asked.public):
            webbrowser.open(address)
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
