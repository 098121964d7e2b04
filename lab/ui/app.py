"""The page's frame: the header, the lessons beside the bench, the wide tabs, and how it is launched."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import gradio as gr

from lab.ui import theme
from lab.ui.bench.bench import bench
from lab.ui.component import Widget
from lab.ui.exhibits.parts import follow_the_bench
from lab.ui.lab import Lab
from lab.ui.service import functions
from lab.ui.tabs import EXERCISE, TABS, WIDE, Tab


def build(lab: Lab) -> gr.Blocks:
    """The page. Nothing in it loads torch: what needs it waits for the lab's warm-up."""
    with gr.Blocks(title="PEFT Lab", analytics_enabled=False, fill_width=True) as page:
        Widget("service", functions=functions(lab), elem_id="lab-service")
        Widget("frame", {"tabs": [_told(tab) for tab in TABS]}, elem_id="lab-header")
        with gr.Row(elem_id="lab-main"):
            with gr.Column(elem_id="lab-lessons"):
                for tab in TABS:
                    if tab.kind == EXERCISE:
                        _place(lab, tab)
            with gr.Column(elem_id="lab-bench"):
                lab.form = bench(lab, {tab.name: dict(tab.start) for tab in TABS if tab.kind == EXERCISE})
        with gr.Column(elem_id="lab-wide"):
            for tab in TABS:
                if tab.kind == WIDE:
                    _place(lab, tab)
        follow_the_bench(lab)
    return page


def _place(lab: Lab, tab: Tab) -> None:
    """A tab's column, shown by the style of the page when it is the tab that is open."""
    with gr.Column(elem_id=f"tab-{tab.name}", elem_classes="lab-tab"):
        lab.openers[tab.name] = gr.Button("Opened", elem_id=f"opened-{tab.name}", elem_classes="lab-opener")
        tab.build(lab)


def _told(tab: Tab) -> dict[str, Any]:
    plain = {field.name: getattr(tab, field.name) for field in dataclasses.fields(tab)}
    return {name: plain[name] for name in ("name", "number", "title", "hint", "kind", "first")}


def _shown() -> str:
    """The rules that show the open tab alone."""
    return "\n".join(f'&[data-lab-tab="{tab.name}"] #tab-{tab.name} {{ display: flex !important; }}' for tab in TABS)


def plotly_file() -> Path:
    """plotly's own script, as the Python package ships it: the page needs no network."""
    import plotly

    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def launch(page: gr.Blocks, port: int, host: str = "127.0.0.1", root: str = "") -> str:
    """Serve the page in the background; its address. Raises OSError if the port is taken."""
    script = plotly_file()
    _, address, _ = page.queue(default_concurrency_limit=4).launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        theme=theme.theme(),
        head=theme.head(f"{root}/gradio_api/file={script}", _shown()),
        allowed_paths=[str(script)],
        footer_links=[],
        root_path=root or None,
    )
    return str(address)
