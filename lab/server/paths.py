"""The addresses that the middleware treats in a way of their own."""

from __future__ import annotations

#: Where Gradio's own routes begin.
API = "/gradio_api/"

UPLOAD, LOGIN, LOGOUT = f"{API}upload", "/login", "/logout"
SERVICE, JOIN, CANCEL, RESET = (f"{API}{name}" for name in ("component_server", "queue/join", "cancel", "reset"))

#: Signing in with Hugging Face: the way there and the way back.
SIGN_IN, CALLBACK = "/login/huggingface", "/login/callback"

#: The owner's page of a shared lab.
OWNER = "/owner"


def normalized(path: str) -> str:
    """The path without a slash at its end, as Gradio has most routes both with and without."""
    return path.rstrip("/") or "/"
