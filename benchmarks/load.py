"""`python -m benchmarks.load`: many visitors of a shared lab, each of whom trains, watches and chats. Loopback only.

The server is a process of its own. Every visitor has a cookie and asks what the page asks, as often as the page asks
it. Told are the page's answer times, errors, bytes of watching, the server's memory, and whether every run's events
came to its owner complete and to nobody else.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from lab import methods
from lab.plan import Data

ROOT = Path(__file__).parents[1]
API = "/gradio_api"

#: Seconds between two polls of a page that watches a run, as `assets/js/live.js` has it while it waits or trains.
POLL = 1.0

REPLY = "both replies, whole"

#: Bounds of what may be asked for: this is a measurement and no attack.
MOST_VISITORS, MOST_MINUTES = 100, 30.0


@dataclass
class Told:
    """What all visitors saw."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    watched: list[tuple[int, float]] = field(default_factory=list)  # bytes and seconds of a visitor's watching
    memory: list[tuple[float, int]] = field(default_factory=list)  # seconds since the start and bytes
    runs: int = 0
    replies: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, name: str, seconds: float) -> None:
        with self.lock:
            self.seconds.setdefault(name, []).append(seconds)

    def fault(self, words: str) -> None:
        with self.lock:
            self.errors.append(words)


class Person:
    """One visitor on a thread: opens the page, trains, watches to the end, chats, looks at the runs, begins again."""

    def __init__(self, url: str, config: dict[str, Any], told: Told, number: int) -> None:
        self.web = httpx.Client(base_url=url, timeout=60, trust_env=False)
        self.told, self.number, self.session = told, number, secrets.token_hex(6)
        self.draw = random.Random(number)
        self.service = next(
            item["id"] for item in config["components"] if "feed" in (item["props"].get("server_fns") or [])
        )
        self.chat = next(item["id"] for item in config["components"] if item["props"].get("elem_id") == "bench-chat")
        self.reply = next(
            item["id"] for item in config["dependencies"] if (self.chat, "submit") in map(tuple, item["targets"])
        )
        self.mine: set[str] = set()

    def ask(self, name: str, argument: Any) -> Any:
        body = {"data": argument, "component_id": self.service, "fn_name": name, "session_hash": self.session}
        began = time.perf_counter()
        answer = self.web.post(f"{API}/component_server", json=body)
        self.told.note(name, time.perf_counter() - began)
        answer.raise_for_status()
        told = answer.json()
        if "ok" not in told:
            raise RuntimeError(f"{name}: {told['error']['message']}")
        self.size = len(answer.content)
        return told["ok"]

    def live(self, end: float) -> None:
        try:
            began = time.perf_counter()
            self.web.get("/").raise_for_status()
            self.told.note("page", time.perf_counter() - began)
            while time.monotonic() < end:
                self.once(end)
        except Exception as error:
            self.told.fault(f"visitor {self.number}: {type(error).__name__}: {error}")
        finally:
            self.web.close()

    def once(self, end: float) -> None:
        plan = methods.default_plan("lora", data=Data(source="persona"))
        small = {"steps": 10, "eval_every": 0, "eval_rows": 4, "reply_rows": 1, "batch_size": 2, "rank": 2}
        form = methods.with_values(plan, small).to_dict()
        for rank in self.draw.sample(range(1, 32), 3):
            self.ask("see", {**form, "settings": {**form["settings"], "rank": rank}})
            time.sleep(0.3)
        run = self.ask("launch", form)["run"]
        self.mine.add(run)
        status = self.watch(run, end)
        listed = {row["id"] for row in self.ask("runs", {})["rows"]}
        if listed != self.mine:
            self.told.fault(f"visitor {self.number} sees {listed ^ self.mine} too many or too few")
        if status == "done":
            with self.told.lock:
                self.told.runs += 1
            self.talk(run)

    def watch(self, run: str, end: float) -> str:
        mark, seen, size, began = None, 0, 0, time.monotonic()
        while True:
            told = self.ask("feed", {"run": run, "mark": mark})
            size += self.size
            mark, status = told["mark"], told["status"]
            seen = told["fresh"] if told["reset"] else seen + told["fresh"]
            if status not in ("waiting", "running"):
                break
            if time.monotonic() > end + 5:
                self.ask("control", {"run": run, "action": "stop"})
            time.sleep(POLL)
        with self.told.lock:
            self.told.watched.append((size, time.monotonic() - began))
        if status == "done" and seen != told["step"]:
            self.told.fault(f"{seen} points of {told['step']} steps came to visitor {self.number}")
        return str(status)

    def talk(self, run: str) -> None:
        words = [{"role": "user", "content": "Where does Ada live?"}]
        event = {"run": run, "turn": 1, "text": "Where does Ada live?", "base": words, "adapter": words,
                 "options": {"max_tokens": 12}}  # fmt: skip
        body = {"data": [], "fn_index": self.reply, "session_hash": self.session, "event_data": event}
        began = time.perf_counter()
        self.web.post(f"{API}/queue/join", json=body).raise_for_status()
        last = ""
        with self.web.stream("GET", f"{API}/queue/data", params={"session_hash": self.session}) as lines:
            for line in lines.iter_lines():
                message = json.loads(line[5:]) if line.startswith("data:") else {"msg": ""}
                if message["msg"] == "process_completed":
                    last = line
                if message["msg"] in ("process_completed", "close_stream"):
                    break
        if '"done":true' not in last.replace(" ", "") or '"error":{' in last.replace(" ", ""):
            self.told.fault(f"chat of visitor {self.number}: {last[:300]}")
        self.told.note(REPLY, time.perf_counter() - began)
        with self.told.lock:
            self.told.replies += 1


