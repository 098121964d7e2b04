"""The lab from the command line: `python -m lab train`, `runs`, `show`, `chat`, `methods`, `models`, `data`, `serve`.

Exit 0: done. 1: a run failed. 2: the request was wrong. 130: Ctrl-C before there was anything to keep.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command that the process was started with; returns its exit status."""
    try:
        from lab import terminal

        terminal.prepare()
        from lab import cli

        return cli.main()
    except KeyboardInterrupt:  # Ctrl-C before `terminal` listens for it
        print("Interrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
