"""A small server that speaks OpenID Connect as Hugging Face does, and says yes, no or nonsense on request.

It answers the configuration, /authorize (at once, for `person`), /token (checking the client, the code and PKCE's
verifier) and /userinfo.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.doubles import Double

CLIENT, SECRET = "lab-client", "lab-secret"


class OpenIdDouble(Double):
    """The server. `url` is its address; `person` consents, unless `consents` is False."""

    def __init__(self) -> None:
        self.person, self.consents, self.lasts, self.broken = "ann", True, 3600, ""
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, str] = {}
        self.asked: list[str] = []
        #: The token that the next account gets; a new one each time where it is empty.
        self.token = ""
        super().__init__(Handler, "double")

    @property
    def variables(self) -> dict[str, str]:
        """What Spaces sets."""
        return {
            "OPENID_PROVIDER_URL": self.url,
            "OAUTH_CLIENT_ID": CLIENT,
            "OAUTH_CLIENT_SECRET": SECRET,
            "OAUTH_SCOPES": "openid profile contribute-repos",
        }


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    double: OpenIdDouble

    def log_message(self, *_: Any) -> None:
        """Nothing on the console."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        self.double.asked.append(address.path)
        if address.path == self.double.broken:
            return self.say(503, {"error": "broken"})
        if address.path == "/.well-known/openid-configuration":
            places = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
            return self.say(200, {f"{name}_endpoint": f"{self.double.url}/{at}" for name, at in places.items()})
        if address.path == "/authorize":
            return self.authorize(query)
        if address.path == "/userinfo":
            name = self.double.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
            if name is None:
                return self.say(401, {"error": "invalid_token"})
            return self.say(200, {"sub": f"id-of-{name}", "name": name.title(), "preferred_username": name})
        return self.say(404, {})

    def authorize(self, query: dict[str, str]) -> None:
        """Say yes or no, and send the browser back."""
        if query["client_id"] != CLIENT or query["code_challenge_method"] != "S256":
            return self.say(400, {"error": "invalid_request"})
        told = {"state": query["state"]}
        if self.double.consents:
            told["code"] = secrets.token_urlsafe(8)
            self.double.codes[told["code"]] = query
        else:
            told |= {"error": "access_denied", "error_description": "The user said no."}
        self.send_response(302)
        self.send_header("Location", f"{query['redirect_uri']}?{urlencode(told)}")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def do_POST(self) -> None:
        self.double.asked.append(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        form = {name: values[-1] for name, values in parse_qs(body).items()}
        if self.path == self.double.broken:
            return self.say(503, {"error": "broken"})
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {basic}":
            return self.say(401, {"error": "invalid_client"})
        begun = self.double.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            begun is None
            or begun["redirect_uri"] != form["redirect_uri"]
            or base64.urlsafe_b64encode(digest).decode().rstrip("=") != begun["code_challenge"]
        ):
            return self.say(400, {"error": "invalid_grant"})
        token = self.double.token or f"hf_oauth_{secrets.token_urlsafe(16)}"
        self.double.tokens[token] = self.double.person
        told = {"access_token": token, "token_type": "bearer", "expires_in": self.double.lasts}
        return self.say(200, told | {"scope": begun["scope"]})

    def say(self, status: int, told: Any) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
