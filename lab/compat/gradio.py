"""Gradio: the pace of its queue, the folder of its files, the head of its page and what stands before its routes.

In the browser, what knows Gradio's page by its parts stands in `assets/js/compat` and `assets/css/gradio.css`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.compat import optional

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.middleware import Middleware

log = logging.getLogger(__name__)

#: Seconds between two looks of the queue for questions, and for progress.
LOOKS = {"sleep_when_free": 0.02, "progress_update_sleep_when_free": 0.1}


@optional
def slow_queue(page: Any) -> None:
    """Let Gradio's queue look for questions fifty times a second.

    Why: it looks a thousand times a second (on Windows twenty times), and `Blocks.queue` has no argument for it.
    Without it: a training on the same two cores takes 4% longer (`docs/page.md`).
    Seen on: gradio 6.31.
    """
    queue = page._queue
    for name, seconds in LOOKS.items():
        if not isinstance(getattr(queue, name), float):
            raise TypeError(f"the queue's {name} is no number of seconds")
        setattr(queue, name, seconds)


def upload_folder() -> Path:
    """The folder in which Gradio keeps uploads, and copies of files that a page may fetch.

    Why: a service is told an upload's path by the browser, and must know that it is one.
    Without it: a service would read any path that a browser names.
    Seen on: gradio 6.31.
    """
    from gradio.utils import get_upload_folder

    return Path(get_upload_folder())


def cache_file(file: Path) -> str:
    """The path of a copy of the file that Gradio serves.

    Why: only components copy files there, and a download of ours is none.
    Without it: runs and reports could not be downloaded, or the folder of runs would have to be served.
    Seen on: gradio 6.31.
    """
    from gradio.processing_utils import save_file_to_cache

    return save_file_to_cache(file, cache_dir=str(upload_folder()))


def first_in_head(page: bytes, html: bytes) -> bytes:
    """Gradio's page with `html` before everything else in its head.

    Why: the argument `head` of `launch` is added by a script after Gradio's own modules, and not at all to the page
    that asks for a password.
    Without it: that page has no colours of ours, and `assets/js/compat/early.js` comes too late.
    Seen on: gradio 6.31.
    """
    before, head, after = page.partition(b"<head>")
    if not head:
        log.warning("Gradio's page has no <head>: the page starts without its first style and script")
    return before + head + html + after if head else page


def outermost(middleware: Sequence[Middleware]) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """A lifespan that puts the middleware, first one outermost, around the app before its first request.

    Why: Gradio adds its own around those that `app_kwargs` gives it. Its CORS middleware answers every site that asks
    beforehand whether it may send something: with yes, unless the lab is reached by a name of this machine.
    Without it: a site may send a lab on a network what no form can send, such as `X-Forwarded-Host`.
    Seen on: gradio 6.31, starlette 1.10.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if app.middleware_stack is None:
            raise RuntimeError("the app has no middleware when it starts: nothing would stand before its routes")
        for item in reversed(middleware):
            app.middleware_stack = item.cls(app.middleware_stack, *item.args, **item.kwargs)
        yield

    return lifespan


def has_service(page: Any, component: int, name: str) -> bool:
    """Whether a component of the page has a server function of that name.

    Why: the route of server functions fails with a traceback for a component that is not there.
    Without it: it does, and any attribute's name is looked up on a component.
    Seen on: gradio 6.31.
    """
    return getattr(getattr(page.blocks.get(component), name, None), "_is_server_fn", False) is True


def has_listener(page: Any, number: int) -> bool:
    """Whether the page has an event of that number.

    Why: the route of the queue fails with a traceback for one that is not there.
    Without it: it does.
    Seen on: gradio 6.31.
    """
    return number in page.fns


def runs_on_server(page: Any, number: int) -> bool:
    """Whether the page has an event of that number with a function of ours; others run in the browser alone.

    Why: the queue takes those too, and fails while it answers.
    Without it: it does, and logs a traceback.
    Seen on: gradio 6.31.
    """
    return has_listener(page, number) and page.fns[number].fn is not None
