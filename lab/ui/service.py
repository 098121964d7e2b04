"""What the page's scripts may ask of the lab: every function by name, each answered in the same form.

The list is closed (`SERVICES`): nothing else of the lab can be called from a browser.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lab import access
from lab.compat.gradio import upload_folder
from lab.data.files import MAX_BYTES
from lab.errors import LabError
from lab.runs import summary
from lab.ui.account import account, leave
from lab.ui.bench import form, live, panel
from lab.ui.guard import answer
from lab.ui.lab import Lab
from lab.ui.pushing import push, pushed

Asked = Mapping[str, Any]


def status(lab: Lab, asked: Asked) -> dict[str, Any]:
    """The device (empty until torch is there) and the length of the queue."""
    line = lab.jobs.waiting()
    device = ""
    if lab.warm.is_set():
        from lab.models import precision

        device = precision.device_title()
    return {"device": device, "running": bool(line), "waiting": max(0, len(line) - 1)}


def see(lab: Lab, asked: Asked) -> dict[str, Any]:
    """The numbers behind the panel of a form (`lab.ui.bench.panel.see`)."""
    return panel.see(asked)


def change_method(lab: Lab, asked: Asked) -> dict[str, Any]:
    """The form with another method (`lab.ui.bench.form.change_method`)."""
    return form.change_method(asked["plan"], str(asked["method"]))


def given(lab: Lab, asked: Asked) -> dict[str, Any]:
    """The form with loose settings put in (`lab.ui.bench.form.given`)."""
    return form.given(asked["plan"], asked["loose"])


def restore(lab: Lab, asked: Any) -> dict[str, Any]:
    """The form of a link."""
    return form.from_link(str(asked))


def preview(lab: Lab, asked: Asked) -> dict[str, Any]:
    """The first rows of a data set and the columns that will be used."""
    from lab.knobs import build
    from lab.plan import Data
    from lab.ui.bench.preview import rows

    return rows(build(Data, asked))


def keep(lab: Lab, asked: Asked) -> str:
    """Move an uploaded file to where a plan can name it; its path. Raises LabError for a file that is too large."""
    source = Path(str(asked["path"])).resolve()
    if lab.limits and not lab.served.may(source, access.owner()):
        raise LabError("The upload is not there any more.", "Choose the file again.")
    if not source.is_relative_to(upload_folder().resolve()) or not source.is_file():
        raise LabError("The upload is not there any more.", "Choose the file again.")
    most = lab.limits.upload if lab.limits else MAX_BYTES
    if source.stat().st_size > most:
        raise LabError(f"The file is larger than {most // 2**20} MB.", "Choose a part of it.")
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in Path(str(asked["name"])).name)
    name = name[-80:].lstrip(".")  # its end tells how it is read
    # The upload's own folder bears the hash of its contents, so that equal names do not meet.
    lab.runs.room()
    place = lab.uploads / source.parent.name[:12]
    place.mkdir(exist_ok=True)
    return str(shutil.copyfile(source, place / (name or "data")))


def launch(lab: Lab, asked: Asked) -> dict[str, Any]:
    """Put the form's plan in the queue; the run's id."""
    plan = form.plan(asked)
    reason = panel.see(asked)["reason"]
    if reason:
        raise LabError(reason["message"], reason["hint"])
    run = lab.jobs.submit(plan)
    return {"run": run.id}


def control(lab: Lab, asked: Asked) -> None:
    """Stop, pause, resume, withdraw or continue a run."""
    actions: dict[str, Callable[[str], Any]] = {
        "stop": lab.jobs.stop,
        "pause": lab.jobs.pause,
        "resume": lab.jobs.resume,
        "withdraw": lab.jobs.withdraw,
        "continue": lab.jobs.continue_,
    }
    actions[str(asked["action"])](str(asked["run"]))


def feed(lab: Lab, asked: Asked) -> dict[str, Any]:
    """What a page lacks of a run that it watches (`lab.ui.bench.live.feed`)."""
    return live.feed(lab, asked)


def code(lab: Lab, asked: Asked) -> str:
    """The form's plan as a script."""
    from lab.artifacts.script import script

    return script(form.plan(asked))


def runs(lab: Lab, asked: Asked) -> list[dict[str, Any]]:
    """The table of runs. A run that cannot be read is listed with its error."""
    from lab.methods import METHODS
    from lab.plots.style import NEUTRAL, colour

    rows = []
    for run in lab.runs.all():
        try:
            row = summary(run)
            known = row["method"] in METHODS
            row["colour"] = colour(row["method"]) if known else NEUTRAL
            row["title"] = METHODS[row["method"]].title if known else row["method"]
            if lab.jobs.paused(run.id):
                row["status"] = live.PAUSED
        except LabError as error:
            row = {"id": run.id, "name": run.id, "status": "damaged", "error": str(error), "created": 0.0}
        rows.append(row)
    return rows


def rename(lab: Lab, asked: Asked) -> None:
    """Give a run another name."""
    lab.runs.get(str(asked["run"])).rename(str(asked["name"]))


def delete(lab: Lab, asked: Asked) -> None:
    """Remove a run and everything in it."""
    lab.runs.delete(str(asked["run"]))


def reopen(lab: Lab, asked: Asked) -> dict[str, Any]:
    """The form of a run's plan, and the lesson that its method belongs to."""
    from lab.methods import method

    plan = lab.runs.get(str(asked["run"])).plan
    return {"plan": form.form(plan), "lesson": method(plan.method).lesson}


def download(lab: Lab, asked: Asked) -> dict[str, str]:
    """An artifact of a run as a file that the page may fetch: its path on this server and its name."""
    import tempfile

    from lab import artifacts

    run = lab.runs.get(str(asked["run"]))
    with tempfile.TemporaryDirectory() as folder:
        return lab.serve(artifacts.write(run, str(asked.get("kind") or "adapter"), Path(folder)))


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
    return [_served(lab, item) for item in SERVICES]


def _served(lab: Lab, service: Callable[[Lab, Any], Any]) -> Callable[[Any], dict[str, Any]]:
    def served(argument: Any) -> dict[str, Any]:
        return answer(service, lab, argument)

    served.__name__ = service.__name__
    return served
