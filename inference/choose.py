"""Which engine answers, and why: the reading of ENGINE."""

import httpx

from core.errors import SettingsError
from core.settings import Settings
from inference.engine import EchoEngine, Engine, LibraryEngine
from inference.openai import OpenAIEngine


def choose(settings: Settings) -> Engine:
    """The engine that the settings ask for. Raises SettingsError when it cannot be had."""
    name = settings.engine
    if name == "echo":
        return EchoEngine(settings.echo_delay)
    if name == "library":
        return LibraryEngine()
    if name == "openai" or (name == "auto" and settings.openai_base_url):
        return _openai(settings)
    if name == "transformers":
        raise SettingsError(
            "ENGINE: this version has no in-process model. Serve the model with an "
            "OpenAI-compatible server and set OPENAI_BASE_URL, or use ENGINE=library"
        )
    return LibraryEngine("ENGINE=auto: no model server is set (OPENAI_BASE_URL)")


def _openai(settings: Settings) -> OpenAIEngine:
    if not settings.openai_base_url:
        raise SettingsError("OPENAI_BASE_URL: ENGINE=openai needs the address of a server")
    key = settings.openai_api_key.get_secret_value()
    try:
        return OpenAIEngine(settings.openai_base_url, settings.model, key)
    except httpx.InvalidURL as error:
        raise SettingsError(f"OPENAI_BASE_URL: {error}") from None
