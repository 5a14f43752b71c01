"""The console's routes: a way in by a link from chat, what it shows, and the orders it takes.

Every request is looked at anew: a session, and for a change the key that only our own page knows
and a body that no form of another site can send. Who may do what is decided in `bot`.
"""

import hmac
import json
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from bot.access import SESSION, Visitor
from bot.console import CHOICE_ROOM, Done
from core.logs import crash, event
from web import incoming, manners
from web.console_views import ConsoleViews
from web.errands import Errands
from web.flood import Flood
from web.incoming import Refused
from web.pages import STATIC
from web.service import ConsoleService
from web.views import language

COOKIE, PATH = "lafiya_console", "/console"
KEY_HEADER = "X-Console-Key"
MOST_BYTES = 16 * 1024
T = TypeVar("T")


def console(
    service: ConsoleService,
    *,
    flood: Flood | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Blueprint:
    """The console over a running service: register it beside the public pages."""
    room = Blueprint("console", __name__, template_folder="templates")
    views = ConsoleViews(service, manners.addresses(STATIC))
    room.before_request(_prepare)
    room.after_request(manners.dressed)
    # One knock every other second: whoever guesses a link would need some ages.
    _add_door(room, service, views, flood or Flood(burst=10, per_second=0.5), clock)
    _add_views(room, service, views)
    _add_orders(room, service, views)
    _add_errors(room, views)
    return room


def _add_door(
    room: Blueprint,
    service: ConsoleService,
    views: ConsoleViews,
    flood: Flood,
    clock: Callable[[], float],
) -> None:
    @room.get(PATH)
    def page() -> tuple[str, int]:
        visitor = _session(service)
        return (views.page(visitor.key), 200) if visitor else (views.entrance(), 403)

    @room.post(f"{PATH}/enter")
    def enter() -> Response:
        wait = flood.wait(request.remote_addr or "", clock())
        if wait:
            raise Refused("page-too-many", 429, after=wait)
        session = service.console.enter(incoming.words(_body(), "token", 512))
        if session is None:
            raise Refused("console-link-dead", 403)
        return _with_session(service, session, SESSION)

    @room.post(f"{PATH}/leave")
    def leave() -> Response:
        _changing(service)
        return _with_session(service, "", 0)


def _add_views(room: Blueprint, service: ConsoleService, views: ConsoleViews) -> None:
    @room.get(f"{PATH}/state")
    def state() -> dict[str, Any]:
        _visitor(service)
        return views.state(service.console.overview(g.lang), service.readiness())

    @room.get(f"{PATH}/runs/<name>")
    def run(name: str) -> dict[str, Any]:
        _visitor(service)
        return _known(service.console.run(incoming.name(name), g.lang))

    @room.get(f"{PATH}/releases/<name>")
    def release(name: str) -> tuple[str, int]:
        if _session(service) is None:
            return views.entrance(), 403
        found = _known(service.console.release(incoming.name(name), g.lang))
        return views.release(name, found), 200

    @room.get(f"{PATH}/releases/<name>/picture.png")
    def picture(name: str) -> Response:
        _visitor(service)
        found = _known(service.console.picture(incoming.name(name)))
        return Response(found, content_type="image/png")


def _add_orders(room: Blueprint, service: ConsoleService, views: ConsoleViews) -> None:
    errands: Errands[Done] = Errands()

    @room.post(f"{PATH}/orders")
    def order() -> tuple[dict[str, Any], int]:
        visitor, body = _changing(service)
        spoken = g.lang
        text = incoming.words(body, "text", incoming.LONGEST)
        choice = incoming.words(body, "choice", CHOICE_ROOM)

        def obey() -> Done:
            done = service.console.order(visitor, spoken, text, choice)
            if done is None:
                raise Refused("console-unknown")
            return done

        return {"order": errands.begin(visitor.actor, obey)}, 202

    @room.post(f"{PATH}/answers")
    def answers() -> dict[str, Any]:
        # Posted like an order: to look is audited, and no address may bring it about.
        visitor, _ = _changing(service)
        return {"answers": service.console.answers(visitor, g.lang)}

    @room.get(f"{PATH}/orders/<number>")
    def ended(number: str) -> dict[str, Any]:
        done = errands.end(_visitor(service).actor, number)
        return {"done": False} if done is None else views.done(done)


def _add_errors(room: Blueprint, views: ConsoleViews) -> None:
    def failed(error: Exception) -> Response:
        status, key, sentence = views.trouble(error)
        _log(status, key, error)
        if "text/html" in request.headers.get("Accept", ""):
            return Response(views.sentence(sentence), status)
        body = json.dumps({"error": key, "sentence": sentence}, ensure_ascii=False)
        response = Response(body, status, content_type="application/json")
        after = getattr(error, "after", 0.0)
        if status in (429, 503):
            response.headers["Retry-After"] = str(max(1, round(after)))
        return response

    def refused(error: HTTPException) -> Response:
        return failed(Refused("page-unreadable", error.code or 400))

    room.register_error_handler(Exception, failed)
    room.register_error_handler(HTTPException, refused)


def _log(status: int, key: str, error: Exception) -> None:
    route = request.endpoint or "none"
    if status == 500:
        crash("console.crash", error, route=route)
    else:
        event("console.refused", level=logging.WARNING, route=route, status=status, reason=key)


def _prepare() -> None:
    g.lang = language(request.args.get("lang"))
    request.max_content_length = MOST_BYTES


def _known(found: T | None) -> T:
    if found is None:
        raise Refused("page-missing", 404)
    return found


def _session(service: ConsoleService) -> Visitor | None:
    return service.console.visitor(request.cookies.get(COOKIE, ""))


def _visitor(service: ConsoleService) -> Visitor:
    """Who asks. Raises Refused: nobody who may."""
    visitor = _session(service)
    if visitor is None:
        raise Refused("console-closed", 403)
    return visitor


def _changing(service: ConsoleService) -> tuple[Visitor, Any]:
    """Who orders from our own page, and what. Raises Refused."""
    visitor, body = _visitor(service), _body()
    given = request.headers.get(KEY_HEADER, "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), visitor.key.encode()):
        raise Refused("console-closed", 403)
    return visitor, body


def _body() -> Any:
    """A JSON object, from our own page: a form of another site cannot send one. Raises Refused."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise Refused("console-closed", 403)
    return incoming.json_object(request.is_json, request.get_data(cache=False))


def _with_session(service: ConsoleService, session: str, seconds: float) -> Response:
    response = Response("{}", content_type="application/json")
    response.set_cookie(
        COOKIE,
        session,
        max_age=int(seconds),
        path=PATH,
        secure=service.console.access.secure,
        httponly=True,
        samesite="Strict",
    )
    return response
