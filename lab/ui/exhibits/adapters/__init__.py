"""Exhibits of the lesson on adapters."""
