import pytest

from lab.compare.recommend import GOALS, recommend
from lab.compare.results import Outcome
from lab.errors import LabError
from lab.events import DONE
from lab.methods import METHODS
from lab.models.shape import derive
from lab.plan import GENERATE, Training
from tests import tiny

GIB = 2**30


@pytest.fixture
def shape():
    return tiny.shape("llama", GENERATE)


def test_each_goal_has_its_order(shape):
    small = recommend(shape, GIB, "smallest")
    assert [item.bytes for item in small] == sorted(item.bytes for item in small)
    fast = recommend(shape, GIB, "fastest")
    assert [item.work for item in fast] == sorted(item.work for item in fast)
    assert fast[-1].method == "full"
    assert fast[-1].work == pytest.approx(1.0)
    lean = recommend(shape, GIB, "memory")
    assert [item.memory for item in lean] == sorted(item.memory for item in lean)
    many = recommend(shape, GIB, "many")
    changed = [METHODS[item.method].changes_base for item in many]
    assert changed == sorted(changed)


def test_every_line_says_why_and_names_its_figure(shape):
    for goal in GOALS:
        for item in recommend(shape, GIB, goal):
            assert item.why.endswith(".")
            assert any(letter.isdigit() for letter in item.why)


def test_own_measurements_come_before_hints(shape):
    own = [
        Outcome("a", "IA3", "ia3", 0, DONE, score=0.9, trainable=1),
        Outcome("b", "LoRA", "lora", 0, DONE, score=0.7, trainable=1),
    ]
    found = recommend(shape, GIB, "best", measured=own)
    assert [item.method for item in found[:2]] == ["ia3", "lora"]
    assert "90.0% in your own comparison" in found[0].why
    assert "a hint at most" in found[2].why


def test_what_does_not_fit_comes_last_and_says_what_it_needs(shape):
    needs = sorted(item.memory for item in recommend(shape, GIB, "memory"))
    middle = needs[len(needs) // 2]
    found = recommend(shape, int(middle / 0.9) + 1, "smallest")
    fits = [item.fits for item in found]
    assert fits == sorted(fits, reverse=True)
    assert 0 < sum(fits) < len(fits)
    assert "more than" in found[-1].why


def test_a_scarce_machine_gets_a_quantized_base():
    config = tiny.config("llama")
    config.hidden_size, config.intermediate_size, config.num_hidden_layers = 1024, 4096, 16
    large, short = derive(config, GENERATE, 2), Training(batch_size=1, max_length=16)
    room = {item.method: item for item in recommend(large, 100 * GIB, "best", short)}["lora"]
    tight = {item.method: item for item in recommend(large, int(room.memory), "best", short)}["lora"]
    assert room.precision == "bf16"
    assert tight.precision in ("int8", "nf4")
    assert tight.memory < room.memory


def test_an_unknown_goal_is_told(shape):
    with pytest.raises(LabError, match="smallest, fastest"):
        recommend(shape, GIB, "cheapest")
