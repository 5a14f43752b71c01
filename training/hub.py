"""The Hugging Face hub as a place to push to: a small port, and the real thing behind it.

The token comes from the settings, goes into a header, and is in no log, no argument and no error.
"""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from core.errors import EngineAbsent, SettingsError

#: Where a token comes from.
TOKENS = "https://huggingface.co/settings/tokens"


class Hub(Protocol):
    """What a push needs."""

    def push(self, folder: Path, repo: str, *, public: bool, message: str) -> str:
        """Make a repository if there is none, and put a folder's files into it; its address.

        `repo` is owner/name, or a name alone for the token's owner. Raises SettingsError (the token
        or the name is refused; the repository is public and the push is not), EngineAbsent (the
        hub cannot be reached).
        """


@dataclass(frozen=True, slots=True)
class HuggingFace:
    """The hub at an address, with somebody's token."""

    endpoint: str
    token: SecretStr

    def push(self, folder: Path, repo: str, *, public: bool, message: str) -> str:
        """As `Hub.push`. A repository that is there keeps its visibility, which must be the one."""
        token = self.token.get_secret_value()
        if not token:
            raise SettingsError(f"HF_TOKEN is not set: make a token that may write at {TOKENS}")
        try:
            hub: Any = importlib.import_module("huggingface_hub")
        except ImportError:
            raise SettingsError("pushing needs: .venv/bin/pip install -e '.[train]'") from None
        api = hub.HfApi(endpoint=self.endpoint, token=token, library_name="lafiya")
        hub.utils.disable_progress_bars()
        try:
            wanted = "public" if public else "private"
            made = api.create_repo(repo, visibility=wanted, exist_ok=True)
            if not public and not api.repo_info(made.repo_id).private:
                raise SettingsError(
                    f"{made.repo_id} is public, and this push is not: choose another repository"
                )
            api.upload_folder(repo_id=made.repo_id, folder_path=folder, commit_message=message)
        except SettingsError:
            raise
        except Exception as error:
            known = _named(hub.errors, repo, error)
            if known is None:
                raise
            raise known from None
        return f"{self.endpoint}/{made.repo_id}"


def _named(errors: Any, repo: str, error: Exception) -> SettingsError | EngineAbsent | None:
    """The hub's refusal as a sentence that says what to do; its own words may repeat a header."""
    if isinstance(error, errors.HFValidationError):
        return SettingsError(f"{repo!r} is no name of a repository: write owner/name")
    if isinstance(error, errors.HfHubHTTPError):
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            return SettingsError(
                f"the hub refused HF_TOKEN for {repo}: it must be allowed to write there ({TOKENS})"
            )
        return EngineAbsent(f"the hub answered {status} for {repo}: try again later")
    httpx = importlib.import_module("httpx")
    if isinstance(error, httpx.TransportError | OSError):
        return EngineAbsent("the hub cannot be reached: connect, and order it again")
    return None
