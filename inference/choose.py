"""Which engine answers, and why: the reading of ENGINE.

Knows what the settings ask for and what this machine has; builds the engine and says why it was
chosen. Looks at the machine cheaply: torch is imported only where there is a driver.
"""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from core import logs
from core.errors import SettingsError
from core.settings import Settings
from inference.aside import Aside
from inference.engine import (
    EchoEngine,
    Engine,
    EngineStatus,
    Generation,
    LibraryEngine,
    OnText,
    Release,
    Request,
)
from inference.openai import OpenAIEngine

#: What the extra `model` brings and ENGINE=transformers cannot do without.
NEEDED = ("torch", "transformers", "peft", "safetensors")
INSTALL = ".venv/bin/python -m pip install -c constraints.txt -e '.[model]'"
#: Where NVIDIA's driver shows itself: a device of its own, its report, or WSL's graphics device.
DRIVER_SIGNS = ("/dev/nvidia0", "/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg")


@dataclass(frozen=True, slots=True)
class Machine:
    """What this machine has: the packages that are missing, a driver, and a GPU that torch can use
    (its name; empty: none, and `trouble` may say why)."""

    missing: tuple[str, ...] = ()
    driver: bool = False
    gpu: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine to build, and why."""

    name: str
    why: str


def choose(settings: Settings, machine: Machine | None = None, *, aside: str = "") -> Engine:
    """The engine that the settings ask for; `machine` is looked at where it matters.

    `aside` is why a model in this process must not be loaded yet. Raises SettingsError when the
    engine cannot be had.
    """
    if machine is None:
        needed = settings.engine == "transformers" or (
            settings.engine == "auto" and not settings.openai_base_url
        )
        machine = look() if needed else Machine()
    choice = decide(settings.engine, settings.openai_base_url, machine)
    if choice.name == "echo":
        return EchoEngine(settings.echo_delay)
    if choice.name == "openai":
        return _openai(settings, choice.why)
    if choice.name == "transformers":
        return Explained(Aside(lambda: _transformers(settings), aside), choice.why)
    return LibraryEngine(choice.why)


def decide(engine: str, servers: str, machine: Machine) -> Choice:
    """The choice, from facts alone. Raises SettingsError when what is asked for cannot be had."""
    if engine == "openai" and not servers:
        raise SettingsError("OPENAI_BASE_URL: ENGINE=openai needs the address of a server")
    if engine == "transformers":
        if machine.missing:
            raise SettingsError(_lacking(machine))
        return Choice(engine, f"ENGINE=transformers, {_where(machine)}")
    if engine != "auto":
        return Choice(engine, f"ENGINE={engine}")
    return _automatic(servers, machine)


def look() -> Machine:
    """What this machine has."""
    missing = tuple(name for name in NEEDED if importlib.util.find_spec(name) is None)
    driver = any(Path(sign).exists() for sign in DRIVER_SIGNS)
    if missing or not driver:
        return Machine(missing, driver)
    gpu, trouble = _gpu()
    return Machine(missing, driver, gpu, trouble)


class Explained:
    """An engine whose status also says why it was chosen."""

    def __init__(self, engine: Engine, why: str) -> None:
        self.engine = engine
        self._why = why
        self.verbatim = engine.verbatim

    def status(self) -> EngineStatus:
        """The engine's own, with the reason in front."""
        status = self.engine.status()
        detail = f"{self._why}; {status.detail}" if status.detail else self._why
        return replace(status, detail=detail)

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        """As the engine does."""
        return self.engine.generate(request, on_text)

    def load(self, release: Release) -> None:
        """As the engine does. Raises ReleaseUnusable."""
        self.engine.load(release)

    def activate(self, release: Release) -> None:
        """As the engine does. Raises ReleaseUnusable."""
        self.engine.activate(release)

    def close(self) -> None:
        """As the engine does."""
        self.engine.close()

    def __getattr__(self, name: str) -> Any:
        """Whatever else the engine can do."""
        return getattr(self.engine, name)


def _automatic(servers: str, machine: Machine) -> Choice:
    if servers:
        # Whoever names a server means it; a GPU here may be meant for training.
        return Choice("openai", "ENGINE=auto: OPENAI_BASE_URL is set")
    if machine.gpu:
        return Choice("transformers", f"ENGINE=auto: {machine.gpu}")
    if machine.driver and machine.missing:
        return Choice("library", f"ENGINE=auto: a GPU is here, but not its software ({INSTALL})")
    if machine.driver:
        return Choice("library", f"ENGINE=auto: the GPU cannot be used ({machine.trouble})")
    return Choice("library", "ENGINE=auto: no model server is set (OPENAI_BASE_URL), no GPU found")


def _where(machine: Machine) -> str:
    if machine.gpu:
        return machine.gpu
    reason = f" ({machine.trouble})" if machine.trouble else ""
    return f"no GPU that can be used{reason}: on the CPU, slow"


def _lacking(machine: Machine) -> str:
    names = ", ".join(machine.missing)
    return (
        f"ENGINE: transformers needs packages that are not installed ({names}). "
        f"Run {INSTALL}, or use ENGINE=library"
    )


def _gpu() -> tuple[str, str]:
    """The first GPU's name, or why there is none that torch can use."""
    try:
        import torch

        if not torch.cuda.is_available():
            built = torch.version.cuda
            return "", "torch finds no GPU" if built else "this torch is built without CUDA"
        return str(torch.cuda.get_device_name(0)), ""
    except Exception as error:  # a broken driver or torch raises anything; the bot must start
        logs.crash("engine.gpu_unusable", error)
        return "", f"{type(error).__name__}"


def _openai(settings: Settings, why: str) -> OpenAIEngine:
    with _addresses():
        return OpenAIEngine(
            settings.openai_base_url,
            settings.model,
            settings.openai_api_key.get_secret_value(),
            lora=settings.openai_lora,
            lora_root=settings.openai_lora_root,
            why=why,
        )


@contextmanager
def _addresses() -> Iterator[None]:
    try:
        yield
    except httpx.InvalidURL as error:
        raise SettingsError(f"OPENAI_BASE_URL: {error}") from None


def _transformers(settings: Settings) -> Engine:
    from inference.gemma.engine import TransformersEngine

    return TransformersEngine(
        settings.model,
        quantize=settings.quantize,
        dtype=settings.dtype,
        cache_gb=settings.cache_gb,
        running=settings.engine_running,
        waiting=settings.engine_waiting,
        demo=settings.demo,
    )
