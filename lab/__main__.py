"""The lab from the command line: `python -m lab train`, `runs`, `show`, `chat`, `methods`, `models`, `data`, `serve`.

Exit 0: done. 1: a run failed. 2: the request was wrong. 130: Ctrl-C before there was anything to keep.
"""

from __future__ import annotations

import sys

from lab import terminal


def main() -> int:
    """Run the command that the process was started with; returns its exit status."""
    terminal.prepare()
    from lab import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
