"""The tabs, in the order of the header. A tab is one module with `build(lab) -> None` and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.ui.lab import Lab
from lab.ui.tabs import adapters, compare, lora, prefix, qlora, runs, why

EXERCISE, WIDE = "exercise", "wide"


@dataclass(frozen=True)
class Tab:
    """One tab. `name` stands in addresses and is the lesson that methods refer to (`Method.lesson`).

    An exercise stands beside the bench, which starts there with `start`: loose settings of a plan, as a lesson's
    link gives them ("method", "data", "rank", …). A wide tab has the page to itself.
    """

    name: str
    number: str
    title: str
    hint: str
    build: Callable[[Lab], None]
    kind: str = EXERCISE
    start: tuple[tuple[str, str], ...] = ()
    first: bool = False


TABS: tuple[Tab, ...] = (
    Tab("why", "1", "Why PEFT", "What full fine-tuning costs", why.build, start=(("method", "full"),)),
    Tab("lora", "2", "LoRA", "Low-rank updates", lora.build, start=(("method", "lora"),), first=True),
    Tab(
        "adapters",
        "3",
        "Adapters",
        "Small layers between the layers",
        adapters.build,
        start=(("lesson", "adapters"),),
    ),
    Tab(
        "prefix",
        "4",
        "Prefix tuning",
        "Learned vectors instead of words",
        prefix.build,
        start=(("lesson", "prefix"),),
    ),
    Tab("qlora", "5", "QLoRA", "A quantized base", qlora.build, start=(("method", "lora"), ("weights", "nf4"))),
    Tab("compare", "", "Compare", "Which method, for what", compare.build, kind=WIDE),
    Tab("runs", "", "Runs", "Everything that was trained", runs.build, kind=WIDE),
)
