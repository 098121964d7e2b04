"""What stands between the network and the lab: ASGI middleware, and the shapes of requests."""
