"""The Flask app and its manners: limits, headers, and errors of one line.

Knows nothing of what the routes do. Nobody who calls is ever shown a trace or a page of HTML.
"""

import json
import logging

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from core.errors import Forged, StoreError
from core.logs import crash, event
from webhooks import health, pictures, releases, telegram, twilio
from webhooks.service import Service

_MOST_BYTES = 1 << 20
_MOST_PARTS = 100
#: Telegram obeys it (up to an hour); Twilio repeats by its own rules.
_RETRY_AFTER = "2"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_app(service: Service) -> Flask:
    """The app that answers machines, over a running service."""
    app = Flask("webhooks", static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=_MOST_BYTES,
        MAX_FORM_MEMORY_SIZE=_MOST_BYTES,
        MAX_FORM_PARTS=_MOST_PARTS,
        PROPAGATE_EXCEPTIONS=False,
    )
    for room in (telegram, twilio, pictures, releases, health):
        app.register_blueprint(room.routes(service))
    app.register_error_handler(Forged, _forged)
    app.register_error_handler(StoreError, _store_down)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _unforeseen)
    app.after_request(_with_headers)
    return app


def _forged(error: Forged) -> Response:
    event("web.forged", level=logging.WARNING, route=_route(), reason=str(error))
    return _say(403, "forbidden")


def _store_down(error: StoreError) -> Response:
    event("web.store", level=logging.ERROR, route=_route(), error=type(error).__name__)
    response = _say(503, "try again")
    response.headers["Retry-After"] = _RETRY_AFTER
    return response


def _refused(error: HTTPException) -> Response:
    status = error.code or 500
    if status >= 400 and request.endpoint is not None:
        event("web.refused", level=logging.WARNING, route=_route(), status=status)
    response = error.get_response()
    response.data = json.dumps({"error": error.name.lower()})
    response.content_type = "application/json"
    return Response(response.data, status, response.headers)


def _unforeseen(error: Exception) -> Response:
    crash("web.crash", error, route=_route())
    return _say(500, "internal error")


def _say(status: int, words: str) -> Response:
    return Response(json.dumps({"error": words}), status, content_type="application/json")


def _route() -> str:
    """The route's own name: a path that somebody called may hold anything."""
    return request.endpoint or "none"


def _with_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
