"""The Hugging Face Hub: what is fetched from it, what is published there, and a common way to say what went wrong.

Only safetensors, tokenizers and configurations are fetched; no code from a repository is ever run. A question is
answered within ten seconds or refused, and a download that falls silent is given up. What was fetched once serves
without a network. `HF_ENDPOINT` names another server.
"""

from __future__ import annotations

import errno
import itertools
import logging
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from lab import access
from lab.errors import LabError

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds in which a question must be answered, and in which a download must have brought something. Without Xet
#: the library reports every 10 MB, which a slow line needs half a minute for.
PATIENCE, SILENCE = 9.0, 30.0

#: Files of a model; the names of weights are those that transformers looks for.
MODEL = ("*.json", "model.safetensors", "model-*.safetensors", "*.model", "*.txt", "*.jinja")
ADAPTER = ("adapter_config.json", "adapter_model.safetensors", "README.md")
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")

#: Modules whose errors mean that the network failed.
NETWORK = ("httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3", "aiohttp")


class Unreachable(LabError):
    """The Hub does not answer; what is in the cache may still serve."""


@lru_cache(maxsize=64)
def fetch_config(repo: str) -> Path:
    """The local folder that holds the model's config.json. Raises LabError; answers within ten seconds."""
    return fetch(repo, "model", ("config.json",), check=_has_config, silence=PATIENCE)


@lru_cache(maxsize=16)
def resolve(repo: str) -> Path:
    """The local folder of the whole model, downloaded if it is not there yet. Raises LabError."""
    return fetch(repo, "model", MODEL, check=_has_weights)


def fetch_adapter(repo: str) -> Path:
    """The local folder of an adapter on the Hub. Raises LabError."""
    return fetch(repo, "model", ADAPTER, check=_has_adapter)


def search_adapters(base: str, limit: int = 20) -> list[dict[str, Any]]:
    """Adapters of the model `base` on the Hub, the most downloaded first. Raises LabError."""

    def work(_: Callable[[], None]) -> list[Any]:
        results = _api().list_models(filter=f"base_model:adapter:{base}", sort="downloads", limit=limit)
        return list(itertools.islice(results, limit))

    return [
        {"id": item.id, "downloads": item.downloads or 0, "likes": item.likes or 0, "tags": list(item.tags or [])}
        for item in ask(base, work)
    ]


def push(folder: Path, repo: str, token: str, private: bool = True) -> str:
    """Upload an adapter's folder; returns its address. Raises LabError; nothing is published then.

    A name without an organisation is the token's own account's.
    """

    def work(_: Callable[[], None]) -> str:
        api = _api(token)
        repo_id = api.create_repo(repo, private=private, exist_ok=True).repo_id
        if private and not api.repo_info(repo_id, timeout=PATIENCE).private:
            raise LabError(f"'{repo_id}' is there already, and public.", "Choose another name, or push it as public.")
        api.upload_folder(folder_path=str(folder), repo_id=repo_id, commit_message="Adapter from PEFT Lab")
        return f"{api.endpoint}/{repo_id}"

    if not token:
        raise LabError("Publishing needs a token of the Hub.", "Make one that may write, in its settings.")
    # The library says nothing while it uploads, so only whoever waits can tell that it takes too long.
    return ask(repo, work, silence=600.0)


