import time
import zipfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from gradio.utils import get_upload_folder

from lab import methods
from lab.errors import LabError
from lab.events import DONE, Evaluated, Finished, Started, to_line
from lab.plan import Data, Training
from lab.training.fingerprint import Fingerprint
from lab.ui import service
from lab.ui.bench import form
from lab.ui.lab import Lab


@pytest.fixture
def plan(base: Path) -> dict:
    training = Training(steps=3, batch_size=2, eval_every=0, eval_rows=2, max_length=64)
    return form.form(methods.default_plan("lora", model=str(base), data=Data("sentiment", rows=8), training=training))


def finished(lab: Lab, run: str) -> dict:
    assert lab.jobs.wait(run, 120)
    return next(row for row in service.runs(lab, {})["rows"] if row["id"] == run)


def test_every_service_is_answered_with_a_result_or_a_sentence(lab: Lab) -> None:
    served = {item.__name__: item for item in service.functions(lab)}
    assert list(served) == [item.__name__ for item in service.SERVICES]
    assert served["status"]({}) == {"ok": {"device": "", "running": False, "waiting": 0}}
    assert "no run" in served["feed"]({"run": "../../etc", "mark": None})["error"]["message"]
    assert "not hold a plan" in served["restore"]("nonsense")["error"]["message"]


def test_a_run_from_launch_to_download(lab: Lab, plan: dict) -> None:
    run = service.launch(lab, plan)["run"]
    row = finished(lab, run)
    assert row["status"] == DONE
    assert (row["title"], row["steps"]) == ("LoRA", 3)
    told = service.feed(lab, {"run": run, "mark": None})
    assert told["adapter"]
    assert told["mark"]["step"] == 3
    got = service.download(lab, {"run": run})
    assert Path(got["path"]).is_relative_to(get_upload_folder())
    with zipfile.ZipFile(got["path"]) as archive:
        assert "adapter_model.safetensors" in archive.namelist()
    again = service.reopen(lab, {"run": run})
    assert again["plan"] == plan
    assert again["lesson"] == "lora"


def test_what_cannot_run_is_not_launched(lab: Lab, plan: dict) -> None:
    with pytest.raises(LabError, match="matches"):
        service.launch(lab, form.given(plan, {"target_modules": "nowhere"}))
    assert service.runs(lab, {})["rows"] == []


def test_a_run_is_renamed_and_deleted(lab: Lab, plan: dict) -> None:
    run = lab.runs.create(form.plan(plan))
    service.rename(lab, {"run": run.id, "name": "  my   run "})
    assert service.runs(lab, {})["rows"][0]["name"] == "my run"
    service.delete(lab, {"run": run.id})
    assert service.runs(lab, {})["rows"] == []


def test_a_run_that_cannot_be_read_is_listed_with_its_error_beside_the_others(lab: Lab, plan: dict) -> None:
    good, bad = lab.runs.create(form.plan(plan)), lab.runs.create(form.plan(plan))
    (good.folder / "events.jsonl").write_text(
        to_line(Started(1, 10, 1, "classify", "accuracy", "cpu", 1, 1))
        + to_line(Evaluated(1, 1.0, 0.5))
        + to_line(Finished(DONE, 1))
    )
    (bad.folder / "events.jsonl").write_text("{}\n{}\n")
    rows = {row["id"]: row for row in service.runs(lab, {})["rows"]}
    assert rows[good.id]["score"] == 0.5
    assert rows[bad.id]["status"] == "damaged"
    assert "damaged" in rows[bad.id]["error"]


def test_a_preview_shows_rows_and_the_guessed_columns(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    rows = "".join(f"this one is {'good' if i % 2 else 'bad'} {i},{'yes' if i % 2 else 'no'}\n" for i in range(40))
    file.write_text("words,verdict\n" + rows, encoding="utf-8")
    told = service.preview(lab, {"source": str(file)})
    assert told["columns"] == ["words", "verdict"]
    assert (told["task"], told["input"], told["target"]) == ("classify", "words", "verdict")
    assert told["rows"][0][0].startswith("this one is")
    assert told["train"] + told["validation"] <= 40


def test_an_upload_is_kept_under_a_safe_name_and_nothing_else_can_be_taken(lab: Lab, tmp_path: Path) -> None:
    arrived = Path(get_upload_folder()) / "0123456789abcdef" / "own.csv"
    arrived.parent.mkdir(parents=True, exist_ok=True)
    arrived.write_text("a,b\n", encoding="utf-8")
    kept = Path(service.keep(lab, {"path": str(arrived), "name": "../../my data.csv"}))
    assert kept.is_relative_to(lab.uploads)
    assert kept.name == "my-data.csv"
    assert kept.read_text(encoding="utf-8") == "a,b\n"
    secret = tmp_path / "secret.csv"
    secret.write_text("x", encoding="utf-8")
    with pytest.raises(LabError, match="not there"):
        service.keep(lab, {"path": str(secret), "name": "secret.csv"})


def test_a_second_launch_waits_and_can_be_withdrawn(lab: Lab, plan: dict) -> None:
    plan["training"]["steps"] = 5000
    first, second = (service.launch(lab, plan)["run"] for _ in range(2))
    assert service.feed(lab, {"run": second, "mark": None})["place"] in (1, 2)
    service.control(lab, {"run": second, "action": "withdraw"})
    with pytest.raises(LabError, match="no run"):
        lab.runs.get(second)
    while not lab.runs.get(first).history().steps:
        time.sleep(0.05)
    service.control(lab, {"run": first, "action": "stop"})
    assert finished(lab, first)["status"] == "stopped"


def test_a_run_whose_data_changed_is_continued_once_the_change_is_accepted(
    lab: Lab, plan: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = lab.runs.create(form.plan(plan))
    (run.folder / "checkpoint").mkdir()
    run.note(fingerprint=asdict(replace(Fingerprint.of(run.plan), rows=80, data="")))
    queue = []
    monkeypatch.setattr(lab.jobs, "_trainer", lambda plan, stop, folder, resume: queue.append(resume) or iter(()))
    told = service.continue_run(lab, {"run": run.id})
    assert told["changes"].startswith("The data changed since this run began: 80 rows then, ")
    assert not run.busy
    assert service.continue_run(lab, {"run": run.id, "accept": True}) == {"changes": ""}
    assert lab.jobs.wait(run.id, 20)
    assert queue == [True]
