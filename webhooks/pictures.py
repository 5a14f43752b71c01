"""Where a provider fetches the picture of a reply: a signed link, good for a few hours."""

from flask import Blueprint, Response, abort

from webhooks.service import Service


def routes(service: Service) -> Blueprint:
    """GET /pictures/<token>."""
    room = Blueprint("pictures", __name__)

    @room.get("/pictures/<token>", provide_automatic_options=False)
    def picture(token: str) -> Response:
        found = service.picture(token)
        if found is None:
            abort(410)
        return Response(found, content_type="image/png")

    return room
