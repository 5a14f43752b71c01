"""How every page leaves the house: security headers, caching, and less to carry on a slow line.

Knows nothing of what the pages show.
"""

import gzip
import hashlib
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


def digests(folder: Path) -> dict[str, str]:
    """A short digest of each file in a folder: a new version of a file has a new address."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for path in sorted(folder.iterdir())
    }


def _packed(response: Response) -> Response:
    """Compressed when the browser can read it. Nothing here mixes a secret with a stranger's text:
    no cookie opens a page, so nobody else can make a browser fetch somebody's conversation.
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
