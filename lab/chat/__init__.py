"""Talking to what was trained: the base and its adapters, side by side."""
