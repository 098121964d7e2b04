"""What the page's scripts may ask of the lab: every function by name, each answered in the same form.

The list is closed (`SERVICES`): nothing else of the lab can be called from a browser. The type of each service's
`request` says what may be sent (`lab.server.schema`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field

from lab import access
from lab.compat.gradio import upload_folder
from lab.data.files import MAX_BYTES
from lab.errors import LabError
from lab.server.schema import Empty, Id, PlanTable, Request, bounded
from lab.training.fingerprint import ChangedError
from lab.ui import guard
from lab.ui.account import account, leave
from lab.ui.bench import form, live, panel
from lab.ui.lab import Lab
from lab.ui.pushing import push, pushed
from lab.ui.run_table import runs


class RunRequest(Request):
    run: Id


class ChangeMethod(Request):
    plan: PlanTable
    method: Annotated[str, Field(max_length=100)]


class Given(Request):
    plan: PlanTable
    loose: Annotated[dict[str, Any], bounded(values=200, characters=20_000)]


class Keep(Request):
    path: Annotated[str, Field(max_length=4096)]
    name: Annotated[str, Field(max_length=1024)]


class Control(RunRequest):
    action: Literal["stop", "pause", "resume", "withdraw"]


class Continue(RunRequest):
    accept: NotRequired[bool]


class Rename(RunRequest):
    name: Annotated[str, Field(max_length=1000)]


class Download(RunRequest):
    kind: NotRequired[Annotated[str, Field(max_length=100)]]


def status(lab: Lab, request: Empty) -> dict[str, Any]:
    """The device (empty until torch is there) and the length of the queue."""
    line = lab.jobs.waiting()
    device = ""
    if lab.warm.is_set():
        from lab.models import precision

        device = precision.device_title()
    return {"device": device, "running": bool(line), "waiting": max(0, len(line) - 1)}


def see(lab: Lab, request: PlanTable) -> dict[str, Any]:
    """The numbers behind the panel of a form (`lab.ui.bench.panel.see`)."""
    return panel.see(request)


def change_method(lab: Lab, request: ChangeMethod) -> dict[str, Any]:
    """The form with another method (`lab.ui.bench.form.change_method`)."""
    return form.change_method(request["plan"], request["method"])


def given(lab: Lab, request: Given) -> dict[str, Any]:
    """The form with loose settings put in (`lab.ui.bench.form.given`)."""
    return form.given(request["plan"], request["loose"])


def restore(lab: Lab, request: Annotated[str, Field(max_length=100_000)]) -> dict[str, Any]:
    """The form of a link."""
    return form.from_link(request)


def preview(lab: Lab, request: PlanTable) -> dict[str, Any]:
    """The first rows of a data set and the columns that will be used."""
    from lab.knobs import build
    from lab.plan import Data
    from lab.ui.bench.preview import rows

    return rows(build(Data, request))


def keep(lab: Lab, request: Keep) -> str:
    """Move an uploaded file to where a plan can name it; its path. Raises LabError for a file that is too large."""
    source = Path(request["path"]).resolve()
    if lab.limits and not lab.served.may(source, access.owner()):
        raise LabError("The upload is not there any more.", "Choose the file again.")
    try:
        there = source.is_relative_to(upload_folder().resolve()) and source.is_file()
    except OSError:  # a name that is too long for the system
        there = False
    if not there:
        raise LabError("The upload is not there any more.", "Choose the file again.")
    most = lab.limits.upload if lab.limits else MAX_BYTES
    if source.stat().st_size > most:
        raise LabError(f"The file is larger than {most // 2**20} MB.", "Choose a part of it.")
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in Path(request["name"]).name)
    # Its end tells how it is read; file systems count bytes.
    name = name[-80:].encode()[-200:].decode(errors="ignore").lstrip(".")
    # The upload's own folder bears the hash of its contents, so that equal names do not meet.
    lab.runs.room()
    folder = lab.uploads / source.parent.name[:12]
    try:
        folder.mkdir(exist_ok=True)
        return str(shutil.copyfile(source, folder / (name or "data")))
    except OSError as error:
        raise LabError(f"The file cannot be kept: {error.strerror}.", "Make room on the disk.") from None


def launch(lab: Lab, request: PlanTable) -> dict[str, Any]:
    """Put the form's plan in the queue; the run's id."""
    plan = form.plan(request)
    reason = panel.see(request)["reason"]
    if reason:
        raise LabError(reason["message"], reason["hint"])
    run = lab.jobs.submit(plan)
    return {"run": run.id}


def control(lab: Lab, request: Control) -> None:
    """Stop, pause, resume or withdraw a run."""
    actions: dict[str, Callable[[str], Any]] = {
        "stop": lab.jobs.stop,
        "pause": lab.jobs.pause,
        "resume": lab.jobs.resume,
        "withdraw": lab.jobs.withdraw,
    }
    actions[request["action"]](request["run"])


def continue_run(lab: Lab, request: Continue) -> dict[str, str]:
    """Put a stopped or broken-off run in the queue again.

    `changes` is not empty where its data or its base changed since it began: nothing has happened then, and the page
    asks whether to go on with `accept`.
    """
    try:
        lab.jobs.continue_(request["run"], accept_changes=request.get("accept", False))
    except ChangedError as error:
        return {"changes": error.message}
    return {"changes": ""}


def feed(lab: Lab, request: live.Feed) -> dict[str, Any]:
    """What a page lacks of a run that it watches (`lab.ui.bench.live.feed`)."""
    return live.feed(lab, request)


def code(lab: Lab, request: PlanTable) -> str:
    """The form's plan as a script."""
    from lab.artifacts.script import script

    return script(form.plan(request))


def rename(lab: Lab, request: Rename) -> None:
    """Give a run another name."""
    lab.runs.get(request["run"]).rename(request["name"])


def delete(lab: Lab, request: RunRequest) -> None:
    """Remove a run and everything in it."""
    lab.runs.delete(request["run"])


def reopen(lab: Lab, request: RunRequest) -> dict[str, Any]:
    """The form of a run's plan, and the lesson that its method belongs to."""
    from lab.methods import method

    plan = lab.runs.get(request["run"]).plan
    return {"plan": form.form(plan), "lesson": method(plan.method).lesson}


def download(lab: Lab, request: Download) -> dict[str, str]:
    """An artifact of a run as a file that the page may fetch: its path on this server and its name."""
    import tempfile

    from lab import artifacts

    run = lab.runs.get(request["run"])
    with tempfile.TemporaryDirectory() as folder:
        return lab.serve(artifacts.write(run, request.get("kind", "adapter"), Path(folder)))


SERVICES: tuple[Callable[[Lab, Any], Any], ...] = (
    status,
    see,
    change_method,
    given,
    restore,
    preview,
    keep,
    launch,
    control,
    continue_run,
    feed,
    code,
    runs,
    rename,
    delete,
    reopen,
    download,
    push,
    pushed,
    account,
    leave,
)


def functions(lab: Lab) -> list[Callable[[Any], dict[str, Any]]]:
    """The services as Gradio's server functions: each takes the script's one argument."""
    return [guard.service(item, lab) for item in SERVICES]
