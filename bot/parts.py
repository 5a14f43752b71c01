"""The parts of the service that settings name: what answers, and the channels.

Used by the composition root, and by commands that need a mind without a service.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from bot import report
from bot.channels.base import Channel
from bot.channels.telegram import TelegramChannel
from bot.channels.twilio import TwilioChannel
from bot.channels.web import WebChannel
from bot.commands import MENU
from bot.guard import Guard
from bot.mind import Mind, Policy
from bot.texts import Texts
from core.settings import Settings
from inference.engine import Engine, Sampling
from knowledge.facilities import Facilities
from knowledge.language import Detector
from knowledge.library import Library
from knowledge.referral import Referral
from knowledge.rerank import Reranked, Reranker
from knowledge.triage import Triage
from storage.store import Store


def make_mind(
    settings: Settings,
    engine: Engine,
    texts: Texts,
    database: Store | None = None,
    channels: Mapping[str, Channel] | None = None,
) -> Mind:
    """What answers: without a database too, as `lafiya ask` does. Raises LibraryError."""
    detector = Detector.load()
    library = _library(settings)
    triage = Triage.load()

    def told(language: str) -> str:
        counts = {"topics": len(library.topics), "signs": len(triage.signs)}
        return report.status(texts, language, engine, database, channels or {}, counts)

    return Mind(
        triage=triage,
        library=library,
        detector=detector,
        referral=Referral.load(),
        guard=Guard.load(detector),
        engine=engine,
        texts=texts,
        policy=Policy(
            library_direct=settings.library_direct,
            ask_consent=settings.consent == "required",
            rate_limit=settings.rate_limit,
            deadline=settings.engine_deadline,
        ),
        report=told,
        sampling=sampling(settings),
        facilities=_facilities(settings),
    )


def sampling(settings: Settings) -> Callable[[], Sampling]:
    """How words are drawn while no admin says otherwise."""
    usual = Sampling(settings.temperature, settings.max_tokens, settings.top_p, settings.top_k)
    return lambda: usual


def _library(settings: Settings) -> Library | Reranked:
    library = Library.load(reviewed_only=settings.library_reviewed_only)
    if not settings.rerank_model:
        return library

    def embedder() -> Reranker:
        # torch is not there in a light installation, and takes seconds where it is.
        from inference.gemma.embed import Embedder

        return Embedder.load(settings.rerank_model)

    return Reranked(library, embedder)


def _facilities(settings: Settings) -> Facilities:
    return Facilities.load(Path(settings.facilities)) if settings.facilities else Facilities.none()


def make_channels(settings: Settings, texts: Texts) -> dict[str, Channel]:
    """The page, and the messengers that have a token."""
    channels: dict[str, Channel] = {"web": WebChannel()}
    token = settings.telegram_bot_token.get_secret_value()
    if token:
        channels["telegram"] = TelegramChannel(
            token,
            api_base=settings.telegram_api_base,
            public_url=settings.public_url,
            secret=settings.webhook_secret(),
            timeout=settings.send_timeout,
            menu=[(word, texts(f"menu-{word}")) for word in MENU],
        )
    if settings.twilio_account_sid:
        channels["whatsapp"] = TwilioChannel(
            settings.twilio_account_sid,
            settings.twilio_auth_token.get_secret_value(),
            settings.twilio_whatsapp_from,
            api_base=settings.twilio_api_base,
            public_url=settings.public_url,
            template_sid=settings.twilio_template_sid,
            timeout=settings.send_timeout,
        )
    return channels


def data_folder(settings: Settings) -> Path | None:
    """The folder of an SQLite database, for the disk check; None for another database."""
    if not settings.database_url.startswith("sqlite:///"):
        return None
    return Path(settings.database_url.removeprefix("sqlite:///")).parent
