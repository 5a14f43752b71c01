"""A client over the fake service, and a browser over the real one."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from waitress.server import create_server
from waitress.wasyncore import close_all

from bot.app import build
from core.settings import Settings
from storage.store import migrate
from web.fakes import FakeService
from web.pages import pages
from webhooks.factory import create_app
from webhooks.fakes import FakeService as FakeMachines

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=360,740",
)


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def client(service: FakeService) -> FlaskClient:
    app = create_app(FakeMachines())
    app.register_blueprint(pages(service, sleep=lambda seconds: None))
    return app.test_client()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The whole service on a port of its own: SQLite, the library, real workers."""
    database = tmp_path_factory.mktemp("page") / "lafiya.db"
    service = build(Settings(database_url=f"sqlite:///{database}", engine="library"))
    migrate(service.store)
    app = create_app(service)
    app.register_blueprint(pages(service))
    service.start_working()
    with listening(app) as found:
        yield found
    service.stop()


@contextmanager
def listening(app: Flask) -> Iterator[str]:
    """The address of an app on a port of its own."""
    sockets: dict[int, object] = {}
    server = create_server(app, host="127.0.0.1", port=0, threads=4, map=sockets)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}/"
    # In its own thread: the loop would wait for connections that a browser keeps open.
    server.trigger.pull_trigger(lambda: close_all(sockets))
    thread.join(5)
    server.task_dispatcher.shutdown()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Chromium as a phone of 360 by 740, with nothing remembered; one for all tests here."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("no chromium and chromedriver here (Debian: apt-get install chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Driver(driver))
    yield chrome
    chrome.quit()


def resize(chrome: webdriver.Chrome, width: int, height: int = 740, dark: bool = False) -> None:
    """Another screen, and its colour scheme."""
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


@pytest.fixture(scope="module")
def served():
    """A fake service and the address of its page."""
    service, app = FakeService(), create_app(FakeMachines())
    app.register_blueprint(pages(service))
    with listening(app) as found:
        yield service, found
