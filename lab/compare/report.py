"""A comparison as one HTML file that opens offline: no script from elsewhere, no font, no picture beside it."""

from __future__ import annotations

import base64
import csv
import gzip
import html
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lab.compare.comparison import Comparison
from lab.compare.results import QUANTITIES, Outcome, arms, table
from lab.compare.verdict import verdict
from lab.data import scoring
from lab.paths import ASSETS

#: Characters of a reply that are shown.
REPLY = 400


#: Points of a figure that its table lists; of more, a line has its ends and its extremes.
LISTED = 150


@dataclass(frozen=True)
class Picture:
    """One picture: its title, a sentence on how to read it and a plotly figure."""

    title: str
    note: str
    figure: Any


def page(comparison: Comparison, pictures: Sequence[Picture], said: Mapping[str, Any]) -> str:
    """The report. `said` writes a value of each quantity as people do (`lab.plots.compare.said`, name by name)."""
    outcomes = comparison.outcomes()
    rows = table(arms(outcomes))
    runs = sum(bool(item.run) for item in outcomes)
    first = next((item for item in outcomes if item.run), None)
    facts = [f"{len(rows)} arms, {len(outcomes)} members, {runs} runs", protocol(comparison)]
    if first:
        score = scoring.title(first.metric)
        facts.insert(1, f"model {name(first.model)}, data {name(first.data)}, score: {score}")
    parts = [
        f"<h1>{html.escape(comparison.name)}</h1>",
        f"<p class='facts'>{html.escape(' · '.join(facts))}</p>",
        "<section id='verdict'><h2>What can be said</h2><ul>",
        *(f"<li class='{item.kind}'>{html.escape(item.text)}</li>" for item in verdict(outcomes)),
        "</ul></section>",
        _table(rows, said),
        *(_picture(item, index) for index, item in enumerate(pictures)),
        _replies(outcomes),
        _file(comparison.yaml),
    ]
    return _document(comparison.name, "".join(parts), bool(pictures))


def _document(title: str, body: str, charts: bool) -> str:
    """The file around the report's sections, with what draws their charts."""
    style, script = ((ASSETS / "report" / file).read_text(encoding="utf-8") for file in ("report.css", "report.js"))
    library = f"<script type='application/gzip;base64' id='plotly'>{plotly()}</script>" if charts else ""
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{html.escape(title)}</title><style>{style}</style></head>"
        f"<body><main>{body}</main>{library}<script>{script}</script></body></html>\n"
    )


@cache
def plotly() -> str:
    """plotly's script as it is embedded: gzip in base64, 2.0 of 4.8 MB. Browsers unpack it by themselves."""
    from plotly.offline import get_plotlyjs

    return base64.b64encode(gzip.compress(get_plotlyjs().encode("utf-8"), mtime=0)).decode("ascii")


def name(path: str) -> str:
    """The last part of a path or id: a report tells no folders of the machine that made it."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] if os.path.isabs(path) else path


def protocol(comparison: Comparison) -> str:
    """The protocol in a few words."""
    spec = comparison.spec
    if spec.runs and not spec.methods and not spec.plans:
        return "runs that existed, each under its own plan"
    held = spec.protocol
    rate = f"learning rate tuned over {len(held.rates)} trials" if held.rate == "tuned" else "learning rate given"
    seeds = f"{len(spec.seeds)} {'seed' if len(spec.seeds) == 1 else 'seeds'}"
    return f"equal {held.budget} ({held.amount:g}), {rate}, {seeds}, the same rows in the same order for each seed"


def results_csv(outcomes: Iterable[Outcome]) -> str:
    """One line a member, one column a quantity."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = list(QUANTITIES)
    writer.writerow(["arm", "method", "seed", "status", *names, "score_base", "marks", "reason", "run"])
    for item in outcomes:
        values = ["" if (found := QUANTITIES[name][3](item)) is None else found for name in names]
        base = "" if item.score_base is None else item.score_base
        marks = "; ".join(item.marks)
        row = [item.arm, item.method, item.seed, item.status, *values, base, marks, item.reason, item.run]
        writer.writerow([plain(cell) for cell in row])
    return text.getvalue()


def plain(cell: Any) -> Any:
    """The cell, with a quote before a text that a spreadsheet would take for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def figure_csv(figure: Any) -> str:
    """The points of a figure: one line each, with the name of its trace."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["trace", "x", "y", "value"])
    for trace in figure.data:
        for x, y, value in _points(trace):
            writer.writerow([plain(trace.name or ""), x, y, "" if value is None else value])
    return text.getvalue()


def _points(trace: Any) -> list[tuple[Any, Any, Any]]:
    """(x, y, value) of each point; only the cells of a heat map have a value."""
    if trace.type == "heatmap":
        return [(x, y, value) for y, row in zip(trace.y, trace.z) for x, value in zip(trace.x, row)]
    xs, ys = (values if values is not None else () for values in (trace.x, trace.y))
    return [(x, y, None) for x, y in zip(xs, ys)]


