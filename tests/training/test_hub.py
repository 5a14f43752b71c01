"""Pushing to the hub, against one that listens here: what it gets, and what it may refuse."""

import pytest
from pydantic import SecretStr

from core.errors import EngineAbsent, SettingsError
from training.hub import HuggingFace
from training.hub_fakes import FakeHub

TOKEN = "hf_very_secret"


@pytest.fixture
def hub():
    """A hub that takes one token."""
    with FakeHub(allows=TOKEN) as fake:
        yield fake


@pytest.fixture
def folder(tmp_path):
    """Two files to push."""
    (tmp_path / "README.md").write_text("---\nlicense: gemma\n---\n# v1\n")
    (tmp_path / "adapter_config.json").write_text("{}")
    return tmp_path


def push(hub, folder, repo="clinic/v1", token=TOKEN, **more):
    door = HuggingFace(hub.endpoint, SecretStr(token))
    return door.push(folder, repo, message="v1", **{"public": False, **more})


def test_a_folder_is_pushed_into_a_private_repository_of_its_own(hub, folder):
    assert push(hub, folder) == f"{hub.endpoint}/clinic/v1"
    assert hub.repos == {"clinic/v1": True}
    assert sorted(hub.files["clinic/v1"]) == ["README.md", "adapter_config.json"]
    assert hub.files["clinic/v1"]["README.md"] == (folder / "README.md").read_bytes()


def test_public_by_wish_and_by_the_tokens_own_name(hub, folder):
    assert push(hub, folder, "v2", public=True).endswith("/clinic/v2")
    assert hub.repos == {"clinic/v2": False}


def test_again_into_what_is_there(hub, folder):
    push(hub, folder)
    (folder / "README.md").write_text("another")
    push(hub, folder)
    assert hub.files["clinic/v1"]["README.md"] == b"another"


def test_what_is_private_does_not_go_into_a_public_repository(hub, folder):
    push(hub, folder, public=True)
    hub.files.clear()
    with pytest.raises(SettingsError, match="clinic/v1 is public"):
        push(hub, folder)
    assert hub.files == {}


def test_a_refused_token_is_named_and_not_shown(hub, folder):
    with pytest.raises(SettingsError, match="refused HF_TOKEN") as error:
        push(hub, folder, token="hf_wrong_secret")
    assert "wrong_secret" not in str(error.value)
    assert hub.repos == {}
    assert "secret" not in repr(HuggingFace(hub.endpoint, SecretStr(TOKEN)))


def test_no_token_asks_nobody(hub, folder):
    with pytest.raises(SettingsError, match="HF_TOKEN is not set"):
        push(hub, folder, token="")
    assert hub.asked == []


def test_a_hub_that_fails_or_is_not_there(hub, folder):
    hub.fault = 404
    with pytest.raises(EngineAbsent, match="answered 404"):
        push(hub, folder)
    gone = HuggingFace("http://127.0.0.1:9", SecretStr(TOKEN))
    with pytest.raises(EngineAbsent, match="cannot be reached"):
        gone.push(folder, "clinic/v1", public=False, message="v1")


def test_a_name_that_is_none(hub, folder):
    with pytest.raises(SettingsError, match="write owner/name"):
        push(hub, folder, "not a name")
