import logging

import gradio as gr
import pytest

from lab.errors import LabError
from lab.ui.guard import FULL, UNEXPECTED, answer, guarded, told


def fail(error: Exception) -> None:
    raise error


def test_an_answer_is_the_result_or_one_sentence_and_a_hint() -> None:
    assert answer(lambda value: value + 1, 2) == {"ok": 3}
    assert answer(fail, LabError("No.", "Try yes.")) == {"error": {"message": "No.", "hint": "Try yes."}}


def test_a_fault_of_the_lab_is_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "lab"):
        shown = told(ValueError("secret detail"))
    assert shown["message"] == UNEXPECTED.message
    assert "secret detail" not in str(shown)
    assert "secret detail" in caplog.text


def test_memory_that_ran_out_is_no_fault_of_the_lab() -> None:
    assert answer(bytearray, 2**62)["error"] == {"message": FULL.message, "hint": FULL.hint}


def test_a_listener_shows_the_sentence() -> None:
    with pytest.raises(gr.Error) as caught:
        guarded(fail)(LabError("No.", "Try yes."))
    assert (caught.value.title, caught.value.message) == ("No.", "Try yes.")
    assert guarded(lambda: 5)() == 5


def test_a_generator_gives_what_it_had_and_then_the_sentence() -> None:
    @guarded
    def stream():
        yield 1
        raise LabError("No more.")

    values = stream()
    assert next(values) == 1
    with pytest.raises(gr.Error):
        next(values)
