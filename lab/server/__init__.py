"""ASGI middleware that stands between the network and the page."""
