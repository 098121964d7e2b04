"""PEFT Lab: learn, choose and use parameter-efficient fine-tuning."""

__version__ = "0.1.0"

#: Version of the layout of a run folder (`run.json`); a folder of a newer layout is refused, not guessed at.
SCHEMA = 1
