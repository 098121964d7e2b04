import threading
from collections.abc import Iterator
from dataclasses import asdict

import pytest

from lab import methods
from lab.errors import LabError
from lab.events import DONE, STOPPED, Evaluated, Event, Finished, Sample, Started, Step, to_line
from lab.plots.training import CHARTS
from lab.runs import Run
from lab.ui.bench.live import feed
from lab.ui.lab import Lab


def started(steps: int = 4) -> Started:
    return Started(steps, 1000, 10, "generate", "exact_match", "cpu", 100, 20)


def write(run: Run, *events: Event, torn: str = "") -> None:
    with (run.folder / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write("".join(to_line(event) for event in events) + torn)


@pytest.fixture
def run(lab: Lab) -> Run:
    return lab.runs.create(methods.default_plan("lora"))


def test_a_page_gets_figures_first_and_then_only_what_is_new(lab: Lab, run: Run) -> None:
    write(run, started(), Sample(0, "Who?", "Nobody."), Step(1, 2.0, 0.1, 1.0, 10, 0.5))
    first = feed(lab, {"run": run.id, "mark": None})
    assert set(first["reset"]) == set(CHARTS)
    assert first["points"] is None
    assert [item["reply"] for item in first["samples"]] == ["Nobody."]

    write(run, Step(2, 1.0, 0.1, 1.0, 10, 1.0), Evaluated(2, 1.5, 0.5), Sample(2, "Who?", "Ada."))
    second = feed(lab, {"run": run.id, "mark": first["mark"]})
    assert second["reset"] is None
    assert second["points"]["loss"][0] == ([2], [1.0])
    assert second["score"] == 0.5
    assert [item["reply"] for item in second["samples"]] == ["Ada."]
    idle = feed(lab, {"run": run.id, "mark": second["mark"]})
    assert idle["points"]["loss"][0] == ([], [])
    assert idle["samples"] == []
    assert idle["mark"] == second["mark"]


def test_a_run_that_has_not_begun_has_no_charts(lab: Lab, run: Run) -> None:
    early = feed(lab, {"run": run.id, "mark": None})
    assert (early["reset"], early["points"], early["mark"]["starts"]) == (None, None, 0)
    write(run, started())
    assert set(feed(lab, {"run": run.id, "mark": early["mark"]})["reset"]) == set(CHARTS)


def test_a_line_that_is_half_written_waits_for_its_end(lab: Lab, run: Run) -> None:
    line = to_line(Step(1, 2.0, 0.1, 1.0, 10, 0.5))
    write(run, started(), torn=line[:20])
    assert feed(lab, {"run": run.id, "mark": None})["step"] == 0
    write(run, torn=line[20:])
    assert feed(lab, {"run": run.id, "mark": None})["step"] == 1


def test_a_log_that_was_cut_is_read_anew(lab: Lab, run: Run) -> None:
    write(run, started(), Step(1, 2.0, 0.1, 1.0, 10, 0.5))
    mark = feed(lab, {"run": run.id, "mark": None})["mark"]
    (run.folder / "events.jsonl").write_text(to_line(started(9)), encoding="utf-8")
    again = feed(lab, {"run": run.id, "mark": mark})
    assert again["reset"] is not None
    assert (again["step"], again["steps"]) == (0, 9)


def test_the_status_tells_what_became_of_the_run(lab: Lab, run: Run) -> None:
    write(run, started())
    told = feed(lab, {"run": run.id, "mark": None})
    assert (told["status"], told["resumable"], told["place"]) == ("interrupted", True, None)
    write(run, Finished(DONE, 4, seconds=3.0))
    told = feed(lab, {"run": run.id, "mark": None})
    assert (told["status"], told["resumable"], told["seconds"]) == ("done", False, 3.0)


def test_a_run_that_was_told_to_stop_says_so_until_it_has(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, let = threading.Event(), threading.Event()

    def trainer(*_: object) -> Iterator[Event]:
        yield started()
        begun.set()
        let.wait(20)
        yield Finished(STOPPED, 0)

    monkeypatch.setattr(lab.jobs, "_trainer", trainer)
    run = lab.jobs.submit(methods.default_plan("lora"))
    assert begun.wait(20)
    assert feed(lab, {"run": run.id, "mark": None})["status"] == "running"
    lab.jobs.stop(run.id)
    assert feed(lab, {"run": run.id, "mark": None})["status"] == "stopping"
    let.set()
    assert lab.jobs.wait(run.id, 20)
    assert feed(lab, {"run": run.id, "mark": None})["status"] == "stopped"


def test_a_failure_is_told_with_its_hint(lab: Lab, run: Run) -> None:
    write(run, started(), Finished("failed", 2, error="The loss is not finite.", hint="Lower the rate."))
    told = feed(lab, {"run": run.id, "mark": None})
    assert told["error"] == {"message": "The loss is not finite.", "hint": "Lower the rate."}


def test_numbers_that_json_does_not_have_never_reach_the_page(lab: Lab, run: Run) -> None:
    import json

    write(run, started(), Step(1, float("nan"), 0.1, float("inf"), 10, 0.5), Evaluated(1, float("nan"), 0.0))
    told = json.loads(json.dumps(feed(lab, {"run": run.id, "mark": None}), allow_nan=False))
    assert told["loss"] is None
    assert told["step"] == 1


def test_a_damaged_log_and_a_run_that_is_gone_are_sentences(lab: Lab, run: Run) -> None:
    write(run, started(), torn="{broken}\n")
    with pytest.raises(LabError, match="damaged"):
        feed(lab, {"run": run.id, "mark": None})
    with pytest.raises(LabError, match="no run"):
        feed(lab, {"run": "nothing", "mark": None})


def test_a_mark_survives_json(lab: Lab, run: Run) -> None:
    from lab.plots.training import Mark

    write(run, started())
    mark = feed(lab, {"run": run.id, "mark": None})["mark"]
    assert asdict(Mark(**mark)) == mark
