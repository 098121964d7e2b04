"""PEFT Lab: `python app.py` opens the lab in a browser."""

import sys

from lab import terminal

if __name__ == "__main__":
    terminal.prepare()

    from lab.cli.serve import main

    sys.exit(main())
