from lab import methods
from lab.plan import Data
from lab.ui.comparing import Comparing
from lab.ui.lab import Lab


def test_a_comparison_offers_the_data_that_runs_were_made_on(lab: Lab) -> None:
    lab.runs.create(methods.default_plan("lora", data=Data(source="/some/place/of/mine.csv")))
    broken = lab.runs.create(methods.default_plan("lora", data=Data(source="org/set")))
    (broken.folder / "run.json").write_text("{}", encoding="utf-8")
    offered = {item["name"]: item["title"] for item in Comparing(lab).offer({})["data"]}
    assert offered["/some/place/of/mine.csv"] == "mine.csv, as in a run"
    assert "persona" in offered
    assert "org/set" not in offered
