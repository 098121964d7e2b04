"""PEFT Lab: `python app.py` opens the lab in a browser."""

import sys

from lab.cli.serve import main

if __name__ == "__main__":
    sys.exit(main())