def fetch(
    repo: str,
    kind: str,
    files: Sequence[str],
    check: Callable[[str, set[str]], None] = lambda repo, names: None,
    skip: Sequence[str] = ("*/*",),
    silence: float | None = None,
    cached: bool = False,
) -> Path:
    """The local folder with the files of a repository that match the patterns `wanted` but not `skip`.

    `kind` is "model" or "dataset"; `check(repo, names)` may refuse the repository by the names of its files, before
    anything is downloaded. Without a network the cache serves, if it holds all of them; `cached` asks only there.
    Raises LabError.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import filter_repo_objects

    options: dict[str, Any] = {
        "repo_type": kind,
        "allow_patterns": list(files),
        "ignore_patterns": list(skip),
        "endpoint": _endpoint(),
    }

    def work(tick: Callable[[], None]) -> Path:
        sizes = _files(repo, kind)
        check(repo, set(sizes))
        tick()
        selected = filter_repo_objects(list(sizes), allow_patterns=list(files), ignore_patterns=list(skip))
        size = sum(sizes[name] for name in selected)
        access.rules().download(repo, size)
        _room(repo, size)
        return Path(snapshot_download(repo, tqdm_class=_heard(tick), etag_timeout=PATIENCE, **options))

    try:
        if cached:
            raise _unreachable(repo)
        return ask(repo, work, SILENCE if silence is None else silence)
    except Unreachable as problem:
        try:
            return Path(snapshot_download(repo, local_files_only=True, **options))
        except Exception:
            raise problem from None


def names(repo: str, kind: str) -> tuple[dict[str, int], bool]:
    """The files of a repository with their bytes, and whether that is only what the cache remembers of it.

    Raises LabError; answers within ten seconds.
    """
    try:
        return ask(repo, lambda _: _files(repo, kind)), False
    except Unreachable as problem:
        try:
            from huggingface_hub import get_cached_repo_tree

            return {item.path: item.size for item in get_cached_repo_tree(repo, repo_type=kind)}, True
        except Exception:
            raise problem from None


def ask(repo: str, work: Callable[[Callable[[], None]], T], silence: float | None = None) -> T:
    """What `work(tick)` returns, if no `silence` seconds pass without its end or a `tick()`. Raises LabError.

    The libraries below retry for minutes; whoever asked is not kept waiting for that. A thread that is given up
    ends by itself when they are done.
    """
    silence = PATIENCE if silence is None else silence
    if offline():
        raise Unreachable(f"'{repo}' is on the Hub, and HF_HUB_OFFLINE forbids to ask there.", _hint())
    heard = [time.monotonic()]
    answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def tick() -> None:
        heard[0] = time.monotonic()

    def run() -> None:
        try:
            answers.put((work(tick), None))
        except BaseException as problem:
            answers.put((None, problem))

    threading.Thread(target=run, name=f"hub {repo}", daemon=True).start()
    with told(repo):
        while (left := heard[0] + silence - time.monotonic()) > 0:
            try:
                result, problem = answers.get(timeout=left)
            except queue.Empty:
                continue
            if problem is not None:
                raise problem
            return result
    raise _unreachable(repo)


@contextmanager
def told(repo: str) -> Iterator[None]:
    """Turn what the Hub's library raises into one sentence and a hint."""
    from huggingface_hub import errors

    try:
        yield
    except LabError:
        raise
    except errors.HFValidationError:
        raise LabError(f"'{repo}' is not an id of the Hub.", "An id looks like 'organisation/name'.") from None
    except errors.GatedRepoError:
        raise LabError(
            f"'{repo}' is gated: its owner must let you in.", "Ask on its page, then log in with `hf auth login`."
        ) from None
    except errors.RepositoryNotFoundError:
        raise LabError(
            f"There is no '{repo}' on the Hub, or it is private.", "Check the spelling, or log in."
        ) from None
    except (errors.RevisionNotFoundError, errors.EntryNotFoundError) as problem:
        if isinstance(problem, errors.LocalEntryNotFoundError):
            raise _unreachable(repo, problem) from None
        raise LabError(f"'{repo}' lacks a file that is needed.", "Choose another repository.") from None
    except errors.HfHubHTTPError as problem:
        status = problem.response.status_code
        if status == 409:
            raise LabError(f"'{repo}' is being changed by somebody else.", "Try again in a minute.") from None
        if status >= 500 or status == 429:
            raise Unreachable(f"The Hub fails on '{repo}' (error {status}).", "Try again in a minute.") from None
        raise LabError(
            f"The Hub refuses '{repo}' (error {status}).", "Check the id, and the token and its rights."
        ) from None
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise LabError("The disk is full: the download could not be saved.", "Make room and try again.") from None
        raise _unreachable(repo, problem) from None
    except Exception as problem:
        if any(base.__module__.split(".")[0] in NETWORK for base in type(problem).__mro__):
            raise _unreachable(repo, problem) from None
        raise


def offline() -> bool:
    """Whether the person asked for no network (HF_HUB_OFFLINE)."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON")


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None


def _api(token: str | None = None) -> Any:
    from huggingface_hub import HfApi

    return HfApi(endpoint=_endpoint(), token=token)


def _files(repo: str, kind: str) -> dict[str, int]:
    info = _api().repo_info(repo, repo_type=kind, timeout=PATIENCE, files_metadata=True)
    return {item.rfilename: item.size or 0 for item in info.siblings or ()}


def _heard(tick: Callable[[], None]) -> Any:
    """A progress bar that draws nothing and calls `tick` for what comes in."""
    from huggingface_hub.utils import tqdm

    class Heard(tqdm):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named | {"disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            tick()
            return super().update(n)

    return Heard


def _room(repo: str, size: int) -> None:
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE)
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if size > free:
        raise LabError(
            f"'{repo}' has {size / 1e9:.1f} GB, but the disk has only {free / 1e9:.1f} GB left.",
            "Make room, or set HF_HUB_CACHE to a folder on a larger disk.",
        )


def _has_config(repo: str, names: set[str]) -> None:
    if "config.json" in names:
        return
    if "adapter_config.json" in names:
        raise LabError(f"'{repo}' is an adapter, not a model.", "Choose the base that its page names.")
    raise LabError(f"'{repo}' has no config.json.", "Choose a model that transformers can load.")


def _has_weights(repo: str, names: set[str]) -> None:
    _has_config(repo, names)
    if any(name.startswith("model") and name.endswith(".safetensors") for name in names):
        return
    if any(name.endswith(PICKLES) for name in names):
        raise LabError(
            f"'{repo}' has no weights in the safetensors format.",
            "Its format can run code when opened; choose another repository, or convert it first.",
        )
    raise LabError(f"'{repo}' has no weights.", "Choose another repository.")


def _has_adapter(repo: str, names: set[str]) -> None:
    if "adapter_config.json" not in names:
        raise LabError(f"'{repo}' holds no adapter.", "Choose a repository with an adapter_config.json.")
    if "adapter_model.safetensors" not in names:
        raise LabError(
            f"The adapter '{repo}' is not in the safetensors format.", "Other formats can run code when opened."
        )


def _unreachable(repo: str, problem: BaseException | None = None) -> Unreachable:
    if problem is not None:
        log.info("hub: %s: %s: %s", repo, type(problem).__name__, problem)
    return Unreachable(f"The Hub does not answer, so '{repo}' cannot be fetched.", _hint())


def _hint() -> str:
    return "Check the network, or use what is embedded or on this computer."
