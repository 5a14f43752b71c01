"""How releases are put on a running server, and what its list of models says.

Knows the endpoints of vLLM 0.3x (`VLLM_ALLOW_RUNTIME_LORA_UPDATING=True`, `--enable-lora`) and of
SGLang (`--enable-lora`), with the sentences they answer. Keeps nothing in mind.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import logs
from core.errors import EngineError, ReleaseUnusable
from inference.engine import Release
from inference.openai_wire import Wire

PROBE_SECONDS = 5.0
LOAD_SECONDS = 120.0
UNLOAD_SECONDS = 30.0
#: A name that is also a safe `model` and a safe file name; ":" parts base and adapter in SGLang.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_THERE = re.compile(r"already (?:been )?loaded", re.I)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The endpoints of one kind of server, and how a question names a release there."""

    name: str
    load: str
    unload: str
    model: str

    def model_of(self, base: str, release: str) -> str:
        """What stands in `model` for a release."""
        return self.model.format(base=base, release=release)


VLLM = Dialect("vllm", "/v1/load_lora_adapter", "/v1/unload_lora_adapter", "{release}")
SGLANG = Dialect("sglang", "/load_lora_adapter", "/unload_lora_adapter", "{base}:{release}")
DIALECTS = {dialect.name: dialect for dialect in (VLLM, SGLANG)}


@dataclass(frozen=True, slots=True)
class Models:
    """What /v1/models tells: the kind of server, names, adapters by name with path, room."""

    kind: str = ""
    names: tuple[str, ...] = ()
    adapters: Mapping[str, str] = field(default_factory=dict)
    room: int | None = None


def read_models(value: Any) -> Models:
    """The list of models, as far as it can be read."""
    entries = value.get("data") if isinstance(value, dict) else None
    found = [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    bases = [e for e in found if not e.get("parent")]
    rooms = [e["max_model_len"] for e in bases if isinstance(e.get("max_model_len"), int)]
    return Models(
        kind=str(bases[0].get("owned_by") or "") if bases else "",
        names=tuple(str(e.get("id")) for e in found),
        adapters={str(e.get("id")): _tidy(str(e.get("root"))) for e in found if e.get("parent")},
        room=rooms[0] if rooms else None,
    )


def probe(wire: Wire, kind: str) -> Dialect | None:
    """Whether a server takes releases while it runs: an empty order is refused (400, 422) where
    the endpoint exists, and unknown (404, 405) where it does not. Raises EngineError."""
    dialect = DIALECTS.get(kind)
    if dialect is None:
        return None
    order = {"lora_name": "", "lora_path": ""} if dialect is VLLM else {}
    status, _ = wire.call("POST", dialect.load, order, seconds=PROBE_SECONDS)
    return None if status in (404, 405, 501) else dialect


def path_of(release: Release, root: str) -> str:
    """Where the server sees a release. Raises ReleaseUnusable for a name or folder of no use."""
    if not _NAME.fullmatch(release.name):
        raise ReleaseUnusable(f"{release.name[:64]!r} cannot be the name of a release")
    if not release.folder:
        raise ReleaseUnusable(f"{release.name}: no folder is known for it")
    folder = Path(release.folder)
    return _tidy(f"{root.rstrip('/')}/{folder.name}" if root else str(folder.resolve()))


def load(wire: Wire, dialect: Dialect, name: str, path: str) -> str | None:
    """Load an adapter. Returns the path under which the server holds this name now, which is
    another when it held the name already; None: it held it, and does not say from where.

    Raises ReleaseUnusable with the server's reason, which quotes no person.
    """
    order = {"lora_name": name, "lora_path": path}
    try:
        status, value = wire.call("POST", dialect.load, order, seconds=LOAD_SECONDS)
    except EngineError as error:
        raise ReleaseUnusable(f"{name}: {wire.label}: {error}") from None
    if status == 200:
        return path
    words = _words(value)
    if status == 400 and _THERE.search(words):
        return _told(value, name) or _listed(wire).get(name)
    raise ReleaseUnusable(f"{name}: {wire.label} cannot load it: HTTP {status} {words}")


def unload(wire: Wire, dialect: Dialect, name: str) -> None:
    """Let an adapter go; one that is not there is gone. Raises EngineError."""
    order = {"lora_name": name}
    status, value = wire.call("POST", dialect.unload, order, seconds=UNLOAD_SECONDS)
    if status not in (200, 400, 404):
        raise EngineError(f"HTTP {status} {_words(value)}")


def _told(value: Any, name: str) -> str | None:
    """SGLang sends all its adapters back with every order."""
    told = value.get("loaded_adapters") if isinstance(value, dict) else None
    path = told.get(name) if isinstance(told, dict) else None
    return _tidy(path) if isinstance(path, str) else None


def _listed(wire: Wire) -> Mapping[str, str]:
    try:
        status, value = wire.call("GET", "/v1/models", seconds=PROBE_SECONDS)
    except EngineError as error:
        logs.crash("engine.list_failed", error, server=wire.label)
        return {}
    return read_models(value).adapters if status == 200 else {}


def _words(value: Any) -> str:
    if isinstance(value, dict):
        inner = value.get("error")
        value = value.get("error_message") or (inner if isinstance(inner, dict) else value)
    if isinstance(value, dict):
        value = value.get("message") or value.get("detail") or ""
    return " ".join(str(value).split())[:200]


def _tidy(path: str) -> str:
    return path.rstrip("/") or path
