"""Every setting of the service: its name in the environment, default, meaning and check.

Knows nothing of who uses a setting. `.env.example` is written from this file and tested against it.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from core.errors import SettingsError

_ADMIN = re.compile(r"telegram:-?\d{1,19}|whatsapp:\+\d{7,15}")
EngineName = Literal["auto", "library", "transformers", "openai", "echo"]


class Settings(BaseModel):
    """The settings, checked once at start. Secrets never show in a repr or a log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str = Field(
        "sqlite:///data/lafiya.db",
        description="SQLAlchemy URL; for PostgreSQL postgresql://user:password@host/name",
    )
    host: str = Field("127.0.0.1", description="address that `lafiya serve` listens on")
    port: int = Field(8080, ge=0, le=65535, description="port that `lafiya serve` listens on")
    public_url: str = Field(
        "",
        description="https address that Telegram and Twilio reach us at; signatures are checked "
        "against it. Empty: Telegram is polled",
    )
    trusted_proxy: str = Field(
        "",
        description="address of the reverse proxy in front of us, such as 127.0.0.1: its "
        "X-Forwarded-For says who calls",
    )
    telegram_bot_token: SecretStr = Field(
        SecretStr(""), description="from @BotFather; empty: Telegram is off"
    )
    telegram_webhook_secret: SecretStr = Field(
        SecretStr(""),
        description="secret header of the Telegram webhook (A-Z a-z 0-9 _ -); "
        "empty: derived from the token",
    )
    telegram_api_base: str = Field("https://api.telegram.org", description="Bot API address")
    twilio_account_sid: str = Field("", description="AC...; empty: WhatsApp is off")
    twilio_auth_token: SecretStr = Field(SecretStr(""), description="Twilio's auth token")
    twilio_whatsapp_from: str = Field("", description="our WhatsApp sender, such as +14155238886")
    twilio_api_base: str = Field("https://api.twilio.com", description="Twilio API address")
    twilio_template_sid: str = Field(
        "", description="HX... template for a first message outside WhatsApp's 24-hour window"
    )
    engine: EngineName = Field(
        "auto",
        description="auto, library, transformers, openai, or echo (repeats the question: tests)",
    )
    echo_delay: float = Field(
        0.0, ge=0, le=600, description="seconds that ENGINE=echo takes for an answer"
    )
    model: str = Field("unsloth/gemma-3-4b-it", description="hub id or folder of the base model")
    quantize: Literal["none", "8bit", "4bit"] = Field(
        "none",
        description="ENGINE=transformers: weights as 8bit or 4bit take less memory (bitsandbytes; "
        "on a CPU much more time)",
    )
    dtype: Literal["native", "float32", "bfloat16"] = Field(
        "native",
        description="numbers that ENGINE=transformers computes with; native: bfloat16 where the "
        "machine has it, for half the memory and time on a CPU, else float32",
    )
    cache_gb: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="memory of ENGINE=transformers for what is being written; 0: chosen from what "
        "is free",
    )
    engine_running: int = Field(
        32, ge=1, le=1024, description="answers that ENGINE=transformers writes at once"
    )
    engine_waiting: int = Field(
        64, ge=0, le=10_000, description="questions that may wait for it; more are refused at once"
    )
    demo: bool = Field(
        False, description="true: serve a demonstration model, whose weights are random"
    )
    openai_base_url: str = Field(
        "",
        description="OpenAI-compatible server for ENGINE=openai; several with commas between: "
        "one that is down is passed over",
    )
    openai_api_key: SecretStr = Field(SecretStr(""), description="its key, if it wants one")
    openai_lora: Literal["auto", "none", "vllm", "sglang"] = Field(
        "auto",
        description="how the server takes releases while it runs: vllm, sglang, none, "
        "or auto (ask it)",
    )
    openai_lora_root: str = Field(
        "",
        description="folder under which the server sees the releases; empty: the path we have",
    )
    engine_deadline: float = Field(
        60.0, gt=0, le=600, description="seconds that a model may take before the fallback answers"
    )
    temperature: float = Field(
        0.2, ge=0, le=2, description="how freely a model draws its words; 0: always the likeliest"
    )
    max_tokens: int = Field(400, ge=1, le=500, description="tokens of a model's longest answer")
    top_p: float = Field(
        0.9, ge=0.05, le=1, description="draw from the likeliest words with this share in all"
    )
    top_k: int = Field(40, ge=1, le=1000, description="draw from so many of the likeliest words")
    memory_turns: int = Field(
        6, ge=0, le=50, description="earlier messages of a conversation that the model is shown"
    )
    library_direct: bool = Field(
        True,
        description="answer word for word from the library when the match is certain; "
        "false: passages only ground the model",
    )
    library_reviewed_only: bool = Field(
        False, description="serve only library entries that a clinician has signed"
    )
    rerank_model: str = Field(
        "",
        description="folder or hub id of a sentence-embedding model that helps to order what the "
        "library is unsure of; empty: words alone do",
    )
    facilities: str = Field(
        "",
        description="CSV of health facilities by state and local government, as docs/facilities.md "
        "says; empty: none is named",
    )
    admins: str = Field(
        "", description="who runs the bot, such as telegram:12345,whatsapp:+2348012345678"
    )
    consent: Literal["required", "notice"] = Field(
        "required",
        description="required: ask before the first ordinary answer; notice: answer and tell",
    )
    rate_limit: int = Field(
        20, ge=1, le=10_000, description="messages a person may send in a minute"
    )
    data_key: SecretStr = Field(
        SecretStr(""),
        description="encrypts bodies, names and addresses at rest (any long secret; keep a copy: "
        "without it the data is lost)",
    )
    workers: int = Field(
        4, ge=1, le=64, description="ordinary answers made at once; one more is for danger signs"
    )
    senders: int = Field(8, ge=1, le=64, description="replies being sent at once")
    web_threads: int = Field(8, ge=2, le=64, description="web requests served at once")
    lease_seconds: float = Field(
        12.0, ge=1, le=3600, description="after this a job of a dead worker is taken over"
    )
    send_timeout: float = Field(
        10.0, gt=0, le=60, description="seconds to wait for a provider's answer"
    )
    reply_hours: float = Field(
        24.0, gt=0, le=72, description="how long an undeliverable reply is tried"
    )
    retention_days: int = Field(
        365, ge=0, le=3650, description="conversations older than this are deleted; 0: kept"
    )
    runs: str = Field("data/runs", description="folder of training runs")
    share_gpu: Literal["auto", "yes", "no"] = Field(
        "auto",
        description="train beside the model that answers; no: it steps aside and the library "
        "answers; auto: when the GPU's free memory is too little for the run",
    )
    gate: str = Field(
        "", description="YAML file with limits of the release gate; empty: the built-in ones"
    )
    evaluate_rows: int = Field(
        200, ge=1, le=100_000, description="held-out conversations that a loss is measured on"
    )
    releases: str = Field(
        "data/releases",
        description="where releases and the reports on them lie: a folder, or a URL that fsspec "
        "opens (s3://, gs://, hf://)",
    )
    releases_cache: str = Field(
        "data/releases-cache", description="local copies of releases that lie at a URL"
    )
    exports: str = Field(
        "data/exports",
        description="folder of releases that were exported; shared by all machines, if links to "
        "them are given out",
    )
    llama_cpp: str = Field(
        "",
        description="folder of llama.cpp with its convert_hf_to_gguf.py, for GGUF exports; empty: "
        "the one that Unsloth keeps",
    )
    hf_token: SecretStr = Field(
        SecretStr(""), description="Hugging Face token that may write, for pushing releases"
    )
    hf_endpoint: str = Field(
        "https://huggingface.co", description="hub that releases are pushed to"
    )
    approvals: int = Field(
        1, ge=1, le=2, description="how many admins must agree before a release goes live"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="how much the log says"
    )
    log_format: Literal["json", "text"] = Field("json", description="json lines, or plain text")

    @field_validator("public_url", "telegram_api_base", "twilio_api_base", "hf_endpoint")
    @classmethod
    def _address(cls, value: str) -> str:
        return _check_address(value)

    @field_validator("openai_base_url")
    @classmethod
    def _addresses(cls, value: str) -> str:
        parts = (part.strip() for part in value.split(","))
        return ",".join(_check_address(part) for part in parts if part)

    @field_validator("database_url")
    @classmethod
    def _driver(cls, value: str) -> str:
        for short in ("postgres://", "postgresql://"):
            if value.startswith(short):
                value = "postgresql+psycopg://" + value.removeprefix(short)
        if value.startswith("postgresql"):
            # A password may hold any sign: only what follows it is a host and port.
            _check_port("//" + value.partition("://")[2].rpartition("@")[2])
        if not value.startswith(("sqlite://", "postgresql+psycopg://")):
            raise ValueError("must be a sqlite:// or postgresql:// URL")
        return value

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _header_safe(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and (len(text) > 256 or not text.replace("-", "").replace("_", "").isalnum()):
            raise ValueError("use 1 to 256 of A-Z a-z 0-9 _ -")
        return value

    @field_validator("admins")
    @classmethod
    def _admins(cls, value: str) -> str:
        for entry in filter(None, (part.strip() for part in value.split(","))):
            if not _ADMIN.fullmatch(entry):
                raise ValueError("write telegram:ID or whatsapp:+NUMBER, separated by commas")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.twilio_account_sid:
            if not self.twilio_auth_token.get_secret_value():
                raise ValueError("TWILIO_AUTH_TOKEN is needed beside TWILIO_ACCOUNT_SID")
            if not self.twilio_whatsapp_from:
                raise ValueError("TWILIO_WHATSAPP_FROM is needed beside TWILIO_ACCOUNT_SID")
        return self

    def admin_list(self) -> tuple[tuple[str, str], ...]:
        """The admins as (channel, address) pairs."""
        parts = (part.strip() for part in self.admins.split(","))
        return tuple((c, a) for c, _, a in (p.partition(":") for p in parts if p))

    def address(self) -> str:
        """Where people's browsers reach the pages."""
        return self.public_url or f"http://{self.host}:{self.port}"

    def webhook_secret(self) -> str:
        """The secret that Telegram sends with every webhook: the one set, or one from the token."""
        chosen = self.telegram_webhook_secret.get_secret_value()
        token = self.telegram_bot_token.get_secret_value()
        return chosen or hmac.new(token.encode(), b"lafiya webhook", hashlib.sha256).hexdigest()


def load_settings(environ: Mapping[str, str], dotenv: Path | None = None) -> Settings:
    """The settings from the environment, then from a `.env` file for what it leaves open.

    Raises SettingsError naming each wrong setting and what is wrong with it.
    """
    found: dict[str, str | None] = dict(dotenv_values(dotenv)) if dotenv else {}
    # An empty variable leaves a setting open: compose files pass on what nobody has set.
    found.update({name: value for name, value in environ.items() if value.strip()})
    names = set(Settings.model_fields)
    given = {k.lower(): v.strip() for k, v in found.items() if v and k.lower() in names}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(error))) from None


def _check_address(value: str) -> str:
    if value and urlsplit(value).scheme not in ("http", "https"):
        raise ValueError("must start with http:// or https://")
    _check_port(value)
    return value.rstrip("/")


def _check_port(address: str) -> None:
    try:
        _ = urlsplit(address).port
    except ValueError:
        raise ValueError("the port must be a number up to 65535") from None


def _explain(error: ValidationError) -> list[str]:
    lines = []
    for item in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in item["loc"]).upper()
        message = item["msg"].removeprefix("Value error, ")
        lines.append(f"{name}: {message}" if name else message)
    return lines
