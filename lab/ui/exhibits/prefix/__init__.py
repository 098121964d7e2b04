"""Exhibits of the lesson on prefix tuning."""
