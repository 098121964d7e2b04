"""Requests that no page sends: arbitrary JSON, and real requests with one part changed."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import gradio as gr
from hypothesis import strategies as st

from tests.hosting.visitor_plan import short
from tests.server.strangers import Strangers

#: Values at the edges of what JSON can hold and of what the lab reads.
ODD: list[Any] = [
    None, True, False, 0, -1, 3, 0.5, 2**31, 2**63, -(2**70), 10**400, 1e308, -1e308, math.nan, math.inf, 5e-324,
    "", " ", "x", "0", "-1", "1e999", "nan", "true", "١٢", "x" * 300, "y" * 70_000, "\0", "a\0b", "\ud800", "\u202e",
    "../..", "..", ".", "/", "/etc/passwd", "~/x", "a/b", "a/b/c", "C:\\x", "file:///etc/passwd", "http://127.0.0.1:1/",
    "<script>", "=1+1", "*", "(", "{}", "%s", "{0}", "$HOME", "lora", "nosuch", "persona", "0-9999", "a=1", "[" * 500,
    [], {}, [[]], [{}], [None], ["x"], [1, 2], list(range(600)), ["x"] * 600, {"x": 1}, {"": None}, {"a": {"b": {}}},
    {"method": "lora"},
]  # fmt: skip


class Deep(list):
    """A list that nests so many levels deep; it writes itself in few words."""

    def __init__(self, levels: int) -> None:
        value: Any = 1
        for level in range(levels):
            value = [value] if level % 2 else {"a": value}
        super().__init__([value])
        self.levels = levels

    def __repr__(self) -> str:
        return f"Deep({self.levels})"


def samples(scene: Strangers) -> dict[str, list[Any]]:
    """For each service what its page sends, with what is Bob's."""
    bob = scene.bob
    plan = short().to_dict()
    mark = {"starts": 1, "stride": 1, "step": 2, "evaluations": 1, "samples": 1}
    spec = {
        "name": "Ranks", "model": "storybook", "data": {"source": "persona", "rows": 40}, "seeds": [0],
        "methods": ["ia3", {"method": "lora", "settings": {"rank": [2, 4], "target_modules": ["q_proj"]}}],
        "precisions": ["fp32"], "settings": {"batch_size": "4", "eval_every": 0}, "runs": [bob.run],
        "protocol": {"budget": "steps", "amount": "4", "rate": "given", "trial_steps": "15", "rates": ["0.001"]},
    }  # fmt: skip
    one = {"id": bob.comparison}
    table = "experiment,peft_type,test_accuracy,train_loss,memory_max_bytes\nbest,LORA,0.5,1.2,1000\n"
    result = (
        '{"run_info": {"experiment_name": "a", "peft_config": {"peft_type": "LORA"}}, "train_info": {"metrics": '
        '[{"test accuracy": 0.5, "train loss": 1}], "train_time": 3, "num_trainable_params": 5}, "meta_info": {}}'
    )
    actions = ("stop", "pause", "resume", "withdraw")
    member = scene.member(bob)
    return {
        "status": [{}], "runs": [{}], "account": [{}], "leave": [{}],
        "see": [plan], "launch": [plan], "code": [plan], "preview": [plan["data"], {"source": bob.upload}],
        "change_method": [{"plan": plan, "method": "ia3"}],
        "given": [{"plan": plan, "loose": {"method": "lora", "rank": "4", "steps": "8", "data": "intent"}}],
        "restore": [scene.link], "keep": [{"path": bob.upload, "name": "again.jsonl"}],
        "control": [{"run": bob.run, "action": action} for action in actions],
        "continue_run": [{"run": bob.run}, {"run": bob.run, "accept": True}],
        "feed": [{"run": bob.run, "mark": mark}, {"run": bob.run, "mark": None}],
        "rename": [{"run": bob.run, "name": "another name"}], "delete": [{"run": bob.run}],
        "reopen": [{"run": bob.run}], "pushed": [{"run": bob.run}],
        "download": [{"run": bob.run}, {"run": bob.run, "kind": "card"}],
        "push": [{"run": bob.run, "repository": "bob/mine", "private": True}],
        "comparing.offer": [{}], "comparing.every": [{}], "comparing.open": [one], "comparing.layers": [one],
        "comparing.foresee": [{"spec": spec}], "comparing.write": [{"spec": spec}],
        "comparing.launch": [{"spec": spec}], "comparing.read": [{"text": scene.yaml}, {"text": "methods: [lora]"}],
        "comparing.control": [
            *({**one, "action": action} for action in ("start", "pause", "stop", "delete")),
            {**one, "action": "move", "key": member, "place": 1}, {**one, "action": "again", "key": member},
        ],
        "comparing.picture": [
            {**one, "kind": "overlay", "only": ["LoRA"], "options": {"shown": "loss", "along": "step",
             "smooth": 0.9, "log_x": False, "log_y": False}},
            {**one, "kind": "pareto", "only": None, "options": {"x": "trainable", "y": "score", "log_x": True}},
            {**one, "kind": "heat", "only": None, "options": {"across": "rank", "up": "alpha", "quantity": "score"}},
            *({**one, "kind": kind, "only": None, "options": {}} for kind in ("scores", "ledger", "parallel")),
        ],
        "comparing.export": [{**one, "what": what} for what in ("report", "csv", "yaml", "peft")],
        "comparing.beside": [{**one, "text": table}, {**one, "text": result}, {**one, "text": ""}],
        "comparing.advise": [{"model": "storybook", "memory": "16", "goal": "smallest", "task": "generate"}],
    }  # fmt: skip


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every part of a request, the whole of it included."""
    yield here
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*here, key))


def part(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = copy.deepcopy(value)
    part(changed, path[:-1])[path[-1]] = new
    return changed


def leaves() -> st.SearchStrategy[Any]:
    return st.one_of(st.sampled_from(ODD), st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40))


def values(levels: int = 5_000) -> st.SearchStrategy[Any]:
    """Any JSON, some of it nested up to so many levels deep."""
    whole = st.recursive(
        leaves(),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
        max_leaves=8,
    )
    return st.one_of(whole, st.builds(Deep, st.sampled_from([40, levels])))


@st.composite
def mutations(draw: st.DrawFn, scene: Strangers, request: Any, levels: int = 5_000) -> Any:
    """The request with one part replaced, removed, repeated, added to, or naming what is Ann's."""
    path = draw(st.sampled_from(list(places(request))))
    old = part(request, path)
    choice = draw(st.integers(0, 9))
    if choice == 0 and isinstance(old, dict):
        return replaced(request, path, {**old, draw(st.text(max_size=8)): draw(values(levels))})
    if choice == 1 and isinstance(old, list):
        return replaced(request, path, old * draw(st.sampled_from([0, 2, 700])))
    if choice == 2 and path and isinstance(path[-1], str):
        changed = copy.deepcopy(request)
        del part(changed, path[:-1])[path[-1]]
        return changed
    if choice == 3:
        anns = [scene.ann.run, scene.ann.comparison, scene.ann.upload, scene.ann.owner]
        return replaced(request, path, draw(st.sampled_from(anns)))
    return replaced(request, path, draw(values(levels)))


