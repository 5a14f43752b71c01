"""`lafiya releases export`: a real process for each, its files, its refusals, its audit."""

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.announce import actor_of
from cli import exporter
from cli.main import cli
from core.errors import ReleaseRefused
from core.settings import Settings
from tests.cli.test_command_line import _quiet  # noqa: F401  (puts the logs back)
from tests.storage.given import rows
from tests.training.given_releases import BAD, added, open_registry
from training.export import ExportConfig
from training.folder import RunFolder
from training.hub_fakes import FakeHub

ADMIN = "telegram:12345"
TOKEN = "hf_very_secret"


@pytest.fixture
def registry(store, tmp_path):
    return open_registry(store, tmp_path)


@pytest.fixture
def environ(sqlite_url, tmp_path):
    """The settings, as an environment."""
    return {
        "DATABASE_URL": sqlite_url,
        "RELEASES": str(tmp_path / "shelf"),
        "EXPORTS": str(tmp_path / "exports"),
        "ADMINS": ADMIN,
        "HF_TOKEN": TOKEN,
        "LOG_LEVEL": "ERROR",
    }


@pytest.fixture
def lafiya(environ):
    """Runs `lafiya releases export ...`; (exit code, output)."""

    def run(*words, **more):
        command = ["--env", "none.env", "releases", "export", *words]
        done = CliRunner().invoke(cli, command, env={**environ, **more})
        return done.exit_code, done.output

    return run


def audit(store):
    return rows(store, "SELECT actor, detail FROM audit WHERE action = 'release.export'")


def test_an_adapter_becomes_a_zip_and_is_found_again(lafiya, registry, store, tmp_path):
    added(registry, tmp_path, "v1")
    code, said = lafiya("v1", "--to", str(tmp_path / "usb"), "--json", "--by", ADMIN)
    assert code == 0, said
    result = json.loads(said)
    file = Path(result["folder"], result["files"][0]["path"])
    assert file == tmp_path / "usb" / "v1-adapter.zip"
    with zipfile.ZipFile(file) as archive:
        assert "v1/release.json" in archive.namelist()
        assert "chrf | 31.5" in archive.read("README.md").decode()
    assert lafiya("v1", "--to", str(tmp_path / "usb"))[0] == 0, "there already"
    [(actor, detail), _] = audit(store)
    assert actor == actor_of("telegram", "12345")
    assert "adapter" in str(detail)
    file.write_text("cut")
    code, said = lafiya("v1", "--to", str(tmp_path / "usb"), "--json")
    assert (code, "exists already" in json.loads(said)["why"]) == (1, True)


# (words, exit code, what is said)
REFUSED = [
    (("v9",), 1, "no release called v9"),
    (("bad", "--as", "gguf"), 1, "only its adapter may leave"),
    (("bad", "--as", "hub"), 1, "only its adapter may leave"),
    (("bad", "--as", "merged", "--force"), 2, "--force needs"),
    (("bad", "--as", "merged", "--force", "--reason", "x", "--by", "telegram:9"), 2, "nobody"),
    (("v1", "--as", "zip"), 2, "is not one of"),
    (("v1", "--public"), 2, "go with --as hub"),
    (("v1", "--as", "hub", "--public"), 1, "public on the hub"),
    ((), 2, "Missing argument"),
]


@pytest.mark.parametrize(("words", "code", "said"), REFUSED)
def test_refused_before_anything_is_written(lafiya, registry, store, tmp_path, words, code, said):
    added(registry, tmp_path, "v1")
    added(registry, tmp_path, "bad", report=BAD)
    got, output = lafiya(*words)
    assert got == code
    assert said in output
    assert not (tmp_path / "exports").exists()
    assert audit(store) == []


def test_what_the_process_cannot_do_is_its_own_sentence(lafiya, registry, tmp_path):
    added(registry, tmp_path, "v1")
    code, said = lafiya("v1", "--as", "gguf", "--json", LLAMA_CPP=str(tmp_path / "none"))
    assert code == 1
    assert "git clone" in json.loads(said)["why"]


def run_of(tmp_path, **wanted):
    """The folder of an export that was ordered."""
    config = ExportConfig(release="v1", **wanted)
    return RunFolder.create(tmp_path / "exports" / config.name, config)


def test_the_hub_is_pushed_to_and_the_token_is_nowhere(
    registry, environ, tmp_path, capfd, monkeypatch
):
    added(registry, tmp_path, "v1")
    run = run_of(tmp_path, form="hub", to="clinic/hausa")
    with FakeHub(allows=TOKEN) as hub:
        for name, value in {**environ, "HF_ENDPOINT": hub.endpoint}.items():
            monkeypatch.setenv(name, value)
        assert exporter.main([str(run.path), "none.env"]) == 0
    assert hub.repos == {"clinic/hausa": True}
    assert b"Gemma Terms of Use" in hub.files["clinic/hausa"]["NOTICE"]
    assert run.result()["url"].endswith("/clinic/hausa")
    kept = "".join(path.read_text("utf-8") for path in run.path.rglob("*") if path.is_file())
    assert TOKEN not in kept + "".join(capfd.readouterr())


def test_a_verdict_that_turned_after_the_order(registry, environ, tmp_path):
    """The process asks the gate again: an order may have waited behind another export."""
    added(registry, tmp_path, "v1")
    run = run_of(tmp_path, form="merged")
    registry.judge("v1", BAD, actor="t", now=0)
    settings = Settings(**{name.lower(): value for name, value in environ.items()})
    with pytest.raises(ReleaseRefused, match="only its adapter"):
        exporter.work(settings, run)
    assert run.result() is None
