"""Pictures behind signed links: for the provider that passes them on."""

from webhooks.factory import create_app
from webhooks.fakes import FakeService

PNG = b"\x89PNG\r\n\x1a\n\xff\x00"


def test_the_route_gives_the_picture_or_says_that_it_is_gone() -> None:
    client = create_app(FakeService(pictures={"good": PNG})).test_client()
    answer = client.get("/pictures/good")
    assert (answer.status_code, answer.data, answer.mimetype) == (200, PNG, "image/png")
    assert client.get("/pictures/other").status_code == 410
