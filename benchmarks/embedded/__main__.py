"""python -m benchmarks.embedded rates|scratch|persona|order|ranks|nf4 [--data FOLDER] [--seeds 0 1 2] [--workers N]

Makes the runs that the log does not hold yet, and writes what is known into `docs/embedded.md`. `rates` and `scratch`
need the folder of labelled sets. Without an experiment only the page is written anew.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from benchmarks import workers
from benchmarks.embedded import page
from benchmarks.embedded.cases import EXPERIMENTS, line, same
from lab.errors import LabError


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embedded", description=__doc__.split("\n\n")[1])
    parser.add_argument("experiment", nargs="?", choices=EXPERIMENTS)
    parser.add_argument("--data", type=Path, help="the folder of labelled sets (snips7, …)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", metavar="NAME=VALUE", default=[], help="only cases with these values")
    parser.add_argument("--log", type=Path, default=page.LOG)
    parser.add_argument("--workers", type=int, default=1, help="runs side by side")
    parser.add_argument("--threads", type=int, default=1, help="threads of the CPU for each")
    asked = parser.parse_args(arguments)
    try:
        lines = page.logged(asked.log)
        wanted = EXPERIMENTS[asked.experiment](asked.seeds, lines) if asked.experiment else []
        for name, _, value in (item.partition("=") for item in asked.only):
            wanted = [case for case in wanted if str(case.get(name)) == value]
        done = {same(item["case"]) for item in lines}
        work = [case for case in wanted if same(case) not in done]
        for made in workers.each(partial(line, data=asked.data), work, asked.workers, asked.threads):
            with asked.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(made) + "\n")
            print(json.dumps(made)[:240], flush=True)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    page.write(page.PAGE, page.logged(asked.log))
    return 0


if __name__ == "__main__":
    sys.exit(main())
