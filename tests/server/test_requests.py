"""Any JSON in, an answer or a sentence out: every service and every listener of the page, asked by a stranger."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lab import access
from lab.ui.comparing import Comparing
from lab.ui.component import Widget
from lab.ui.controls import Checked
from lab.ui.guard import UNEXPECTED
from lab.ui.service import SERVICES
from tests.loops import closed_after
from tests.server import requests
from tests.server.strangers import MARK, Session, Strangers, strangers

NAMES = [item.__name__ for item in SERVICES] + [f"comparing.{name}" for name in Comparing.SERVICES]

#: Examples of each service; those that measure, write files or draw are asked less often.
FEW, MANY = 40, 110
SLOW = {"comparing.layers", "comparing.export", "comparing.foresee", "comparing.launch", "see", "launch", "code",
        "download", "preview", "given"}  # fmt: skip

#: Bytes of the largest answer.
LARGEST = 4 * 2**20

ANY = settings(
    deadline=None, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strangers]:
    folder, temporary = tmp_path_factory.mktemp("strangers"), tmp_path_factory.mktemp("temporary")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with pytest.MonkeyPatch.context() as patch, closed_after(patch):
        patch.setattr(tempfile, "tempdir", str(temporary))
        patch.chdir(elsewhere)
        with strangers(folder) as made:
            yield made
    assert os.listdir(elsewhere) == [], "a file was written into the current folder"
    left = [name for name in os.listdir(temporary) if not name.startswith("torch")]  # torch has a cache there
    assert left == [], "a temporary file was left"
    assert sorted(os.listdir(folder)) == ["backup", "runs"], "a file was written outside the lab's folder"


def check(scene: Strangers, name: str, request: Any) -> dict[str, Any]:
    """Ask as Bob: an answer that can be sent or a sentence that is not the unexpected one, and nothing of Ann's."""
    answer = scene.call(name, request, scene.bob)
    scene.mend(scene.bob)
    sent = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    assert len(sent) < LARGEST
    assert set(answer) in ({"ok"}, {"error"})
    assert MARK not in sent.decode()
    if "error" in answer:
        assert answer["error"]["message"] != UNEXPECTED.message, "a fault of the lab: see the log"
        assert answer["error"]["message"].endswith((".", "?", "…")), answer
    return answer


def test_every_server_function_of_the_page_is_asked_here(scene: Strangers) -> None:
    assert set(scene.services) == set(NAMES)
    assert set(requests.samples(scene)) == set(NAMES), "a new service: say what its page sends"


#: Services whose sample is refused here: nobody has signed in, and nothing waits, trains or is resumed.
REFUSED = {"push", "continue_run", "control", "keep", "comparing.control", "launch", "delete"}


@pytest.mark.parametrize("name", NAMES)
def test_what_the_page_sends_is_answered(scene: Strangers, name: str) -> None:
    for request in requests.samples(scene)[name]:
        answer = check(scene, name, request)
        assert "ok" in answer or name in REFUSED, answer


@pytest.mark.parametrize("name", NAMES)
def test_any_json_gets_an_answer_or_a_sentence(scene: Strangers, name: str) -> None:
    sent = requests.samples(scene)[name]
    changed = st.sampled_from(sent).flatmap(lambda request: requests.mutations(scene, request))

    @settings(ANY, max_examples=FEW if name in SLOW else MANY)
    @given(st.one_of(changed, changed, requests.values()))
    def ask(request: Any) -> None:
        check(scene, name, request)

    ask()


@pytest.fixture(scope="module")
def session(scene: Strangers) -> Iterator[Session]:
    """Bob's tab, with each section unfolded. His measurements are under way, so that none is begun here."""
    made = Session(scene, scene.bob)
    with scene.bob.asking(), access.rules().measuring(), access.rules().measuring():
        for key in openers(scene):
            outcome(made, key, [made.component(item).value for item in scene.page.fns[key].inputs])
        yield made
    made.runner.close()


def openers(scene: Strangers) -> list[int]:
    """The listeners that fill the page's lists when a section comes into sight."""
    found = {"click", "expand"}
    return [
        key
        for key, fn in scene.page.fns.items()
        if fn.fn and {event for _, event in fn.targets} & found and fn.name in ("fill", "<lambda>")
    ]


def outcome(session: Session, key: int, values: list[Any], event: Any = None) -> str:
    """Call a listener: its answers, or the sentence that the page shows. Fails for whatever else it raises."""
    ours = True
    try:
        said = orjson.dumps(session.listen(key, values, event), option=orjson.OPT_SERIALIZE_NUMPY).decode()
    except gr.Error as error:
        ours, said = not error.print_exception, f"{error.title} {error.message}"
    assert ours, f"Gradio's own error, with a traceback in the log: {said}"
    assert MARK not in said
    assert UNEXPECTED.message not in said, "a fault of the lab: see the log"
    assert len(said) < LARGEST
    return said


def test_every_input_of_a_listener_checks_what_it_is_sent(scene: Strangers) -> None:
    """A control of Gradio's own would let anything through, or raise what nobody is told of."""
    for fn in scene.page.fns.values():
        if fn.fn:
            assert all(isinstance(item, Checked | Widget | gr.State) for item in fn.inputs), (fn.name, fn.inputs)


def test_every_listener_answers_any_value_or_says_what_is_wrong(scene: Strangers, session: Session) -> None:
    for key, fn in scene.page.fns.items():
        if fn.fn:
            call_with_anything(scene, session, key)
            scene.mend(scene.bob)


def call_with_anything(scene: Strangers, session: Session, key: int) -> None:
    components = [session.component(item) for item in scene.page.fns[key].inputs]
    sendable = any(not isinstance(item, gr.State) for item in components)

    @settings(ANY, max_examples=14 if sendable else 1)
    @given(requests.inputs(components, scene))
    def ask(values: list[Any]) -> None:
        outcome(session, key, values)

    ask()


def test_the_chat_answers_any_event(scene: Strangers, session: Session) -> None:
    (key,) = (key for key, fn in scene.page.fns.items() if fn.name == "answer")
    sent = requests.chat(scene)
    assert "error" not in outcome(session, key, [], sent)

    @settings(ANY, max_examples=60)
    @given(st.one_of(requests.mutations(scene, sent, levels=40), requests.values(levels=40)))
    def ask(event: Any) -> None:
        outcome(session, key, [], event)

    ask()


def test_what_is_anns_is_as_it_was(scene: Strangers) -> None:
    """Runs last: after all that Bob has asked."""
    with scene.ann.asking():
        assert [(run.id, run.name) for run in scene.lab.runs.all()] == [(scene.ann.run, f"run of {MARK}")]
        assert Path(scene.ann.upload).is_file()
    listed = scene.call("comparing.every", {}, scene.ann)["ok"]
    assert [(item["id"], item["name"]) for item in listed] == [(scene.ann.comparison, f"comparison of {MARK}")]
