"""The owner's token of the Hub, out of reach of a process that serves strangers.

Libraries of the Hub look for a token wherever it may be, and an argument (`token=True`) is enough to make them send
it. So in a shared lab there is none to be found: not in the environment, not in a file, not for any library.
"""

from __future__ import annotations

import os
from pathlib import Path

from lab.errors import LabError

#: Variables that hold a token, name the place of one, or let one be asked for.
TOKENS = (
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HF_OIDC_RESOURCE",
    "HF_OIDC_ID_TOKEN",
    "HUGGINGFACE_CO_STAGING",  # has a home of its own, with a token
)


def withhold(runs: Path) -> None:
    """Leave this process no token of the Hub; downloads go to a folder below the folder of runs.

    To be called before anything imports huggingface_hub, which reads its variables once. Raises LabError if it finds
    a token all the same.
    """
    home = runs.resolve() / ".hub"
    cache = _cache(home)
    for name in os.environ:
        if name in TOKENS or name.startswith("FSSPEC_"):
            del os.environ[name]
    os.environ |= {
        "HF_HOME": str(home),
        "HF_HUB_CACHE": str(cache),
        "HF_TOKEN_PATH": os.devnull,
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "NETRC": os.devnull,  # read by requests and aiohttp, where they are installed
        "FSSPEC_CONFIG_DIR": str(home / "fsspec"),
    }
    from huggingface_hub import get_token

    if get_token():
        raise LabError(
            "Visitors could use your token of the Hub: huggingface_hub was imported before it was taken away.",
            "Start the lab with `python app.py --public`, or log out with `hf auth logout`.",
        )


def _cache(home: Path) -> Path:
    """The folder of downloads.

    One that was filled with the owner's token may hold private models, which the lab would hand to visitors while
    the Hub does not answer. So it is a new one, unless `HF_HUB_CACHE` names one for this lab, or a Space has its own,
    in which `preload_from_hub` puts what the Space is to serve.
    """
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if named:
        return Path(os.path.expandvars(named)).expanduser()
    if os.environ.get("SPACE_ID"):
        default = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
        return Path(os.path.expandvars(os.environ.get("HF_HOME") or default)).expanduser() / "hub"
    return home / "hub"
