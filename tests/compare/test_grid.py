import json

import pytest

from lab.compare.grid import MOST, Member, expand, foresee, operations
from lab.compare.spec import Spec
from lab.errors import LabError
from lab.methods import default_plan, method, with_values
from lab.plan import Data
from lab.training.job import resolve


def spec(**parts) -> Spec:
    return Spec.from_dict({"seeds": [0], **parts})


def test_lists_are_multiplied_and_plain_values_are_not():
    entry = {"method": "lora", "settings": {"rank": [2, 8], "alpha": 4, "steps": 7}}
    members = expand(spec(methods=[entry, "full"], precisions=["fp32", "bf16"], seeds=2))
    assert len(members) == (2 * 2 + 2) * 2
    ranks = [member.plan.settings.get("rank") for member in members]
    assert ranks[:8] == [2, 2, 2, 2, 8, 8, 8, 8]
    assert {member.plan.settings["alpha"] for member in members[:8]} == {4}
    assert [member.plan.seed for member in members[:4]] == [0, 1, 0, 1]


def test_the_protocol_sets_the_steps_of_every_member():
    members = expand(spec(methods=["lora", "ia3"], settings={"steps": 3}, protocol={"amount": 25}))
    assert {member.plan.training.steps for member in members} == {25}


def test_a_list_of_modules_is_one_value_and_a_list_of_lists_a_grid():
    one = expand(spec(methods=[{"method": "lora", "settings": {"target_modules": ["q_proj", "v_proj"]}}]))
    two = expand(spec(methods=[{"method": "lora", "settings": {"target_modules": [["q_proj"], ["v_proj"]]}}]))
    assert [member.plan.settings["target_modules"] for member in one] == [("q_proj", "v_proj")] or len(one) == 1
    assert len(two) == 2


def test_arms_are_named_by_what_tells_them_apart():
    members = expand(spec(methods=["full", {"method": "lora", "settings": {"rank": [2, 8]}}], seeds=2))
    names = list(dict.fromkeys(member.arm for member in members))
    assert names == [method("full").title, "LoRA rank=2", "LoRA rank=8"]
    assert members[0].label.endswith("seed 0")


def test_settings_for_all_pass_over_methods_that_do_not_have_them():
    members = expand(spec(methods=["full", "lora"], settings={"rank": 4, "batch_size": 2}))
    assert members[1].plan.settings["rank"] == 4
    assert members[0].plan.training.batch_size == 2
    with pytest.raises(LabError, match="Did you mean 'rank'"):
        expand(spec(methods=["full", "lora"], settings={"rnk": 4}))


def test_keys_follow_from_the_plan_alone():
    first, second = expand(spec(methods=["lora"], seeds=2))
    assert first.key != second.key
    assert Member(first.plan, "another name").key == first.key


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({}, "no members"),
        ({"methods": ["lora", "lora"]}, "are the same plan"),
        ({"methods": [{"method": "lora", "settings": {"rank": [8]}}, "lora"]}, "are the same plan"),
        ({"methods": [{"method": "lora", "settings": {"rank": list(range(1, 200))}}], "seeds": 3}, f"at most {MOST}"),
        ({"methods": [{"method": "lora", "settings": {"rank": [0]}}]}, "cannot be 0"),
        ({"methods": [{"method": "lora", "settings": {"ranks": 4}}]}, "Did you mean 'rank'"),
        ({"runs": ["a", "a"], "methods": ["lora"]}, "listed twice"),
    ],
)
def test_bad_grids_are_told(parts, said):
    with pytest.raises(LabError) as caught:
        expand(spec(**parts))
    assert said in str(caught.value)


def test_a_huge_grid_is_refused_before_it_is_made():
    axes = {name: list(range(1, 1000)) for name in ("rank", "alpha", "steps", "batch_size", "max_length")}
    with pytest.raises(LabError, match="at most"):
        expand(spec(methods=[{"method": "lora", "settings": axes}]))


def test_what_cannot_run_is_known_with_its_reason(llama, reviews):
    members = expand(
        spec(methods=["full", "lora"], model=llama, data={"source": reviews}, precisions=["fp32", "nf4"])
    )
    seen = {item.member.arm: item for item in foresee(members)}
    titles = {name: item.reason for name, item in seen.items()}
    refused = [name for name, reason in titles.items() if reason]
    assert len(refused) == 1
    assert refused[0].startswith(method("full").title)
    assert "nf4" in titles[refused[0]].message
    lora = next(item for name, item in seen.items() if name.startswith("LoRA fp32"))
    assert lora.trainable == method("lora").trainable(method("lora").Settings(), resolve(lora.member.plan).shape)
    assert lora.memory.total > lora.memory.weights > 0


def test_a_model_that_is_not_there_is_a_reason_not_an_error(reviews, tmp_path):
    members = expand(spec(methods=["lora"], model=str(tmp_path / "none"), data={"source": reviews}))
    assert foresee(members)[0].reason is not None


def test_more_steps_and_more_trained_weights_are_more_work(llama, reviews):
    plan = default_plan("lora", model=llama, data=Data(source=reviews))
    job, longer = resolve(plan), resolve(with_values(plan, {"steps": 2 * plan.training.steps}))
    assert operations(job, 10**6, 10) > operations(job, 10, 10)
    assert operations(longer, 10, 10) > operations(job, 10, 10)


def test_a_grid_is_counted_before_it_is_made(monkeypatch):
    monkeypatch.setattr("lab.methods.with_values", lambda *_: pytest.fail("a member was made"))
    names = ["rank", "alpha", "dropout", "steps", "batch_size", "epochs"]
    billion = {"method": "lora", "settings": {name: list(range(32)) for name in names}}
    endless = {"method": "lora", "settings": {f"x{number}": [0, 1] for number in range(20_000)}}
    for entry, said in ((billion, "1,073,741,824 members"), (endless, "more than 10^6020 members")):
        with pytest.raises(LabError) as caught:
            expand(spec(methods=[entry]))
        assert said in str(caught.value)
    with pytest.raises(LabError, match="at most 3"):
        expand(spec(methods=["lora", "full"], seeds=2), most=3)


def test_names_of_many_members_are_found_without_comparing_each_with_each(monkeypatch):
    from lab.compare import grid

    calls = []
    write = json.dumps
    monkeypatch.setattr(grid.json, "dumps", lambda *value, **how: calls.append(1) or write(*value, **how))
    ranks = {"method": "lora", "settings": {"rank": list(range(1, 101))}}
    members = expand(spec(methods=[ranks]))
    assert members[-1].arm == "LoRA rank=100"
    assert len(calls) < 100 * len(members)
