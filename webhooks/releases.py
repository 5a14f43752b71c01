"""Where an admin fetches an exported release: a signed link, good for an hour."""

from flask import Blueprint, Response, abort, send_file

from webhooks.service import Service


def routes(service: Service) -> Blueprint:
    """GET /data/release/<token>; it can be taken up again where a slow line broke (Range)."""
    room = Blueprint("releases", __name__)

    @room.get("/data/release/<token>", provide_automatic_options=False)
    def release(token: str) -> Response:
        file = service.release(token)
        if file is None:
            abort(410)
        return send_file(file, as_attachment=True, download_name=file.name)

    return room
