"""Refuse what the page of another site makes a browser send (CSRF), and names that are not the lab's (DNS rebinding).

A browser says where a request comes from with two headers that no script can write: `Sec-Fetch-Site` (on https and on
localhost) and `Origin` (on every POST, and on what another site's script reads). What bears neither comes from a
program, or from a browser older than 2020; it is taken only in a form that no page of another site can send, which is
JSON: a browser asks beforehand (a CORS preflight) and is refused.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from lab.server.paths import CALLBACK, LOGIN, OWNER, UPLOAD, normalized
from lab.server.responses import refuse

FOREIGN = "This came from another site."
NO_PROOF = "Send a file with the header Origin and the lab's address in it, as the page does."
WRONG_HOST = "The lab does not go by this name. If it is yours, start the lab with --allow-host and the name."

#: Pages that a link on another site may open, and to which a provider sends a browser back. Signing out is not among
#: them: following a link would be enough.
PAGES = ("/", OWNER, CALLBACK)

#: Content types of the routes that take a form; all other routes take JSON alone.
FORMS = {
    UPLOAD: ("multipart/form-data",),
    LOGIN: ("multipart/form-data", "application/x-www-form-urlencoded"),
}

DEFAULT_PORTS = {"http": 80, "https": 443}


class SameOrigin:
    """ASGI middleware that lets through only what the lab's own page, a link or a program sends."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":  # the lab has none
            return await send({"type": "websocket.close", "code": 1008})
        if scope["type"] == "http" and (problem := refusal(scope)):
            return await refuse(send, *problem)
        return await self.app(scope, receive, send)


def refusal(scope: Scope) -> tuple[int, str] | None:
    """Why a request is refused: a status and a sentence; None lets it through."""
    headers, path = Headers(scope=scope), normalized(scope["path"])
    own = is_own(headers, scope.get("scheme", "http"))
    if scope["method"] in ("GET", "HEAD"):
        link = headers.get("sec-fetch-mode") == "navigate" and path in PAGES
        return (403, FOREIGN) if own is False and not link else None
    if own is False:
        return 403, FOREIGN
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    accepted = FORMS.get(path, ("application/json",))
    if content_type not in accepted:
        return 415, f"Send this as {accepted[0]}."
    # A wrong password changes nothing, so a program may send the form of the login; a file it must vouch for.
    if own is None and path == UPLOAD:
        return 403, NO_PROOF
    return None


def is_own(headers: Headers, scheme: str) -> bool | None:
    """Whether a browser says that the lab's own page sent this; None where no browser says anything.

    `scheme` is that of the connection, which ends at a proxy where there is one.
    """
    origin, site = headers.get("origin", ""), headers.get("sec-fetch-site", "").lower()
    if origin.lower() == "null":  # a page that hides who it is, such as a sandboxed frame
        return False
    # A proxy (Colab's, an editor's) may rewrite the names that `Origin` is compared with; this header needs none.
    if site == "same-origin":
        return True
    if site not in ("", "none"):
        return False
    return same_host(origin, headers, scheme) if origin else None


def same_host(origin: str, headers: Headers, scheme: str) -> bool:
    """Whether the origin is the address at which the browser reached the lab, directly or through a proxy."""
    parts = urlsplit(origin)
    address = split_host(parts.netloc)
    if address is None or parts.scheme not in DEFAULT_PORTS:
        return False
    forwarded = headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    if "https" in (scheme, forwarded) and parts.scheme != "https":
        return False
    # Behind a proxy that says nothing of https only the origin tells which port a name without one stands for.
    port = DEFAULT_PORTS[parts.scheme]
    names = (headers.get("host", ""), headers.get("x-forwarded-host", "").partition(",")[0])
    hosts = [host for host in map(split_host, names) if host]
    return (address[0], address[1] or port) in [(name, number or port) for name, number in hosts]


def split_host(text: str) -> tuple[str, int | None] | None:
    """The name, in lower case, and the port of a `Host` header; None if it is not a valid one."""
    text = text.strip()
    if not text or set(text) & set("/\\@?# "):
        return None
    try:
        parts = urlsplit(f"//{text}")
        return (parts.hostname, parts.port) if parts.hostname else None
    except ValueError:
        return None


class TrustedHost:
    """ASGI middleware that answers to an address of numbers, to localhost and to `names`, and to nothing else.

    A page whose name is made to lead to 127.0.0.1 after it has loaded is of the lab's origin for the browser; only
    the name betrays it. (Starlette's middleware of this kind takes a list of names, so no address of numbers.)
    """

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self.app, self.names = app, {"localhost", *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not self.trusts(Headers(scope=scope).get("host", "")):
            return await refuse(send, 403, WRONG_HOST)
        return await self.app(scope, receive, send)

    def trusts(self, text: str) -> bool:
        """Whether a `Host` header names the lab."""
        host = split_host(text)
        if host is None:
            return False
        if host[0] in self.names or host[0].endswith(".localhost"):
            return True
        try:
            ip_address(host[0])
        except ValueError:
            return False
        return True
