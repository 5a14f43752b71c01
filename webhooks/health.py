"""What watches us: liveness, readiness with reasons, and metrics."""

import json

from flask import Blueprint, Response

from webhooks.service import Service

_METRICS = "text/plain; version=0.0.4; charset=utf-8"


def routes(service: Service) -> Blueprint:
    """GET /health/live, /health/ready and /metrics."""
    room = Blueprint("health", __name__)

    @room.get("/health/live")
    def live() -> Response:
        return _json({"alive": True}, 200)

    @room.get("/health/ready")
    def ready() -> Response:
        found = service.readiness()
        return _json(dict(found), 200 if found.get("ready") else 503)

    @room.get("/metrics")
    def metrics() -> Response:
        return Response(service.metrics_page(), content_type=_METRICS)

    return room


def _json(value: dict[str, object], status: int) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status, content_type="application/json")
