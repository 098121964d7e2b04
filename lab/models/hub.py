"""The Hugging Face Hub: models, and a common way to say what went wrong with it.

Only safetensors, tokenizers and configurations are fetched; no code from a repository is ever run. Questions are
answered within ten seconds or refused. `HF_ENDPOINT` names another server.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.errors import LabError

log = logging.getLogger(__name__)

#: Seconds after which a question to the Hub is given up.
PATIENCE = 8.0

WANTED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")
ADAPTER = ("adapter_config.json", "adapter_model.safetensors", "README.md")


def _api(token: str | None = None) -> Any:
    from huggingface_hub import HfApi

    return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=token)


def offline() -> bool:
    """Whether the person asked for no network (HF_HUB_OFFLINE)."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON")


def check(repo: str, kind: str = "model") -> Any:
    """What the Hub knows of a repository. Raises LabError if there is none, it is gated, or nobody answers."""
    if offline():
        raise LabError(f"'{repo}' is on the Hub, and HF_HUB_OFFLINE forbids to ask there.", _local_hint(kind))
    with told(repo):
        return _api().repo_info(repo, repo_type=kind, timeout=PATIENCE)


def fetch_config(repo: str) -> Path:
    """The local folder that holds the model's config.json. Raises LabError."""
    return _fetch(repo, ("config.json",))


def resolve(repo: str) -> Path:
    """The local folder of the whole model, downloaded if it is not there yet. Raises LabError."""
    found = _fetch(repo, WANTED)
    if not any(found.glob("*.safetensors")):
        raise LabError(
            f"'{repo}' has no weights in the safetensors format.",
            "Other formats can run code when opened; choose another repository.",
        )
    return found


def fetch_adapter(repo: str) -> Path:
    """The local folder of an adapter on the Hub. Raises LabError."""
    found = _fetch(repo, ADAPTER)
    if not (found / "adapter_config.json").is_file():
        raise LabError(f"'{repo}' holds no adapter.", "Choose a repository with an adapter_config.json.")
    return found


def _fetch(repo: str, patterns: tuple[str, ...]) -> Path:
    from huggingface_hub import snapshot_download

    options: dict[str, Any] = {"allow_patterns": list(patterns), "endpoint": os.environ.get("HF_ENDPOINT") or None}
    try:
        info = check(repo)
    except LabError as problem:
        # What was fetched once serves without the network; a model that does not exist is not looked for.
        if not isinstance(problem, Unreachable) and not offline():
            raise
        try:
            return Path(snapshot_download(repo, local_files_only=True, **options))
        except Exception:
            raise problem from None
    with told(repo):
        return Path(snapshot_download(repo, revision=info.sha, etag_timeout=PATIENCE, **options))


def search_adapters(base: str, limit: int = 20) -> list[dict[str, Any]]:
    """Adapters of the model `base` on the Hub, the most downloaded first. Raises LabError."""
    if offline():
        raise LabError("The Hub cannot be searched: HF_HUB_OFFLINE forbids it.", "Unset it, or use your own runs.")
    import itertools

    with told(base):
        found = _api().list_models(filter=f"base_model:adapter:{base}", sort="downloads", limit=limit)
        return [
            {"id": item.id, "downloads": item.downloads or 0, "likes": item.likes or 0, "tags": list(item.tags or [])}
            for item in itertools.islice(found, limit)
        ]


def push(folder: Path, repo: str, token: str, private: bool = True) -> str:
    """Upload an adapter's folder; returns its address. Raises LabError."""
    with told(repo):
        api = _api(token)
        api.create_repo(repo, private=private, exist_ok=True)
        api.upload_folder(folder_path=str(folder), repo_id=repo, commit_message="Adapter from PEFT Lab")
        return f"{api.endpoint}/{repo}"


class Unreachable(LabError):
    """The Hub does not answer; what is in the cache may still serve."""


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
            raise Unreachable(*_unreachable(repo)) from None
        raise LabError(f"'{repo}' lacks a file that is needed.", "Choose another repository.") from None
    except errors.HfHubHTTPError as problem:
        status = getattr(problem.response, "status_code", 0)
        if status >= 500 or status == 429:
            raise Unreachable(f"The Hub answers with the error {status}.", "Try again in a minute.") from None
        raise LabError(f"The Hub refuses '{repo}' (error {status}).", "Check your token and the id.") from None
    except OSError as problem:
        if getattr(problem, "errno", None) == 28:
            raise LabError("The disk is full: the download could not be saved.", "Make room and try again.") from None
        log.info("hub: %s", problem)
        raise Unreachable(*_unreachable(repo)) from None
    except Exception as problem:
        if type(problem).__module__.split(".")[0] in ("httpx", "httpcore", "requests", "urllib3", "aiohttp"):
            raise Unreachable(*_unreachable(repo)) from None
        raise


def _unreachable(repo: str) -> tuple[str, str]:
    return f"The Hub does not answer, so '{repo}' cannot be fetched.", "Check the network, or use what is embedded."


def _local_hint(kind: str) -> str:
    return f"Use an embedded {'data set' if kind == 'dataset' else 'model'} or a local one, or unset it."
