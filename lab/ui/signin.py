"""The two addresses of signing in, answered before Gradio is asked: the way to Hugging Face, and the way back."""

from __future__ import annotations

import asyncio
import logging
import os

from lab.errors import LabError
from lab.hosting.openid import Provider
from lab.server.paths import CALLBACK
from lab.server.responses import redirect
from lab.ui import visitor
from lab.ui.asked import Asked
from lab.ui.lab import Lab
from lab.ui.web import Send

log = logging.getLogger(__name__)

#: The page, seen from both.
HOME = "../"


class SignIn:
    """`root` is the path below which a proxy serves the page."""

    def __init__(self, lab: Lab, provider: Provider, root: str = "") -> None:
        assert lab.visitors
        self.accounts, self.visitors, self.provider, self.root = lab.accounts, lab.visitors, provider, root

    async def away(self, asked: Asked, send: Send) -> None:
        """Send the browser to Hugging Face. One that has no cookie yet (a tab of its own) is given one."""
        secret = "" if asked.browser else visitor.new()
        browser = asked.browser or visitor.hashed(secret)
        cookie = asked.cookie(secret) if secret else b""
        try:
            await redirect(send, await self.provider.begin(browser, self._callback(asked)), cookie)
        except LabError as problem:
            self.accounts.say(browser, problem)
            await redirect(send, HOME, cookie)

    async def back(self, asked: Asked, send: Send) -> None:
        """Finish the sign-in. The browser gets a new secret, so that whoever knew the old one is not signed in too,
        and what it made before becomes the account's."""
        try:
            account = await self.provider.finish(asked.browser, asked.queries)
            if self.accounts.of(asked.browser) is None:
                await asyncio.to_thread(self._hand_over, asked.browser, account.owner)
        except LabError as problem:
            self.accounts.say(asked.browser, problem)
            return await redirect(send, HOME)
        secret = visitor.new()
        self.accounts.leave(asked.browser)
        self.accounts.enter(visitor.hashed(secret), account)
        return await redirect(send, HOME, asked.cookie(secret))

    def _hand_over(self, before: str, after: str) -> None:
        try:
            self.visitors.hand_over(before, after)
        except OSError as problem:
            log.error("what is a visitor's cannot be moved: %s", problem)
            raise LabError("What you made cannot be moved to your account.", "Try again in a minute.") from None
        self.accounts.moved(before, after)

    def _callback(self, asked: Asked) -> str:
        # A Space with an address of its own still takes sign-ins at the one that it was born with.
        space = os.environ.get("SPACE_HOST", "").split(",")[0].strip()
        if space:
            return f"https://{space}{CALLBACK}"
        host = asked.header("x-forwarded-host") or asked.header("host")
        return f"{'https' if asked.secure else 'http'}://{host}{self.root}{CALLBACK}"
