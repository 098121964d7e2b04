"""What a browser may send to the services of a comparison (`lab.ui.comparing`)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field

from lab.compare.published import LARGEST as LARGEST_TABLE
from lab.compare.recommend import GOALS
from lab.compare.results import QUANTITIES
from lab.compare.spec import LARGEST, MOST, MOST_VALUES
from lab.plots import compare
from lab.server.schema import Empty, Id, Request, bounded, one_of

Quantity = Annotated[str, one_of(QUANTITIES)]
Shown = Annotated[str, one_of(compare.SHOWN)]
Along = Annotated[str, one_of(compare.ALONG)]
Choice = Annotated[str, Field(max_length=200)]


class SpecRequest(Request):
    spec: Annotated[dict[str, Any], bounded(values=MOST_VALUES, characters=LARGEST)]


class ReadRequest(Request):
    text: Annotated[str, Field(max_length=LARGEST)]


class ComparisonRequest(Request):
    id: Id


class ControlRequest(ComparisonRequest):
    action: Literal["start", "pause", "stop", "delete", "move", "again"]
    key: NotRequired[Id]
    place: NotRequired[Annotated[int, Field(ge=0, le=MOST)]]


class OverlayOptions(Request, total=False):
    shown: Shown
    along: Along
    smooth: Annotated[float, Field(ge=0, lt=1)]
    log_x: bool
    log_y: bool


class ParetoOptions(Request, total=False):
    x: Quantity
    y: Quantity
    log_x: bool


class HeatOptions(Request):
    across: Choice
    up: Choice
    quantity: NotRequired[Quantity]


class PictureRequest(ComparisonRequest):
    only: NotRequired[Annotated[list[str], Field(max_length=MOST)] | None]


class Overlay(PictureRequest):
    kind: Literal["overlay"]
    options: NotRequired[OverlayOptions]


class Pareto(PictureRequest):
    kind: Literal["pareto"]
    options: NotRequired[ParetoOptions]


class Heat(PictureRequest):
    kind: Literal["heat"]
    options: HeatOptions


class OtherPicture(PictureRequest):
    kind: Literal["scores", "ledger", "parallel"]
    options: NotRequired[Empty]


AnyPicture = Annotated[Overlay | Pareto | Heat | OtherPicture, Field(discriminator="kind")]


class ExportRequest(ComparisonRequest):
    what: Literal["report", "csv", "yaml", "peft"]


class BesideRequest(ComparisonRequest):
    text: Annotated[str, Field(max_length=LARGEST_TABLE)]


class AdviseRequest(Request):
    model: Annotated[str, Field(min_length=1, max_length=1000)]
    memory: Annotated[float, Field(gt=0, le=1e6)]  # GiB
    goal: Annotated[str, one_of(GOALS)]
    task: NotRequired[Literal["generate", "classify"]]
