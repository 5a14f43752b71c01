"""Running the service: everything in one process, or the web and the workers apart."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterable
from types import FrameType
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import click
from flask import Flask
from waitress.server import create_server

from bot import app as composition
from bot.app import App
from core import logs
from core.settings import Settings
from inference.engine import Engine, LibraryEngine
from storage import store
from storage.gate import Gate
from web.console import console
from web.pages import pages
from webhooks.factory import create_app

#: The most that a request's body may hold, as the routes have it.
MOST_BYTES = 1 << 20
#: Seconds until a busy thread lets another one in: at Python's 0.005, a request that meets busy
#: workers waits five times as long each time it comes back from the database.
SWITCH = 0.001
#: Workers give way to whoever receives on the same machine: a tenth of the weight when both want
#: the processor, all of it otherwise (man 7 sched).
NICE = 10


@click.command()
@click.pass_obj
def serve(settings: Settings) -> None:
    """Run everything in one process: page, webhooks or polling, workers, senders."""
    app = _build(settings)
    app.start_working()
    app.start_receiving()
    _listen(app)


@click.command()
@click.pass_obj
def web(settings: Settings) -> None:
    """Receive only: the page and the channels. Answers are made by `lafiya worker`."""
    # A model would lie here in memory and never be asked.
    app = _build(settings, LibraryEngine("answers are made by `lafiya worker`"))
    app.start_receiving()
    _listen(app)


@click.command()
@click.pass_obj
def worker(settings: Settings) -> None:
    """Answer and send only; any number of these, on any number of machines (PostgreSQL)."""
    # Before any thread is made: on Linux it holds for this one and those that it makes.
    os.nice(NICE)
    app = _build(settings)
    app.start_working()
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    click.echo(f"Working for {', '.join(sorted(app.channels))}. Stop with Ctrl-C.", err=True)
    done.wait()
    app.stop()


def web_app(app: App) -> Flask:
    """The Flask app with the routes that machines call and the pages that people open."""
    flask = create_app(app)
    flask.register_blueprint(pages(app))
    flask.register_blueprint(console(app))
    return flask


def _build(settings: Settings, engine: Engine | None = None) -> App:
    env_file = click.get_current_context().find_root().params.get("env_file")
    app = composition.build(settings, engine=engine, env_file=str(env_file or ""))
    store.migrate(app.store)
    status = app.mind.engine.status()
    logs.event("engine.chosen", engine=status.name, detail=status.detail)
    return app


def _listen(app: App) -> None:
    sys.setswitchinterval(SWITCH)
    settings = app.settings
    try:
        server = create_server(  # type: ignore[no-untyped-call]
            _before_others(web_app(app), app.store.gate),
            host=settings.host,
            port=settings.port,
            threads=settings.web_threads,
            ident="lafiya",
            clear_untrusted_proxy_headers=True,
            # waitress reads a body in whole before the app sees it, and by default to a gigabyte.
            max_request_body_size=MOST_BYTES,
            # A burst opens many connections; beyond the limit they would not even be heard.
            connection_limit=1000,
            asyncore_use_poll=True,
            **_proxy(settings),
        )
    except OSError as error:
        app.stop()
        raise click.ClickException(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
            "Set HOST or PORT, or stop what is using it."
        ) from None
    signal.signal(signal.SIGTERM, _leave)
    status = app.mind.engine.status()
    click.echo(
        f"Lafiya answers on http://{settings.host}:{_port(server, settings)}  "
        f"(engine: {status.name}, {status.detail}; channels: {', '.join(sorted(app.channels))})",
        err=True,
    )
    try:
        server.run()
    finally:
        server.close()
        app.stop()


def _proxy(settings: Settings) -> dict[str, object]:
    """Whom to believe about a caller's address: the page limits callers by it."""
    if not settings.trusted_proxy:
        return {}
    return {"trusted_proxy": settings.trusted_proxy, "trusted_proxy_headers": "x-forwarded-for"}


def _before_others(application: WSGIApplication, gate: Gate) -> WSGIApplication:
    """What is posted to us is taken in before workers and senders go on."""

    def call(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST":
            return application(environ, start)
        with gate.request():
            return application(environ, start)

    return call


def _port(server: object, settings: Settings) -> int:
    """The port really listened on (PORT=0 takes a free one)."""
    held = getattr(server, "socket", None)
    return held.getsockname()[1] if isinstance(held, socket.socket) else settings.port


def _leave(_number: int, _frame: FrameType | None) -> None:
    # waitress ends its loop on SystemExit and lets requests in hand finish.
    raise SystemExit(0)
