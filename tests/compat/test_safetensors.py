"""safetensors still writes the system's number into its sentence alone."""

from __future__ import annotations

import errno
import subprocess
import sys

from lab.compat.safetensors import os_error_number

#: Writes more than the process may, in a process of its own whose limit ends with it.
WRITES = """
import resource, signal, sys, torch
from safetensors.torch import save_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    save_file({"a": torch.zeros(1000)}, sys.argv[1])
except Exception as error:
    print(getattr(error, "errno", None), error)
"""


def test_a_refused_write_has_its_number_in_the_sentence(tmp_path):
    command = [sys.executable, "-c", WRITES, str(tmp_path / "weights.safetensors")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    number, _, sentence = done.stdout.strip().partition(" ")
    assert number == "None", "the error has its number now"
    assert os_error_number(RuntimeError(sentence)) == errno.EFBIG


def test_a_sentence_without_a_number():
    assert os_error_number(RuntimeError("No space left on device")) == errno.ENOSPC
    assert os_error_number(RuntimeError("something else")) == 0
