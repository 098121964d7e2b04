"""The shapes of what a page asks Gradio: anything else is refused before Gradio reads it."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from lab.compat.gradio import has_listener, has_service, runs_on_server
from lab.server.bodies import json_object, read_body, replay
from lab.server.errors import NOT_A_QUESTION
from lab.server.paths import CANCEL, JOIN, RESET, SERVICE, normalized
from lab.server.responses import refuse


class Question(BaseModel):
    """What every question may have. Fields that the page never sends are left out of what Gradio gets."""

    model_config = ConfigDict(strict=True, extra="ignore")

    session_hash: str | None = Field(None, max_length=100)


class ServiceCall(Question):
    """A server function of a component."""

    session_hash: str = Field(max_length=100)
    component_id: int
    fn_name: str = Field(max_length=100)
    data: Any


class Event(Question):
    """A listener, called through the queue."""

    fn_index: int
    data: list[Any]
    event_data: Any = None
    trigger_id: int | None = None


class Cancellation(Question):
    """The end of an event."""

    session_hash: str = Field(max_length=100)
    fn_index: int
    event_id: str = Field(max_length=100)


class Reset(Question):
    """The end of an event, in an older form of the page."""

    event_id: str = Field(max_length=100)


SHAPES: dict[str, type[Question]] = {SERVICE: ServiceCall, JOIN: Event, CANCEL: Cancellation, RESET: Reset}


def holds_file(event: Event) -> bool:
    """Whether a value of the event is a file to Gradio, or looks like one to it.

    No listener of the lab takes a file, and Gradio would fetch any address that stands in one.
    """
    values: list[Any] = [event.data, event.event_data]
    while values:
        value = values.pop()
        if isinstance(value, dict):
            if "path" in value and "meta" in value:
                return True
            values += value.values()
        elif isinstance(value, list):
            values += value
    return False


class Questions:
    """ASGI middleware that lets only questions of a known shape through, about what `page` (a `gr.Blocks`) has."""

    def __init__(self, app: ASGIApp, page: Any) -> None:
        self.app, self.page = app, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        shape = SHAPES.get(normalized(scope["path"])) if scope["type"] == "http" else None
        if shape is None or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        body = await read_body(receive)
        if body is None:
            return None
        try:
            question = shape.model_validate(json_object(body))
            # Written anew: what is deeper than orjson writes, or a number beyond 64 bits, ends here.
            body = orjson.dumps(question.model_dump())
        except (ValidationError, ValueError, TypeError, RecursionError):
            return await refuse(send, 400, NOT_A_QUESTION)
        if not self.known(question) or (isinstance(question, Event) and holds_file(question)):
            return await refuse(send, 400, NOT_A_QUESTION)
        headers = [item for item in scope["headers"] if item[0] not in (b"content-length", b"transfer-encoding")]
        headers.append((b"content-length", str(len(body)).encode()))
        return await self.app({**scope, "headers": headers}, replay(body, receive), send)

    def known(self, question: Question) -> bool:
        """Whether the page has the function or the listener that is named."""
        if isinstance(question, ServiceCall):
            return has_service(self.page, question.component_id, question.fn_name)
        if isinstance(question, Event):
            return runs_on_server(self.page, question.fn_index)
        return not isinstance(question, Cancellation) or has_listener(self.page, question.fn_index)
