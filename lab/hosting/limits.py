"""What one visitor of a shared lab may use."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from lab.errors import LabError


@dataclass(frozen=True)
class Limits:
    """The defaults suit two processors and 16 GB, as a free Space has. `LAB_LIMITS="steps=500,…"` changes them."""

    steps: int = 300  # optimizer steps of a run
    tokens: int = 16_384  # tokens of one optimizer step: batch × accumulation × sequence length
    evaluations: int = 20  # evaluations of a run
    parameters: int = 500_000_000  # of a base that is trained
    download: int = 1_200_000_000  # bytes of a repository of the Hub
    upload: int = 20 * 2**20  # bytes of a file
    disk: int = 2 * 10**9  # bytes of a visitor's runs, uploads and comparisons
    runs: int = 60  # runs of a visitor
    waiting: int = 6  # a visitor's runs in the queue, the one that trains included
    seconds: float = 900.0  # after which a run is stopped; what it learned is kept
    measuring: float = 180.0  # seconds of a measurement in a lesson
    members: int = 24  # members of a comparison
    reply: int = 256  # tokens of a reply
    idle: float = 48 * 3600.0  # seconds without a visit after which a visitor's data are removed
    visitors: int = 100  # visitors with data, or seen within the last minutes

    def sentence(self) -> str:
        """What a visitor is told on the page."""
        return (
            f"This lab is shared: what you make is yours alone and is removed {self.idle / 3600:g} hours after your "
            f"last visit; a run has up to {self.steps:,} steps and {self.seconds / 60:g} minutes, a base up to "
            f"{self.parameters / 1e6:,.0f}M parameters, a file up to {self.upload / 2**20:.0f} MB; up to "
            f"{self.waiting} runs of yours wait, one trains at a time, and visitors take turns."
        )


def read(text: str, limits: Limits | None = None) -> Limits:
    """Limits with the values of "name=number,name=number" put in. Raises LabError for what is none."""
    limits = limits or Limits()
    names = [item.name for item in dataclasses.fields(Limits)]
    changed: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if name.strip() not in names or not 0 < number < 1e15:
            raise LabError(f"'{part}' is no limit.", f"Write name=number; there are {', '.join(names)}.")
        whole = isinstance(getattr(limits, name.strip()), int)
        changed[name.strip()] = int(number) if whole else number
    return dataclasses.replace(limits, **changed)  # type: ignore[arg-type]
