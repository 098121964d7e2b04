"""Gradio: the pace of its queue, the folder of its files and the head of its page.

In the browser, what knows Gradio's page by its parts stands in `assets/js/compat` and `assets/css/gradio.css`.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from lab.compat import optional

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