def figure_table(figure: Any) -> str:
    """The points of a figure for who reads them; of long lines the ends, the lowest and the highest point."""
    axes = (("x", figure.layout.xaxis), ("y", figure.layout.yaxis))
    titles = [(axis.title.text or name).replace("<br>", " ") for name, axis in axes]
    traces = [(trace.name or "", _points(trace)) for trace in figure.data if trace.hoverinfo != "skip"]
    if sum(len(points) for _, points in traces) > LISTED:
        traces = [(name, _extremes(points)) for name, points in traces]
    cells = [(name, *point) for name, points in traces for point in points]
    columns = [("", 0), (titles[0], 1), (titles[1], 2), ("value", 3)]
    columns = [(title, place) for title, place in columns if any(cell[place] not in ("", None) for cell in cells)]
    head = "".join(f"<th scope='col'>{html.escape(title)}</th>" for title, _ in columns)
    body = "".join(f"<tr>{''.join(_cell(cell[place]) for _, place in columns)}</tr>" for cell in cells)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _extremes(points: list[tuple[Any, Any, Any]]) -> list[tuple[Any, Any, Any]]:
    """The first, lowest, highest and last of the points, in their order."""
    numbers = [place for place, (_, y, _) in enumerate(points) if isinstance(y, int | float) and y == y]
    if len(points) <= 4 or not numbers:
        return points[:4]
    by_height = sorted(numbers, key=lambda place: points[place][1])
    return [points[place] for place in sorted({0, by_height[0], by_height[-1], len(points) - 1})]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"<td class='n'>{value:.4g}</td>"
    return f"<td class='n'>{value:,}</td>" if isinstance(value, int) else f"<td>{html.escape(str(value or ''))}</td>"


def _table(rows: Sequence[Mapping[str, Any]], said: Mapping[str, Any]) -> str:
    """The table: sortable, with the best of each column and the settings that differ."""
    names = [item for item in QUANTITIES if any(item in row["cells"] for row in rows)]
    settings = list(dict.fromkeys(key for row in rows for key in row["choices"]))
    head = ["<th data-sort='text'>Member</th>", "<th class='n' data-sort='number'>Seeds</th>"]
    head += [f"<th class='n' data-sort='number'>{html.escape(QUANTITIES[item][0])}</th>" for item in names]
    head += [f"<th data-sort='text' class='setting'>{html.escape(key)}</th>" for key in settings]
    head += ["<th data-sort='text'>Remarks</th>"]
    body = []
    for row in rows:
        cells = [
            f"<th scope='row'>{html.escape(row['arm'])}</th>",
            f"<td class='n'>{row['done']}/{row['seeds']}</td>",
        ]
        for item in names:
            found = row["cells"].get(item)
            if not found:
                cells.append("<td class='n' data-value=''>–</td>")
                continue
            spread = f"<small> ± {html.escape(said[item](found['deviation']))}</small>" if found["deviation"] else ""
            best = " best" if found["best"] else ""
            words = html.escape(said[item](found["mean"]))
            cells.append(f"<td class='n{best}' data-value='{found['mean']!r}'>{words}{spread}</td>")
        for key in settings:
            value = row["choices"].get(key, "")
            shown = name(value) if isinstance(value, str) else json.dumps(value)
            cells.append(f"<td class='setting'>{html.escape(shown)}</td>")
        states = [f"{count} {state}" for state, count in row["states"].items() if state != "done"]
        remarks = "; ".join([*states, *row["marks"], *([row["reason"]] if row["reason"] else [])])
        body.append(f"<tr>{''.join(cells)}<td class='remarks'>{html.escape(remarks)}</td></tr>")
    return (
        "<section><h2>Figures</h2><p class='tools'><label><input type='checkbox' id='differences'> "
        "show the settings that differ</label> <span class='facts'>Means over seeds ± standard deviation; the best "
        "of each column is bold. Click a heading to sort.</span></p><div class='wide'><table id='figures'>"
        f"<thead><tr>{''.join(head)}</tr></thead><tbody>{''.join(body)}</tbody></table></div></section>"
    )


def _picture(item: Picture, index: int) -> str:
    plain = json.loads(item.figure.to_json())
    for trace in plain["data"]:
        if trace["type"] == "scattergl":  # what WebGL draws is not printed
            trace["type"] = "scatter"
    height = plain["layout"].get("height", 360)
    label = html.escape(item.title, quote=True)
    return (
        f"<section class='picture'><h2>{html.escape(item.title)}</h2><p class='facts'>{html.escape(item.note)}</p>"
        f"<div class='chart' role='group' aria-label='{label}' style='height:{height}px'>"
        "<noscript>A chart is drawn here by a script.</noscript></div>"
        f"<p class='tools'><button data-png='{index}'>PNG</button> <button data-csv='{index}'>CSV</button></p>"
        f"<details><summary>Values</summary><div class='wide'>{figure_table(item.figure)}</div></details>"
        f"<script type='application/json'>{json.dumps(plain).replace('<', chr(92) + 'u003c')}</script>"
        f"<script type='text/csv'>{_inert(figure_csv(item.figure))}</script></section>"
    )


def _inert(text: str) -> str:
    """Text inside a script element must not end it."""
    return text.replace("</", "<\\/")


def _replies(outcomes: Sequence[Outcome]) -> str:
    """What each arm wrote to the same prompt, beside the base."""
    prompts: dict[str, list[tuple[str, str]]] = {}
    for arm in arms(outcomes):
        for prompt, base, reply in arm.first.replies:
            known = prompts.setdefault(prompt, [("The base", base)])
            known.append((arm.name, reply))
    if not prompts:
        return ""
    parts = ["<section><h2>Replies side by side</h2>"]
    for prompt, replies in prompts.items():
        parts.append(f"<blockquote>{html.escape(prompt[:REPLY])}</blockquote><dl class='replies'>")
        parts += [f"<dt>{html.escape(who)}</dt><dd>{html.escape(text[:REPLY])}</dd>" for who, text in replies]
        parts.append("</dl>")
    return "".join([*parts, "</section>"])


def _file(yaml: str) -> str:
    return (
        "<section><h2>Make it again</h2><p class='facts'>Save as comparison.yaml and run "
        "<code>python -m lab compare comparison.yaml</code>.</p>"
        f"<pre id='plan'>{html.escape(yaml)}</pre>"
        "<p class='tools'><button id='save-plan'>Save the file</button></p></section>"
    )
