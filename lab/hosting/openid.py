"""Signing in with Hugging Face: OpenID Connect's authorisation-code flow with PKCE (RFC 6749 section 4.1, RFC 7636).

On Spaces `hf_oauth: true` in the README's front matter sets the variables; elsewhere an OAuth app of one's own gives
them.
"""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.errors import LabError
from lab.hosting.accounts import Account

log = logging.getLogger(__name__)

#: What is asked for unless `OAUTH_SCOPES` says otherwise: who it is, and to make repositories and write into those.
SCOPES = "openid profile contribute-repos"

#: Sign-ins that may be under way, seconds that one may take, and seconds for each answer of the provider.
KEPT, LASTS, PATIENCE = 10_000, 600.0, 10.0

CONFIGURATION = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Begun:
    """A sign-in that is under way: in which browser, and what proves it to the provider."""

    browser: str
    verifier: str
    callback: str
    since: float


class Provider:
    """`url` is the provider's address, `client` and `secret` what it gave to this lab."""

    def __init__(self, url: str, client: str, secret: str, scopes: str = SCOPES) -> None:
        self.url, self.client, self.secret, self.scopes = url.rstrip("/"), client, secret, scopes
        self._places: dict[str, str] = {}
        self._begun: OrderedDict[str, Begun] = OrderedDict()

    async def begin(self, browser: str, callback: str) -> str:
        """The address at which a person says yes; they come back to `callback`. Raises LabError."""
        verifier = secrets.token_urlsafe(48)
        async with self._asking(callback) as asking:
            try:
                places = await self._find(asking)
            except Exception as problem:
                raise _silent(problem) from None
            address, state = asking.create_authorization_url(places["authorization_endpoint"], code_verifier=verifier)
        self._begun[state] = Begun(browser, verifier, callback, time.monotonic())
        while len(self._begun) > KEPT:
            self._begun.popitem(last=False)
        return str(address)

    async def finish(self, browser: str, told: Mapping[str, str]) -> Account:
        """The account of whoever came back with `told` in the address. Raises LabError."""
        begun = self._begun.pop(told.get("state", ""), None)
        if begun is None or begun.browser != browser or time.monotonic() - begun.since > LASTS:
            raise LabError("This sign-in was not begun in this browser, or too long ago.", "Sign in again.")
        if told.get("error") == "access_denied":
            raise LabError("You did not let the lab know who you are.", "Nothing has changed; it works without.")
        try:
            async with self._asking(begun.callback) as asking:
                places = await self._find(asking)
                token = await asking.fetch_token(
                    places["token_endpoint"], code=told.get("code", ""), code_verifier=begun.verifier
                )
                answer = await asking.get(places["userinfo_endpoint"])
                answer.raise_for_status()
                about = answer.json()
            expires = float(token.get("expires_at") or time.time() + 3600)
            return Account(str(about["sub"]), str(about["preferred_username"]), token["access_token"], expires)
        except Exception as problem:
            raise _silent(problem) from None

    def _asking(self, callback: str) -> Any:
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        return AsyncOAuth2Client(
            self.client,
            self.secret,
            scope=self.scopes,
            redirect_uri=callback,
            code_challenge_method="S256",
            timeout=PATIENCE,
        )

    async def _find(self, asking: Any) -> dict[str, str]:
        if not self._places:
            answer = await asking.request("GET", self.url + CONFIGURATION, withhold_token=True)
            answer.raise_for_status()
            self._places = answer.json()
        return self._places


def from_environment() -> Provider | None:
    """The provider that the variables name; None where one of them is missing."""
    names = ("OPENID_PROVIDER_URL", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET")
    url, client, secret = (os.environ.get(name, "") for name in names)
    if not (url and client and secret):
        return None
    return Provider(url, client, secret, os.environ.get("OAUTH_SCOPES") or SCOPES)


def _silent(problem: BaseException) -> LabError:
    # Its words may hold a code or a token: the kind alone is logged.
    log.warning("a sign-in failed: %s", type(problem).__name__)
    return LabError("Hugging Face does not answer, or refuses this sign-in.", "Try again in a minute.")
