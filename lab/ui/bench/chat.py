"""The chat with a run: base and adapter answer the same prompt, side by side, while both write."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, Literal

import gradio as gr
from pydantic import Field

from lab.knobs import build, knobs
from lab.server.schema import Id, Request, bounded, validate
from lab.ui.bench.form import described
from lab.ui.component import Widget
from lab.ui.guard import told
from lab.ui.lab import Lab
from lab.ui.listeners import listen

#: Seconds between two updates of a growing reply.
PERIOD = 0.07

#: Characters of a message, and messages of a conversation.
LONGEST, MESSAGES = 20_000, 400


def place(lab: Lab) -> None:
    """Place the chat and connect it to the lab's engine."""
    from lab.chat.engine import Options

    chat = Widget(
        "chat",
        {"knobs": [described(item) for item in knobs(Options)]},
        events=("submit", "stop"),
        elem_id="bench-chat",
    )

    def answer(event: gr.EventData) -> Iterator[dict[str, Any]]:
        yield from reply(lab, fields(event))

    # Several visitors may chat at a time; the engine lets one reply at a time use a model.
    speaking = listen(chat.submit, answer, None, chat, concurrency_limit=8)
    listen(chat.stop, None, None, None, cancels=[speaking])


class Message(Request):
    role: Literal["user", "assistant"]
    content: Annotated[str, Field(max_length=LONGEST)]


Messages = Annotated[list[Message], Field(max_length=MESSAGES)]


class ChatRequest(Request):
    """A message to a run: its text, and the whole conversation as each side has it."""

    run: Id
    turn: Annotated[int, Field(ge=0, le=10**9)]
    text: Annotated[str, Field(max_length=LONGEST)]
    base: Messages
    adapter: Messages
    options: Annotated[dict[str, Any], bounded(values=50, characters=2_000)]


def fields(event: gr.EventData) -> dict[str, Any]:
    """The fields of a ChatRequest that the page has sent with its event."""
    found = {}
    for name in ChatRequest.__annotations__:
        with suppress(AttributeError, TypeError):  # it is not there, or the event's data are no table at all
            found[name] = getattr(event, name)
    return found


def reply(lab: Lab, data: Any) -> Iterator[dict[str, Any]]:
    """Both replies as they grow: `{"turn", "base", "adapter", "done"}`; a classifier gives `labels` at once.

    `data` is what the page sends, a ChatRequest if nobody meddled with it. What goes wrong is told as `error`.
    """
    from lab.chat.engine import Options

    turn: dict[str, Any] = {}
    try:
        asked: ChatRequest = validate(ChatRequest, data)
        turn["turn"] = asked["turn"]
        options = build(Options, asked["options"])
        if lab.limits and options.max_tokens > lab.limits.reply:
            options = replace(options, max_tokens=lab.limits.reply)
        run = asked["run"]
        started = lab.runs.get(run).history().started
        if started is not None and started.labels:
            labels = {
                name: lab.engine.classify(run, asked["text"], options, base=name == "base")
                for name in ("base", "adapter")
            }
            yield {**turn, "labels": labels, "done": True}
            return
        yield from _both(lab, run, asked, options, turn)
    except GeneratorExit:
        raise
    except Exception as error:
        yield {**turn, "error": told(error), "done": True}


def _both(lab: Lab, run: str, asked: Any, options: Any, turn: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Take turns between the two sides, so that both grow.

    At strength 0 both are the base, which writes one reply at a time: the second begins when the first is done.
    """
    texts = {"base": "", "adapter": ""}
    yield {**turn, **texts, "done": False}
    sides: dict[str, Any] = {
        "base": lab.engine.stream(run, asked["base"], options, base=True),
        "adapter": lab.engine.stream(run, asked["adapter"], options),
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
