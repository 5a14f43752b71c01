"""The public chat page: what a person opens, and what its script calls.

Whoever holds a session's token reads its conversation: the token travels in a header or a form,
never in an address, and no cookie exists, so no other site can speak for a person.
"""

import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, g, redirect, request
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as BaseResponse

from bot.channels.web import identity
from core.errors import StoreError
from core.logs import crash, event
from web import incoming, manners
from web.desk import Desk
from web.flood import Flood
from web.incoming import Refused
from web.service import Service
from web.views import Talk, Views, language, new_id, new_talk, shown_json

MOST_BYTES = 64 * 1024
STATIC = Path(__file__).parent / "static"
_FILE = "attachment; filename=lafiya.json"


def pages(
    service: Service,
    *,
    flood: Flood | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Blueprint:
    """All public pages over a running service: register it on the app of `webhooks.factory`."""
    room = Blueprint(
        "pages",
        __name__,
        static_folder="static",
        static_url_path="/static",
        template_folder="templates",
    )
    views = Views(service, manners.addresses(STATIC))
    desk = Desk(service, Flood() if flood is None else flood, clock, sleep)
    room.before_app_request(_prepare)
    room.after_request(manners.dressed)
    _add_pages(room, service, views, desk)
    _add_api(room, service, views, desk)
    _add_errors(room, views)
    return room


def _add_pages(room: Blueprint, service: Service, views: Views, desk: Desk) -> None:
    @room.get("/")
    def page() -> str:
        return views.chat(new_talk())

    @room.get("/ask")
    def asked() -> BaseResponse:
        return redirect("/", 303)

    @room.post("/ask")
    def ask() -> tuple[str, int]:
        fields = request.form
        g.lang = language(fields.get("lang"))
        unsent = fields.get("text", "")
        token, number = incoming.session(fields.get("session")), fields.get("id", "")
        try:
            message = incoming.form(fields)
            if message is not None:
                desk.take(message, _address())
                unsent = "" if message.text == unsent.strip() else unsent
                number = new_id()
            return views.chat(_answered(desk, Talk(token, number, unsent=unsent))), 200
        except (Refused, StoreError) as error:
            status, sentence = _noted(error, views)
            return views.chat(Talk(token, number, problem=sentence, unsent=unsent)), status

    @room.get("/data/<token>")
    def data(token: str) -> Response:
        found = service.data(token)
        if found is None:
            return Response(views.sentence(views.say("link-expired")), 410)
        response = Response(found, content_type="application/json")
        response.headers["Content-Disposition"] = _FILE
        return response


def _answered(desk: Desk, talk: Talk) -> Talk:
    who = identity(talk.session)
    desk.linger(who)
    found = desk.talk(who, 0)
    return replace(talk, asked=True, history=found["history"], waiting=found["waiting"])


def _add_api(room: Blueprint, service: Service, views: Views, desk: Desk) -> None:
    @room.post("/api/messages")
    def send() -> tuple[dict[str, Any], int]:
        desk.take(incoming.message(_session(), _json()), _address())
        return {"ok": True}, 202

    @room.get("/api/messages")
    def read() -> dict[str, Any]:
        found = desk.talk(identity(_session()), incoming.after(request.args.get("after")))
        messages = [shown_json(shown) for shown in found["history"]]
        return {"messages": messages, "waiting": found["waiting"], "draft": found["draft"]}

    @room.get("/api/state")
    def state() -> dict[str, Any]:
        known = service.readiness()
        ready = bool(known.get("ready"))
        return {"engine": known.get("engine"), "ready": ready, "label": views.engine()}


def _add_errors(room: Blueprint, views: Views) -> None:
    def failed(error: Exception) -> Response:
        return _told(views, *views.trouble(error), getattr(error, "after", 0.0), error)

    def refused(error: HTTPException) -> Response:
        too_big = error.code == 413
        return failed(Refused("too-long" if too_big else "page-unreadable", error.code or 400))

    def missing(error: NotFound) -> Response:
        page = manners.dressed(Response(views.sentence(views.say("page-missing")), 404))
        if "text/html" in request.headers.get("Accept", ""):
            return page
        return Response('{"error": "not found"}', 404, content_type="application/json")

    room.register_error_handler(Exception, failed)
    room.register_error_handler(HTTPException, refused)
    room.app_errorhandler(404)(missing)


def _told(
    views: Views, status: int, key: str, sentence: str, after: float, error: Exception
) -> Response:
    """An error as the caller can read it: JSON for the script, a page for a person."""
    _log(status, key, error)
    if request.path.startswith("/api/"):
        body = json.dumps({"error": key, "sentence": sentence}, ensure_ascii=False)
        response = Response(body, status, content_type="application/json")
    else:
        response = Response(views.sentence(sentence), status)
    if status in (429, 503):
        response.headers["Retry-After"] = str(max(1, math.ceil(after)))
    return response


def _noted(error: Exception, views: Views) -> tuple[int, str]:
    status, key, sentence = views.trouble(error)
    _log(status, key, error)
    return status, sentence


def _log(status: int, key: str, error: Exception) -> None:
    route = request.endpoint or "none"
    if status == 500:
        crash("page.crash", error, route=route)
    else:
        event("page.refused", level=logging.WARNING, route=route, status=status, reason=key)


def _prepare() -> None:
    """Before every request of the app: the language, for a page that does not exist too."""
    g.lang = language(request.args.get("lang"))
    if request.blueprint == "pages":
        request.max_content_length = MOST_BYTES


def _session() -> str:
    return incoming.session(request.headers.get("X-Session"))


def _address() -> str:
    return request.remote_addr or ""


def _json() -> Any:
    return incoming.json_object(request.is_json, request.get_data(cache=False))
