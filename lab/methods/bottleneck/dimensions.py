"""The width of a bottleneck, which the descriptor and the tuner must compute alike."""

from __future__ import annotations


def bottleneck_width(width: int, factor: float) -> int:
    """m of a d-wide layer: d / factor, rounded down, at least 1."""
    return max(1, int(width / factor))
