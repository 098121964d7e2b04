"""The owner's page of a shared lab: a small page of its own, answered before Gradio is asked.

To whoever is not the owner there is a door and nothing behind it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from lab.errors import LabError
from lab.hosting.owner import Overview, Owner
from lab.paths import ASSETS
from lab.server.bodies import json_object, read_body
from lab.server.paths import OWNER as PAGE
from lab.server.responses import refuse, respond
from lab.ui import visitor
from lab.ui.asked import Asked
from lab.ui.door import Door, wait_words
from lab.ui.guard import told
from lab.ui.web import Receive, Send

LOAD, ENTER, ACT = f"{PAGE}/load", f"{PAGE}/enter", f"{PAGE}/act"
PATHS = {("GET", PAGE), ("GET", LOAD), ("POST", ENTER), ("POST", ACT)}


class OwnerPage:
    """`owner` says who may look, `overview` what there is to be seen."""

    def __init__(self, owner: Owner, overview: Overview) -> None:
        self.owner, self.overview = owner, overview
        self.door = Door()
        place = ASSETS / "owner"
        parts = {name: (place / f"owner.{name}").read_text(encoding="utf-8") for name in ("html", "css", "js")}
        parts["css"] = (ASSETS / "css" / "tokens.css").read_text(encoding="utf-8") + parts["css"]
        self.page = parts["html"].replace("/*css*/", parts["css"]).replace("/*js*/", parts["js"]).encode()

    async def __call__(self, asked: Asked, receive: Receive, send: Send) -> None:
        """Answer one of `PATHS`."""
        if asked.path == PAGE:
            cookie = b"" if asked.browser else asked.cookie(visitor.new())
            return await respond(send, 200, self.page, "text/html; charset=utf-8", cookie)
        if asked.path == ENTER:
            return await self._enter(asked, receive, send)
        if not self.owner.admits(asked.browser):
            return await refuse(send, 404, "There is no such thing here.")
        if asked.path == LOAD:
            return await self._told(send, self.overview.seen)
        question = await _read(receive)
        return await self._told(
            send, lambda: self.overview.act(str(question.get("action")), str(question.get("run")))
        )

    async def _enter(self, asked: Asked, receive: Receive, send: Send) -> None:
        names, token = self.door.names(asked.scope), str((await _read(receive)).get("token", ""))
        # Nothing is awaited from here on, so many attempts at once are counted one after the other.
        if wait := self.door.wait(names):
            return await refuse(send, 429, wait_words(wait))
        if not self.owner.enter(asked.browser, token):
            self.door.wrong(names)
            return await refuse(send, 403, "This is not the owner's token.")
        self.door.right(names)
        return await respond(send, 200, b"{}", "application/json")

    async def _told(self, send: Send, work: Callable[[], Any]) -> None:
        """What the work gives, off the server's loop; what goes wrong in one sentence."""
        try:
            await respond(send, 200, json.dumps({"ok": await asyncio.to_thread(work)}).encode(), "application/json")
        except Exception as problem:
            words = {"error": told(problem)}
            await respond(
                send, 200 if isinstance(problem, LabError) else 500, json.dumps(words).encode(), "application/json"
            )


async def _read(receive: Receive) -> dict[str, Any]:
    """The question's JSON object; an empty one for anything else."""
    try:
        return json_object(await read_body(receive) or b"")
    except ValueError:
        return {}
