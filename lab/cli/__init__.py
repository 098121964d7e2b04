"""The command line: parses a plan, pulls its events, prints them. Without a command it serves the page."""

from __future__ import annotations

import argparse
import dataclasses
import errno
import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lab import __version__, strict_json, terminal
from lab.cli import catalogues, serve
from lab.errors import LabError
from lab.events import FAILED, Evaluated, Event, Finished, Sample, Stage, Started, Step, Warned, encode
from lab.knobs import brief, build, writable
from lab.plan import Data, Plan
from lab.runs import DAMAGED, NEWER, Run, Runs, summary

RUNS = Path("runs")

#: What `lab.artifacts` knows, whose import a list of runs need not wait for.
KINDS = "adapter, script, card … (default: adapter)"

#: The variable of the environment under which a fault of the lab keeps its traceback.
TRACEBACK = "LAB_TRACEBACK"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "--version")):
        words.insert(0, "serve")
    parsed = parser().parse_args(words)
    try:
        for word in words:
            writable(word, "An argument")
        status = parsed.run(parsed)
        if sys.stdout:  # it may have been closed
            sys.stdout.flush()
        return status
    except LabError as error:
        return _refused(error, parsed, 2)
    except BrokenPipeError:  # `… | head` has read enough
        _no_more_output()
        return 0
    except KeyboardInterrupt:
        return terminal.INTERRUPTED
    except Exception as error:
        if TRACEBACK in os.environ:
            raise
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _no_more_output()
        what = f"Something unexpected went wrong ({type(error).__name__}: {brief(error, 200)})."
        return _refused(LabError(what, f"Set {TRACEBACK}=1 to see where, and report it."), parsed, 1)


