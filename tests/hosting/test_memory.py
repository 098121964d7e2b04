"""A shared lab in which memory runs out for one visitor: the others train and chat on, and nothing is lost."""

from __future__ import annotations

import json
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.hosting.limits import Limits
from lab.plan import Plan
from tests.hosting.visitor import Server, Visitor, visitors
from tests.hosting.visitor_plan import short
from tests.loops import closed_after


@contextmanager
def cramped(spare: int) -> Iterator[None]:
    """This process gets no more than so many bytes beyond what it has. Linux alone holds it to that."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    found = re.search(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found
    resource.setrlimit(resource.RLIMIT_DATA, (1024 * int(found[1]) + spare, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def most(source: str) -> Plan:
    """Steps of 16,384 tokens, the most that a visitor may ask for: the logits alone are half a gigabyte."""
    return short(source, batch_size=32, max_length=512)


def reply(server: Server, visitor: Visitor, run: str) -> str:
    """What the run's adapter says through the chat; the error's words if there was one."""
    page = server.page
    chat = next(key for key, block in page.blocks.items() if getattr(block, "elem_id", None) == "bench-chat")
    listener = next(key for key, fn in page.fns.items() if (chat, "submit") in fn.targets)
    words = [{"role": "user", "content": "Where does Ada live?"}]
    event = {"run": run, "turn": 1, "text": "", "base": words, "adapter": words, "options": {"max_tokens": 8}}
    told = visitor.listen(listener, [], event)[-1]["output"]["data"][0]
    return str(told["error"]["message"] if "error" in told else told["adapter"])


def test_memory_that_runs_out_costs_only_whom_it_ran_out_for(tmp_path: Path) -> None:
    rows = [{"prompt": f"say {n}", "reply": "one more word " * 600} for n in range(120)]
    long = "".join(json.dumps(row) + "\n" for row in rows).encode()
    with pytest.MonkeyPatch.context() as patch, closed_after(patch):
        server = Server(tmp_path / "runs", Limits())
        jobs = server.lab.jobs.every  # type: ignore[attr-defined]
        try:
            with visitors(server, 2) as (ann, bob):
                first = bob.train(short())
                before = reply(server, bob, first)
                upload = ann.upload("long.jsonl", long)
                with cramped(2**30):
                    large = ann.ask("launch", most(upload).to_dict())["run"]
                    small = bob.ask("launch", short().to_dict())["run"]
                    assert jobs.wait(large, 120)
                    assert jobs.wait(small, 120)
                    assert reply(server, bob, first) == before != ""
                failed = jobs.runs.get(large).history().finished
                assert failed.error == "The device ran out of memory."
                assert "halve the batch size (now 32)" in failed.hint
                assert jobs.runs.get(small).status == "done"
        finally:
            server.close()
