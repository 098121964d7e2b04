"""python -m benchmarks.embedded scratch|persona|order|ranks|nf4 [--data FOLDER] [--seeds 0 1 2] [--page]

Makes the runs that the log does not hold yet, one after another, and writes what is known into `docs/embedded.md`.
`scratch` needs the folder of labelled sets. Without an experiment only the page is written anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from benchmarks.embedded import page
from benchmarks.embedded.cases import EXPERIMENTS, run, same
from lab.errors import LabError


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embedded", description=__doc__.split("\n\n")[1])
    parser.add_argument("experiment", nargs="?", choices=EXPERIMENTS)
    parser.add_argument("--data", type=Path, help="the folder of labelled sets (snips7, …)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", metavar="NAME=VALUE", default=[], help="only cases with these values")
    parser.add_argument("--log", type=Path, default=page.LOG)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args(arguments)
    wanted = EXPERIMENTS[asked.experiment](asked.seeds) if asked.experiment else []
    for name, _, value in (item.partition("=") for item in asked.only):
        wanted = [case for case in wanted if str(case.get(name)) == value]
    done = {same(item["case"]) for item in page.logged(asked.log)}
    try:
        for case in wanted:
            if same(case) in done:
                continue
            import torch

            torch.set_num_threads(asked.threads)
            began = time.process_time()
            line = {"case": case, "figures": run(case, asked.data)}
            line["cpu_seconds"] = round(time.process_time() - began, 1)
            with asked.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            print(json.dumps(line)[:240], flush=True)
            page.write(page.PAGE, page.logged(asked.log))
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    if not wanted:
        page.write(page.PAGE, page.logged(asked.log))
    return 0


if __name__ == "__main__":
    sys.exit(main())
