"""How every page leaves the house: security headers, caching, and less to carry on a slow line.

Knows nothing of what the pages show.
"""

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

from flask import Response, request

POLICY = (
    "default-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_A_YEAR = "public, max-age=31536000, immutable"
_WORTH_PACKING = 1_000
_PACKED = ("text/", "image/svg", "application/json")


def dressed(response: Response) -> Response:
    """The response with its headers. Only a named version of a static file may be kept."""
    response.headers.update(_HEADERS)
    versioned = request.endpoint == "pages.static" and "v" in request.args
    kept = versioned and response.status_code == 200
    response.headers["Cache-Control"] = _A_YEAR if kept else "no-store"
    return _packed(response)


def addresses(folder: Path) -> Callable[[str], str]:
    """The address of each file in a folder of static files: a new version of one has a new one."""
    versions = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for path in sorted(folder.iterdir())
    }
    return lambda name: f"/static/{name}?v={versions[name]}"


def _packed(response: Response) -> Response:
    """Compressed when the browser can read it. Nothing here mixes a secret with a stranger's text:
    no cookie opens the public pages, and the console's is sent from nowhere but the console, so
    nobody else can make a browser fetch what is somebody's own.
    """
    if response.status_code != 200 or not (response.content_type or "").startswith(_PACKED):
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"] or request.method != "GET":
        return response
    response.direct_passthrough = False
    whole = response.get_data()
    if len(whole) >= _WORTH_PACKING:
        response.set_data(gzip.compress(whole, 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        response.headers.pop("ETag", None)
    return response
