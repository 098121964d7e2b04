import pytest

from lab.compare.spec import LARGEST, MOST_VALUES, Spec, parse, read, write
from lab.errors import LabError

FULL = """
name: LoRA's rank
model: storybook
data: {source: sentiment, rows: 200}
settings: {batch_size: 8}
methods:
  - full
  - {method: lora, settings: {rank: [2, 8], dora: true}}
precisions: [fp32, nf4]
seeds: 3
protocol: {budget: steps, amount: 30, rate: tuned, rates: [1e-3, 0.01], trial_steps: 5}
"""


def test_a_comparison_reads_back_what_it_writes():
    spec = parse(FULL)
    assert spec.seeds == (0, 1, 2)
    assert spec.protocol.numbers == (0.001, 0.01)
    assert [entry.method for entry in spec.methods] == ["full", "lora"]
    assert parse(write(spec)) == spec


def test_json_is_read_alike(tmp_path):
    file = tmp_path / "plan.json"
    file.write_text('{"methods": "all", "seeds": [4, 2]}', encoding="utf-8")
    spec = read(file)
    assert spec.seeds == (4, 2)
    assert len(spec.methods) > 10


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("methds: [lora]", "Did you mean 'methods'"),
        ("methods: [lorra]", "Did you mean 'lora'"),
        ("methods: [{method: lora, setings: {}}]", "Did you mean 'settings'"),
        ("methods: [{settings: {rank: 4}}]", "has no name"),
        ("methods: [{method: lora, settings: {rank: []}}]", "has no value"),
        ("methods: [lora]\nprecisions: [nf5]", "Did you mean 'nf4'"),
        ("methods: [lora]\nprotocol: {budgett: steps}", "Did you mean 'budget'"),
        ("methods: [lora]\nprotocol: {budget: hours}", "steps, tokens, seconds"),
        ("methods: [lora]\nprotocol: {amount: -1}", "1"),
        ("methods: [lora]\nprotocol: {rate: tuned, rates: []}", "no learning rate"),
        ("methods: [lora]\nprotocol: {rate: tuned, rates: [quick]}", "must be a number"),
        ("methods: [lora]\nseeds: []", "no seed"),
        ("methods: [lora]\nseeds: [1, 1]", "twice"),
        ("methods: [lora]\nseeds: 5000", "too many"),
        ("methods: [lora]\ndata: {sauce: x}", "Did you mean 'source'"),
        ("methods: {lora: 1}", "must be a list"),
        ("[lora]", "must be a table"),
        ("methods: [lora", "cannot be read in line"),
        ("a: &a [*a]", "refers to itself"),
        ("[" * 60 + "]" * 60, "nested too deeply"),
    ],
)
def test_bad_input_is_told_in_a_sentence(text, said):
    with pytest.raises(LabError) as caught:
        parse(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seeds: .inf", "can be used"),
        ("settings: {rank: .nan}", "can be used"),
        ("name: 2026-01-01", "can be used"),
        ("data: {rows: 1_000_000_000_000_000_000_000}", "can be used"),
        ("settings: {2026-01-01: 4}", "can be used"),
        ("methods: !!set {lora}", "can be used"),
        ("name: 2026-13-45", "cannot be read"),
        ("protocol: {budget: steps, amount: 1000000000}", "Steps cannot be 1e+09"),
        (f"methods: [{'lora, ' * 600}]", "at most 500 are read"),
        (f"seeds: {list(range(600))}", "at most 500 are read"),
    ],
)
def test_values_that_no_plan_can_hold_are_told(text, said):
    with pytest.raises(LabError) as caught:
        parse(text)
    assert said in str(caught.value)


def test_references_cannot_grow_without_bound():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 10) + "]" for i in range(1, 9)]
    with pytest.raises(LabError, match=f"{MOST_VALUES:,} values"):
        parse("\n".join(lines))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(LabError, match="cannot be read"):
        read(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabError, match="no text"):
        read(tmp_path / "binary.yaml")
    (tmp_path / "large.yaml").write_text("x" * (LARGEST + 1))
    with pytest.raises(LabError, match="larger"):
        read(tmp_path / "large.yaml")


def test_a_whole_plan_may_be_listed():
    spec = Spec.from_dict({"plans": [{"method": "lora", "settings": {"rank": 4}}]})
    assert spec.plans[0].settings == {"rank": 4}
    with pytest.raises(LabError, match="A plan has no"):
        Spec.from_dict({"plans": [{"methd": "lora"}]})


def test_a_number_that_yaml_spells_in_base_60_is_a_sentence():
    with pytest.raises(LabError, match="A number of that size"):
        parse("seeds: [" + ":".join(["59"] * 10_000) + "]\nmethods: [lora]")
