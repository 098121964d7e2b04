from __future__ import annotations

import pytest

from lab import methods
from lab.errors import LabError
from lab.insight.storage import Storage, storage, weighed
from lab.plan import Data


def plan(llama: str, method: str, **given):
    return methods.with_values(methods.default_plan(method, model=llama, data=Data(source="persona")), given)


def test_the_sums():
    one = Storage(base=1000, adapter=10)
    assert (one.copies(7), one.shared(7)) == (7000, 1070)
    assert one.saving(100) == pytest.approx(100 * 1000 / (1000 + 100 * 10))
    assert one.saving(1) < 1, "one task alone is no saving: the base is needed all the same"


def test_the_paper_s_gpt3():
    # Hu et al. 2021, section 4.2: 350 GB and 35 MB a task; 100 tasks take 354 GB instead of 35 TB (footnote 5).
    gpt3 = Storage(350 * 10**9, 35 * 10**6)
    assert gpt3.shared(100) == pytest.approx(354e9, rel=0.002)
    assert gpt3.copies(100) == 35 * 10**12


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("bottleneck", {"reduction_factor": 4}),
        ("lora", {"rank": 4}),
        ("prefix", {"virtual_tokens": 6}),
        ("prompt", {}),
    ],
)
def test_the_file_that_is_saved_is_as_large_as_predicted(llama, tmp_path, method, given):
    made = plan(llama, method, **given)
    size, numbers = weighed(made, "generate", 2, tmp_path)
    assert storage(made, "generate").adapter == numbers
    assert 0 < size - numbers < 8000, "what is above the numbers is the file's table of names"


def test_a_misfit_is_told(tmp_path):
    from tests import tiny

    encoder = str(tiny.save(tmp_path / "distil", "distilbert", "classify"))
    with pytest.raises(LabError, match="takes no keys and values"):
        storage(plan(encoder, "prefix"), "classify")
