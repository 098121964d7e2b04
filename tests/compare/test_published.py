import json

import pytest

from lab.compare.comparison import Comparison
from lab.compare.export import export
from lab.compare.published import parse, read
from lab.compare.report import results_csv
from lab.compare.results import PUBLISHED
from lab.compare.runner import Runner
from lab.errors import LabError
from lab.events import DONE, FAILED
from lab.training.jobs import Jobs
from tests.compare.test_runner import spec

HEAD = (
    "experiment,peft_type,status,test_accuracy,forgetting,train_loss,train_seconds,memory_max_bytes,"
    "trainable_parameters,total_parameters,file_bytes"
)
TABLE = f"""{HEAD}
lora/r32,LORA,success,0.48,0.05,0.58,1000.5,22000000000,9175040,3221924864,36000000
odd/x,FOURIERFT,success,0.1,,1.2,1700,23000000000,56000,3212805824,231416
oom/y,OFT,failed,,,,,,,,
"""


def test_a_table_of_published_figures_is_read():
    lora, odd, failed = parse(TABLE)
    assert (lora.status, lora.method, lora.score, lora.trainable) == (PUBLISHED, "lora", 0.48, 9175040)
    assert (lora.memory, lora.bytes, lora.seconds, lora.forgetting) == (22 * 10**9, 36 * 10**6, 1000.5, 0.05)
    assert odd.method == "unknown:fourierft"
    assert odd.forgetting is None
    assert failed.status == FAILED
    assert "failed" in failed.reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "no table of results"),
        (TABLE.replace("0.48", "much"), "Line 2 of the table has 'much' as test_accuracy"),
        ("{", "no JSON"),
        ('{"run_info": {}}', "no result of peft's"),
        ("[3]", "no result of peft's"),
        ("[" * 100_000, "no JSON"),
        (f"{HEAD}\n{'x' * 200_000}\n", "no table"),
    ],
)
def test_a_bad_table_is_told(text, said):
    with pytest.raises(LabError) as caught:
        parse(text)
    assert said in str(caught.value)


@pytest.mark.parametrize("figure", ["1e999", "Infinity", "-1e300", "NaN"])
def test_figures_that_nothing_can_have_are_left_out(figure):
    result = {"run_info": {"experiment_name": "a"}, "train_info": {"train_time": 0, "file_size": 0}}
    text = json.dumps(result).replace(": 0", f": {figure}")
    (published,) = parse(text)
    assert (published.seconds, published.bytes) == (None, None)
    assert parse(TABLE.replace("1000.5", figure))[0].seconds is None


def test_files_and_folders(tmp_path):
    with pytest.raises(LabError, match="cannot be read"):
        read(tmp_path / "none.csv")
    with pytest.raises(LabError, match="no JSON results"):
        read(tmp_path)
    (tmp_path / "t.csv").write_text(TABLE)
    assert len(read(tmp_path / "t.csv")) == 3


def test_the_schema_of_peft_goes_out_and_comes_back(llama, reviews, store, tmp_path):
    made = Comparison.create(tmp_path / "c", spec(llama, reviews, methods=["lora", "full"]), store)
    jobs = Jobs(store)
    Runner(made, jobs).go()
    jobs.close()
    results = export(made)
    (tmp_path / "out").mkdir()
    for place, item in enumerate(results):
        assert set(item) == {"run_info", "train_info", "meta_info"}
        (tmp_path / "out" / f"{place}.json").write_text(json.dumps(item))
    back = {item.method: item for item in read(tmp_path / "out")}
    for mine in made.outcomes():
        assert mine.status == DONE
        other = back[mine.method]
        for name in ("score", "trainable", "total", "bytes", "memory", "seconds", "forgetting"):
            assert getattr(other, name) == getattr(mine, name), name
    assert results[1]["run_info"]["peft_config"] is None
    assert results[0]["run_info"]["peft_config"]["peft_type"] == "LORA"
    assert results[0]["meta_info"]["package_info"]["peft-version"][0].isdigit()


def test_published_figures_stand_beside_the_own_ones(llama, reviews, store, tmp_path):
    made = Comparison.create(tmp_path / "c", spec(llama, reviews), store)
    made.beside(TABLE)
    again = Comparison(made.folder, store)
    assert [item.status for item in again.outcomes()] == ["waiting", PUBLISHED, PUBLISHED, FAILED]
    assert "published: another model" in again.outcomes()[1].marks[0]
    assert "lora/r32" in results_csv(again.outcomes())
    with pytest.raises(LabError):
        made.beside("nothing")
    assert len(made.outcomes()) == 4
    made.beside("")
    assert len(made.outcomes()) == 1
