"""A whole service with admins and releases, and a browser's worth of client on its console."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from flask.testing import FlaskClient

from bot.admin_training import Training
from bot.fakes import tiny_mind
from tests.bot.clinic import Clinic, open_clinic
from tests.training.given_releases import BAD, added
from training.jobs import Jobs
from web.console import COOKIE, console
from web.flood import Flood
from web.pages import pages
from webhooks.factory import create_app


class Clock:
    """A time that tests move."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.5

    def __call__(self) -> float:
        return self.now


def client_of(app, clock=time.monotonic) -> FlaskClient:
    """A client of the service's pages; cookies are kept as a browser keeps them."""
    flask = create_app(app)
    flask.register_blueprint(pages(app))
    flask.register_blueprint(console(app, flood=Flood(burst=1000), clock=clock))
    return flask.test_client()


def token_in(text: str) -> str:
    """What opens the console, out of a message."""
    return re.search(r"/console\?lang=\w+#(\S+)", text)[1]


@dataclass
class Visit:
    """One admin's browser."""

    clinic: Clinic
    client: FlaskClient
    key: str = ""

    def enter(self, token: str):
        """Open a link."""
        return self.client.post("/console/enter?lang=en", json={"token": token})

    def come_in(self, who: str = "1") -> "Visit":
        """From the order in chat to the open page."""
        assert self.enter(token_in(self.clinic.order("/console", who))).status_code == 200
        page = self.client.get("/console?lang=en")
        assert page.status_code == 200
        self.key = re.search(r'data-key="([\w-]+)"', page.text)[1]
        return self

    @property
    def cookie(self) -> str | None:
        """The session as the browser has it."""
        found = self.client.get_cookie(COOKIE, path="/console")
        return found.value if found else None

    def get(self, path: str):
        """Look at something."""
        return self.client.get(f"/console/{path}?lang=en")

    def post(self, path: str, body: object, **headers: str):
        """Change something, as our own page does."""
        sent = {"X-Console-Key": self.key, **headers}
        return self.client.post(f"/console/{path}?lang=en", json=body, headers=sent)

    def order(self, text: str = "", choice: str = "") -> dict:
        """Give an order and wait for its end; the buttons are kept."""
        begun = self.post("orders", {"text": text, "choice": choice})
        assert begun.status_code == 202, begun.text
        until = time.monotonic() + 20
        while True:
            found = self.get(f"orders/{begun.json['order']}")
            if found.status_code != 200 or found.json["done"]:
                return found.json
            assert time.monotonic() < until
            time.sleep(0.01)


def set_clock(clinic: Clinic, clock: Callable[[], float]) -> None:
    """Links and sessions of the service go by this clock."""
    clinic.app.desk.clock = clock
    clinic.app.console = replace(clinic.app.console, clock=clock)


def open_room(engine, url: str, folder, **settings) -> Visit:
    """A clinic in English with v1 and v2 passed, bad failed and new not judged, and its client."""
    clinic = open_clinic(tiny_mind(engine), url, folder / "shelf", **settings)
    added(clinic.registry, folder, "v1", "v2")
    added(clinic.registry, folder, "bad", report=BAD)
    added(clinic.registry, folder, "new", report=None)
    jobs = Jobs(folder / "runs", "counter", ("slow",))
    clinic.app.desk.training = Training(jobs, "unused")
    clinic.app.progress = replace(clinic.app.progress, jobs=jobs)
    clinic.english()
    return Visit(clinic, client_of(clinic.app))
