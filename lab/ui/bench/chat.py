"""The chat with a run: base and adapter answer the same prompt, side by side, while both write."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import gradio as gr

from lab.knobs import build, knobs
from lab.ui.bench.form import described
from lab.ui.component import QUIET, Widget
from lab.ui.guard import told
from lab.ui.lab import Lab

#: What the page sends with a message (see `reply`).
REQUEST = ("turn", "run", "text", "base", "adapter", "options")

#: Seconds between two updates of a growing reply.
PERIOD = 0.07


def place(lab: Lab) -> None:
    """Place the chat and connect it to the lab's engine."""
    from lab.chat.engine import Options

    chat = Widget(
        "chat",
        {"knobs": [described(item) for item in knobs(Options)]},
        events=("submit", "stop"),
        elem_id="bench-chat",
    )

    def answer(asked: gr.EventData) -> Iterator[dict[str, Any]]:
        yield from reply(lab, {name: getattr(asked, name) for name in REQUEST})

    # Several visitors may chat at a time; the engine lets one reply at a time use a model.
    speaking = chat.submit(answer, None, chat, concurrency_limit=8, **QUIET)
    chat.stop(None, None, None, cancels=[speaking], **QUIET)


def reply(lab: Lab, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Both replies as they grow: `{"turn", "base", "adapter", "done"}`; a classifier gives `labels` at once.

    `asked` holds the `run`, the `turn`, the `text`, the messages of each side and the `options`. What goes wrong is
    told as `error`.
    """
    from lab.chat.engine import Options

    turn = {"turn": asked["turn"]}
    try:
        options = build(Options, asked["options"])
        if lab.limits and options.max_tokens > lab.limits.reply:
            options = replace(options, max_tokens=lab.limits.reply)
        run = str(asked["run"])
        started = lab.runs.get(run).history().started
        if started is not None and started.labels:
            labels = {
                name: lab.engine.classify(run, str(asked["text"]), options, base=name == "base")
                for name in ("base", "adapter")
            }
            yield {**turn, "labels": labels, "done": True}
            return
        yield from _both(lab, run, asked, options, turn)
    except GeneratorExit:
        raise
    except Exception as error:
        yield {**turn, "error": told(error), "done": True}


def _both(
    lab: Lab, run: str, asked: Mapping[str, Any], options: Any, turn: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Take turns between the two sides, so that both grow.

    At strength 0 both are the base, which writes one reply at a time: the second begins when the first is done.
    """
    texts = {"base": "", "adapter": ""}
    yield {**turn, **texts, "done": False}
    sides: dict[str, Any] = {
        name: lab.engine.stream(run, asked[name], options, base=name == "base") for name in texts
    }
    told_at = time.monotonic()
    try:
        while sides:
            for name, words in list(sides.items())[: 1 if options.strength == 0 else 2]:
                try:
                    texts[name] = next(words)
                except StopIteration:
                    del sides[name]
            if time.monotonic() - told_at > PERIOD:
                told_at = time.monotonic()
                yield {**turn, **texts, "done": False}
    finally:
        for words in sides.values():
            words.close()
    yield {**turn, **texts, "done": True}
