import pytest

from lab.compare.comparison import Comparison
from lab.compare.results import arms
from lab.compare.runner import Runner
from lab.compare.where import changes
from lab.plots.compare import looks
from lab.plots.layers import layers
from lab.training.jobs import Jobs
from tests.compare.test_runner import spec


def test_where_methods_changed_the_base_is_measured_from_their_adapters(llama, replies, store, tmp_path):
    entry = {"method": "lora", "settings": {"rank": 2, "target_modules": ["q_proj"]}}
    made = Comparison.create(tmp_path / "c", spec(llama, replies, methods=[entry, "full", "prompt"]), store)
    jobs = Jobs(store)
    Runner(made, jobs).go()
    jobs.close()
    groups = arms(made.outcomes())
    found = {item.method: item for item in changes([(a.name, a.first.method, a.first.run) for a in groups], store)}
    assert "prompt" not in found
    lora = found["lora"]
    assert "q_proj" in lora.module
    assert lora.spectrum[0] > 0
    # The update of rank 2 has two directions and no third.
    assert lora.spectrum[2] < 1e-4 * lora.spectrum[0]
    assert found["full"].spectrum[2] > 1e-3 * found["full"].spectrum[0]
    assert set(found["full"].size) == {0, 1}
    figure = layers(list(found.values()), looks(groups))
    assert list(figure.data[0].y) == pytest.approx(list(next(iter(found.values())).size.values()))
    assert changes([("gone", "lora", "none")], store) == []