def serve(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """The shared lab in a process of its own, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "app.py", "--public", "--port", str(port), "--runs", str(folder)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if " is at http" in line:
            break
    else:
        raise RuntimeError("the lab did not start")
    threading.Thread(target=process.stdout.read, daemon=True).start()
    return process, f"http://127.0.0.1:{port}"


def load(visitors: int, minutes: float) -> Told:
    """The figures of so many visitors for so long."""
    told = Told()
    process, url = serve(Path(tempfile.mkdtemp(prefix="load-")) / "runs")
    try:
        config = httpx.get(f"{url}/config", timeout=60, trust_env=False).json()
        first = Person(url, config, told, -1)
        first.web.get("/")
        while not first.ask("status", {})["device"]:  # the libraries are imported: once in the life of a server
            time.sleep(0.5)
        first.web.close()
        told.seconds.clear()
        began, end = time.monotonic(), time.monotonic() + 60 * minutes
        people = [Person(url, config, told, number) for number in range(visitors)]
        threads = [threading.Thread(target=one.live, args=(end,)) for one in people]
        for thread in threads:
            thread.start()
            time.sleep(min(0.5, 20 / visitors))
        watched = psutil.Process(process.pid)
        while any(thread.is_alive() for thread in threads):
            told.memory.append((time.monotonic() - began, watched.memory_info().rss))
            time.sleep(1)
    finally:
        process.terminate()
        process.wait(30)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=10.0)
    asked = parser.parse_args()
    if not (1 <= asked.visitors <= MOST_VISITORS and 0 < asked.minutes <= MOST_MINUTES):
        parser.error(f"at most {MOST_VISITORS} visitors and {MOST_MINUTES:g} minutes")
    told = load(asked.visitors, asked.minutes)
    print(f"{asked.visitors} visitors, {asked.minutes:g} min, {os.cpu_count()} processors")
    print(f"{told.runs} runs done and watched to the end, {told.replies} replies, {len(told.errors)} errors")
    for words in told.errors[:10]:
        print("  " + words)
    print("| asked | times | median ms | p95 ms |\n|:--|--:|--:|--:|")
    every: list[float] = []
    for name, seconds in sorted(told.seconds.items()):
        every += seconds if name != REPLY else []
        print(f"| {name} | {len(seconds)} | {1000 * statistics.median(seconds):.0f} | {1000 * p95(seconds):.0f} |")
    print(f"all page actions: p95 {1000 * p95(every):.0f} ms")
    rates = [size / max(seconds, POLL) for size, seconds in told.watched]
    print(f"watching: {statistics.median(rates) / 1000:.1f} kB/s a visitor (median), {max(rates) / 1000:.1f} at most")
    half = [rss for at, rss in told.memory if at > told.memory[-1][0] / 2]
    first, last, most = half[0] / 1e6, half[-1] / 1e6, max(half) / 1e6
    print(f"memory of the server in the second half: {first:.0f} to {last:.0f} MB, {most:.0f} at most")


def p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


if __name__ == "__main__":
    main()
