"""The page: `python app.py`, `peft-lab` or `python -m lab serve`."""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lab import terminal
from lab.errors import LabError

DESCRIPTION = "Learn, choose and use parameter-efficient fine-tuning."

#: Ports that are tried after one that is in use.
TRIES = 20


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the page to a parser."""
    parser.add_argument("--port", type=_whole(1, 65535), default=7860, help="port of the page (default 7860)")
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
    parser.add_argument(
        "--max-visitors", type=_whole(1, 100_000), metavar="N", help="visitors of a public lab (default 100)"
    )
    parser.add_argument(
        "--auth",
        type=_text("(?s)[^:]+:.+", "must be USER:PASSWORD"),
        metavar="USER:PASSWORD",
        default=os.environ.get("LAB_AUTH", ""),
        help="ask for these",
    )
    parser.add_argument(
        "--owner-token",
        type=_text("(?s).{16,}", "must have 16 characters or more"),
        metavar="SECRET",
        default=os.environ.get("LAB_OWNER_TOKEN", ""),
        help="opens the owner's page of a public lab, at /owner (better in the variable LAB_OWNER_TOKEN)",
    )
    parser.add_argument(
        "--root-path",
        type=_text(r"(/[\w.-]+)+", "must look like /lab"),
        default="",
        metavar="PATH",
        help="path below which a proxy serves the page",
    )
    parser.add_argument(
        "--allow-host",
        type=_text(r"[\w.-]+", "must be a name without a port, such as lab.example.org"),
        action="append",
        default=[],
        metavar="NAME",
        help="a name by which a browser reaches the lab, besides localhost and addresses (may be repeated)",
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, not {text}")
        return int(text)

    return parse


def _text(pattern: str, sentence: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        # An empty text, as of an unset variable in a script, is the same as no option.
        if text and not re.fullmatch(pattern, text):
            raise argparse.ArgumentTypeError(sentence)
        return text

    return parse


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the options of `python app.py`."""
    parser = argparse.ArgumentParser(prog="python app.py", description=DESCRIPTION)
    add_options(parser)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Serve the page with the options of `python app.py`; returns the exit status."""
    return run(options(arguments))


def run(parsed: argparse.Namespace) -> int:
    """Serve the page until it is interrupted; returns the exit status."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    host = "0.0.0.0" if parsed.public else "127.0.0.1"
    try:
        if parsed.public:
            from lab.hosting.credentials import withhold

            withhold(parsed.runs)  # before anything imports huggingface_hub
        from lab.hosting.limits import read
        from lab.ui.app import build, launch
        from lab.ui.lab import Lab

        limits = read(os.environ.get("LAB_LIMITS", "")) if parsed.public else None
        if limits and parsed.max_visitors:
            limits = replace(limits, visitors=parsed.max_visitors)
        lab = Lab(parsed.runs, limits)
        port = free_port(parsed.port, host)
        page = build(lab)
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    if port != parsed.port:
        print(f"Port {parsed.port} is in use; taking {port}.", flush=True)
    user = tuple(parsed.auth.split(":", 1)) if parsed.auth else None
    address = launch(
        page,
        port,
        host,
        parsed.root_path,
        lab if parsed.public else None,
        user,
        parsed.owner_token,
        parsed.allow_host,
    )
    closing = threading.Event()
    # Also where a shell had Ctrl-C ignored (`nohup python app.py &`), and as containers are stopped.
    with terminal.stopping(closing.set):
        print(f"PEFT Lab is at {address}", flush=True)
        lab.warm_up()
        if not (parsed.no_browser or parsed.public):
            import webbrowser

            webbrowser.open(address)
        while not closing.wait(1):  # a wait without an end hears no Ctrl-C on Windows
            pass
        print("\nClosing: what trains is stopped and kept.", flush=True)
        lab.close()
        page.close(verbose=False)
    return 0


def free_port(wanted: int, host: str = "127.0.0.1") -> int:
    """The wanted port if nothing listens there, else the next free one. Raises LabError if there is none near."""
    import socket

    for port in range(wanted, min(wanted + TRIES, 65536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise LabError(f"The ports from {wanted} on are all in use.", "Choose another with --port.")
