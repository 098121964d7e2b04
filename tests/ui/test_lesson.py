import gradio as gr
import pytest

from lab.ui.lesson import Lesson, parse

TEXT = """# LoRA

An introduction.

## 2.1 The core idea

Text of the first.

## 2.2 Why it is cheap
Text of the second.
"""


def test_a_file_is_an_introduction_and_numbered_sections() -> None:
    introduction, sections = parse(TEXT)
    assert introduction == "# LoRA\n\nAn introduction."
    assert [(item.number, item.heading, item.text) for item in sections] == [
        ("2.1", "The core idea", "Text of the first."),
        ("2.2", "Why it is cheap", "Text of the second."),
    ]


def test_a_section_that_the_file_does_not_have_is_a_mistake_of_the_tab() -> None:
    with gr.Blocks(analytics_enabled=False), pytest.raises(KeyError, match=r"9\.9"), Lesson("lora").section("9.9"):
        pass