def _no_more_output() -> None:
    """Drop what stdout still holds: Python writes it as it ends, and would complain once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _refused(error: LabError, parsed: argparse.Namespace, status: int) -> int:
    """Say what is wrong, and return the exit status."""
    if getattr(parsed, "json", False):
        print(json.dumps({"event": "error", "error": error.message, "hint": error.hint}), flush=True)
    print(f"lab: {error.message}\n     {error.hint}".rstrip(), file=sys.stderr)
    return status


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    installed = Path(sys.argv[0]).stem == "peft-lab"
    top = argparse.ArgumentParser(
        prog="peft-lab" if installed else "python -m lab",
        description=f"PEFT Lab. {serve.DESCRIPTION} Without a command it serves the page.",
    )
    top.add_argument("--version", action="version", version=f"PEFT Lab {__version__}")
    commands = top.add_subparsers(dest="command", required=True)
    page = commands.add_parser("serve", help="Serve the page.", description="Serve the page.")
    page.set_defaults(run=serve.run)
    serve.add_options(page)

    def command(name: str, run: Callable[[Any], int], help: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=help)
        made.set_defaults(run=run)
        made.add_argument("--json", action="store_true", help="print JSON, one object a line")
        return made

    def with_runs(made: argparse.ArgumentParser) -> None:
        made.add_argument(
            "--runs", type=Path, default=RUNS, metavar="DIR", help="where runs are kept (default: runs)"
        )

    training = command("train", train_command, "Train an adapter.")
    with_runs(training)
    training.add_argument("--model", help=f"embedded name, Hub id or folder (default: {Plan.model})")
    training.add_argument("--data", help=f"embedded name, Hub id or file (default: {Data().source})")
    training.add_argument("--method", help=f"see `python -m lab methods` (default: {Plan.method})")
    training.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="any setting of the plan")
    training.add_argument("--steps", help="the same as --set steps=N")
    training.add_argument("--plan", type=Path, metavar="FILE", help="start from a plan saved as JSON")
    training.add_argument("--name", help="a name for the run")
    training.add_argument("--resume", metavar="RUN", help="continue a run that is not done; its own plan is used")
    training.add_argument(
        "--accept-changes", action="store_true", help="with --resume: although its data or its base changed"
    )

    with_runs(command("runs", runs_command, "List the runs, newest first."))
    delete = command("delete", delete_command, "Remove a run and everything in it.")
    delete.add_argument("id")
    with_runs(delete)
    show = command("show", show_command, "Show one run.")
    show.add_argument("id")
    with_runs(show)
    show.add_argument("--script", action="store_true", help="print its plan as a script")
    chat = command("chat", chat_command, "Ask a run, or its base.")
    chat.add_argument("id")
    with_runs(chat)
    chat.add_argument("--prompt", required=True)
    chat.add_argument("--base", action="store_true", help="let the base answer")
    chat.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="temperature, top_p, strength …"
    )
    push = command("push", push_command, "Publish a run's adapter on the Hub, with a model card.")
    push.add_argument("id")
    push.add_argument("repository", help="organisation/name")
    with_runs(push)
    push.add_argument("--public", action="store_true", help="for everybody to see (default: private)")
    export = command("export", export_command, "Write what a run can hand out, and prove it.")
    export.add_argument("id")
    with_runs(export)
    export.add_argument("--as", dest="kind", default="adapter", metavar="KIND", help=KINDS)
    export.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where to write it (default: here)")
    export.add_argument("--no-receipt", action="store_true", help="do not load it again to prove it")
    compare = command("compare", compare_command, "Compare methods under one protocol.")
    compare.add_argument("plan", type=Path, help="a comparison as YAML or JSON")
    compare.add_argument("--out", type=Path, metavar="DIR", help="its folder (default: comparisons/NAME of the file)")
    compare.add_argument("--dry", action="store_true", help="say what would be run and what cannot, and stop")
    compare.add_argument("--log", metavar="TRACKER", help="log each run to tensorboard, trackio or wandb as well")
    command("methods", catalogues.methods_command, "List the methods and their settings.")
    command("models", catalogues.models_command, "List the embedded models.")
    command("data", catalogues.data_command, "List the embedded data sets.")
    return top


def existing_runs(folder: Path) -> Runs:
    """The runs in a folder that is there. Raises LabError if it is not, so that looking creates nothing."""
    if not folder.is_dir():
        raise LabError(f"There is no folder of runs '{folder}'.", "Choose another with --runs, or train a first run.")
    return Runs(folder)


def pairs(given: Sequence[str]) -> dict[str, str]:
    """The NAME=VALUE options as a table. Raises LabError for one without a sign."""
    table = {}
    for item in given:
        name, sign, value = item.partition("=")
        if not sign:
            raise LabError(f"'{item}' is not NAME=VALUE.", "Write for example --set rank=8.")
        table[name.strip()] = value.strip()
    return table


#: Options of `train` that say what to train.
CHOICES = ("model", "data", "method", "set", "steps", "plan", "name")


def refuse_with(option: str, parsed: argparse.Namespace, names: Sequence[str], hint: str) -> None:
    """Raise LabError if one of the options `names` stands beside `option`, which settles what they say."""
    for name in names:
        if getattr(parsed, name) not in (None, []):
            raise LabError(f"--{name} and {option} cannot be used together.", hint)


def plan_of(parsed: argparse.Namespace) -> Plan:
    """The plan that the options describe. Raises LabError for options that contradict each other."""
    from lab import methods

    if parsed.plan:
        refuse_with("--plan", parsed, ("model", "data", "method"), "Change the file, or single settings with --set.")
        try:
            plan = Plan.from_dict(strict_json.read(parsed.plan))
        except OSError as error:
            raise LabError(f"'{parsed.plan}' cannot be read: {error.strerror}.", "It must be a JSON file.") from None
        except ValueError as error:
            raise LabError(f"'{parsed.plan}' is no plan: {error}.", "It must be a JSON file.") from None
    else:
        model, source, method = (
            default if option is None else option
            for option, default in (
                (parsed.model, Plan.model),
                (parsed.data, Data().source),
                (parsed.method, Plan.method),
            )
        )
        plan = methods.default_plan(method, model=model, data=Data(source=source))
    given = pairs(parsed.set)
    if parsed.steps is not None:
        if given.keys() & {"steps", "training.steps"}:
            raise LabError("The number of steps is given twice.", "Write --steps N or --set steps=N, not both.")
        given["steps"] = parsed.steps
    return methods.with_values(plan, given)


def train_command(parsed: argparse.Namespace) -> int:
    from lab.training import fingerprint
    from lab.training.job import resolve
    from lab.training.loop import train

    if parsed.resume is not None:
        refuse_with("--resume", parsed, CHOICES, "A run is continued by its own plan. Leave one of the two out.")
        run = existing_runs(parsed.runs).get(parsed.resume)
    else:
        if parsed.accept_changes:
            raise LabError("--accept-changes goes with --resume.", "A new run has nothing that could have changed.")
        plan = resolve(plan_of(parsed)).check().plan
        run = Runs(parsed.runs).create(plan, name=parsed.name or "")
    run.claim()
    stop = threading.Event()
    try:
        if run.resumable:
            fingerprint.confirm(run, parsed.accept_changes, hint="Add --accept-changes to continue it anyway.")
        with terminal.stopping(stop.set):
            events = run.record(train(run.plan, stop, run.folder, resume=run.resumable))
            for event in _as_json(run, events) if parsed.json else _as_text(run, events):
                last = event
    finally:
        run.release()
    return 1 if isinstance(last, Finished) and last.status == FAILED else 0


def _as_json(run: Run, events: Iterator[Event]) -> Iterator[Event]:
    for event in events:
        plain = encode(event)
        if isinstance(event, Finished):
            plain |= _result(run)
        print(json.dumps(plain, ensure_ascii=False), flush=True)
        yield event


def _result(run: Run) -> dict[str, Any]:
    """What the last line of a run adds: its id, evaluations and parameter counts."""
    history = run.history()
    started = history.started

    def brief(item: Evaluated | None) -> dict[str, Any] | None:
        return encode(item) if item else None

    return {
        "run": run.id,
        "base_eval": brief(history.base),
        "final_eval": brief(history.last),
        "trainable": started.trainable if started else None,
        "total": started.total if started else None,
        "peak_memory": dataclasses.asdict(history.peak),
        "train_seconds": history.steps[-1].seconds if history.steps else 0.0,
    }


def _as_text(run: Run, events: Iterator[Event]) -> Iterator[Event]:
    from tqdm import tqdm

    bar: Any = None
    print(f"run {run.id}")
    for event in events:
        match event:
            case Started():
                share = event.trainable / event.total
                print(f"{event.trainable:,} of {event.total:,} parameters train ({share:.2%}) on {event.device}")
                print(event.rows)
                bar = tqdm(total=event.steps, initial=event.first_step, unit="step", disable=not sys.stderr.isatty())
            case Step() if bar is not None:
                bar.set_postfix(loss=f"{event.loss:.3f}", refresh=False)
                bar.update()
            case Evaluated():
                who = "base" if event.base else f"step {event.step}"
                said = f"{who}: loss {event.loss:.3f}, score {event.score:.3f}"
                tqdm.write(
                    said if event.general is None else f"{said}, general prose {event.general:.3f} bits per byte"
                )
            case Sample():
                tqdm.write(f"  {event.prompt!r} -> {event.reply!r}")
            case Warned():
                tqdm.write(f"  note: {event.message} {event.hint}".rstrip())
            case Stage() if bar is None:
                tqdm.write(f"{event.text} …")
            case Finished():
                if bar is not None:
                    bar.close()
                print(
                    f"{event.status} after {event.seconds:.0f} s"
                    + (f": {event.error} {event.hint}" if event.error else "")
                )
            case _:
                pass
        yield event


def runs_command(parsed: argparse.Namespace) -> int:
    rows = existing_runs(parsed.runs).rows()
    if parsed.json:
        to_json = json.JSONEncoder(ensure_ascii=False).encode  # one for all: there may be thousands
        print("".join(to_json(row) + "\n" for row in rows), end="")
        return 0
    lines = []
    for row in rows:
        score = "" if row["score"] is None else f"{row['score']:.3f}"
        name = row["error"] if row["status"] in (DAMAGED, NEWER) else row["name"]
        lines.append(f"{row['id']}  {row['status']:<11} {row['method']:<12} {score:>6}  {name}\n")
    print("".join(lines), end="")
    return 0


def delete_command(parsed: argparse.Namespace) -> int:
    existing_runs(parsed.runs).delete(parsed.id)
    print(json.dumps({"deleted": parsed.id}) if parsed.json else f"deleted {parsed.id}")
    return 0


def push_command(parsed: argparse.Namespace) -> int:
    from huggingface_hub import get_token

    from lab.artifacts.publish import publish

    address = publish(
        existing_runs(parsed.runs).get(parsed.id), parsed.repository, get_token() or "", private=not parsed.public
    )
    print(json.dumps({"address": address}) if parsed.json else address)
    return 0


def export_command(parsed: argparse.Namespace) -> int:
    from lab import artifacts

    run = existing_runs(parsed.runs).get(parsed.id)
    try:
        parsed.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"'{parsed.out}' cannot be written: {error.strerror}.", "Choose another folder.") from None
    file = artifacts.write(run, parsed.kind, parsed.out)
    proof = None
    if isinstance(artifacts.artifact(parsed.kind), artifacts.LoadableArtifact) and not parsed.no_receipt:
        from lab.artifacts.receipt import checked

        proof = checked(run, parsed.kind, file)
    if parsed.json:
        print(json.dumps({"file": str(file), "receipt": dataclasses.asdict(proof) if proof else None}))
    else:
        print(file)
        if proof:
            print(proof.sentence())
    return 0


def show_command(parsed: argparse.Namespace) -> int:
    run = existing_runs(parsed.runs).get(parsed.id)
    if parsed.script:
        from lab.artifacts.script import script

        print(script(run.plan), end="")
        return 0
    told = summary(run) | {"plan": run.plan.to_dict(), "versions": run.about.get("versions")}
    print(json.dumps(told, ensure_ascii=False, indent=None if parsed.json else 2))
    return 0


def chat_command(parsed: argparse.Namespace) -> int:
    from lab.chat.engine import Engine, Options
    from lab.plan import CLASSIFY

    options = build(Options, pairs(parsed.set))
    store = existing_runs(parsed.runs)
    started = store.get(parsed.id).history().started
    engine = Engine(store)
    if started and started.task == CLASSIFY:
        chances = engine.classify(parsed.id, parsed.prompt, options, parsed.base)
        if parsed.json:
            print(json.dumps({"labels": chances}))
        else:
            for label, chance in sorted(chances.items(), key=lambda item: -item[1]):
                print(f"{chance:6.1%}  {label}")
        return 0
    reply = ""
    for text in engine.stream(parsed.id, [{"role": "user", "content": parsed.prompt}], options, parsed.base):
        if not parsed.json:
            print(text[len(reply) :], end="", flush=True)
        reply = text
    print(json.dumps({"reply": reply}, ensure_ascii=False) if parsed.json else "")
    return 0


def compare_command(parsed: argparse.Namespace) -> int:
    from lab.compare import command
    from lab.plots.gallery import document

    return command.run(parsed, document)