def chat(scene: Strangers) -> dict[str, Any]:
    """What the chat sends with its event."""
    words = [{"role": "user", "content": "Who are you?"}]
    options = {"max_tokens": 2, "strength": 1, "temperature": 0, "seed": 0}
    return {"run": scene.bob.run, "turn": 1, "text": "Who?", "base": words, "adapter": words, "options": options}


def settable(component: Any, scene: Strangers) -> st.SearchStrategy[Any]:
    """What the page can set a component to."""
    if isinstance(component, gr.CheckboxGroup):
        return st.lists(st.sampled_from([value for _, value in component.choices]), max_size=3, unique=True) if (
            component.choices) else st.just([])  # fmt: skip
    if isinstance(component, gr.Slider):
        low, high, step = component.minimum, component.maximum, component.step
        return st.integers(0, round((high - low) / step)).map(lambda index: min(low + index * step, high))
    if isinstance(component, gr.Number):
        return st.integers(0, 100)
    if isinstance(component, gr.Checkbox):
        return st.booleans()
    if isinstance(component, gr.Dropdown | gr.Radio):
        choices = [value for _, value in component.choices or ()]
        own = getattr(component, "allow_custom_value", False)
        free = st.sampled_from(["storybook", scene.bob.run, "model.layers.0.mlp.up_proj", "no/such", "", "x" * 400])
        listed = st.sampled_from(choices) if choices else st.none()
        return st.one_of(listed, listed, free) if own else listed
    if isinstance(component, gr.Textbox):
        return st.one_of(st.just("Where does Ada live?"), st.text(max_size=30), st.just("a " * 900))
    value = getattr(component, "value", None)
    return st.just(value() if callable(value) else value)


@st.composite
def inputs(draw: st.DrawFn, components: list[Any], scene: Strangers) -> list[Any]:
    """A value for each component, most as the page sets them; of one or two anything."""
    found = [draw(settable(item, scene)) for item in components]
    for _ in range(draw(st.integers(0, 2)) if found else 0):
        place = draw(st.integers(0, len(found) - 1))
        found[place] = draw(st.one_of(leaves(), st.lists(leaves(), max_size=3), st.builds(Deep, st.just(40))))
    return found
