"""The lab from the command line: `python -m lab train`, `runs`, `show`, `chat`, `methods`, `models`, `data`, `serve`.

Exit 0: done. 1: a run failed. 2: the request was wrong.
"""

from __future__ import annotations

import sys

from lab.cli import main

if __name__ == "__main__":
    sys.exit(main())
