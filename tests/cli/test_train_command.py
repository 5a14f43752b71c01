"""`lafiya train` and `lafiya evaluate` without a model: looking, stopping, refusing, exit codes."""

import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import cli, main
from core.errors import LafiyaError
from tests.cli.test_command_line import _quiet  # noqa: F401  (puts the logs back)
from tests.storage.given import rows
from tests.training.given_releases import added, open_registry
from tests.training.test_jobs import COUNTER
from training.config import TrainConfig
from training.folder import RunFolder
from training.jobs import Jobs


@pytest.fixture
def environ(sqlite_url, tmp_path):
    """The settings, as an environment."""
    return {
        "DATABASE_URL": sqlite_url,
        "RUNS": str(tmp_path / "runs"),
        "RELEASES": str(tmp_path / "shelf"),
        "ENGINE": "library",
        "LOG_LEVEL": "ERROR",
    }


@pytest.fixture
def lafiya(environ):
    """Runs `lafiya ...`; click's result."""

    def run(*words, **more):
        return CliRunner().invoke(cli, ["--env", "none.env", *words], env={**environ, **more})

    return run


@pytest.fixture
def run(tmp_path):
    """A run that has counted to two and was killed."""
    folder = RunFolder.create(tmp_path / "runs" / "r1", TrainConfig())
    folder.update(phase="training", step=2, steps=10, loss=1.5)
    for step in (1, 2):
        folder.log({"step": step, "loss": 3.0 - step, "held_out_loss": 3.0 - step})
    return folder


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_runs_are_listed_with_where_they_stand(lafiya, run):
    [row] = lines(lafiya("train", "list", "--json"))
    assert (row["run"], row["phase"], row["step"], row["loss"]) == ("r1", "interrupted", 2, 1.5)
    assert "r1  interrupted  2/10  loss 1.500" in lafiya("train", "list").output


def test_a_run_that_goes_on_is_stopped(lafiya, run, tmp_path, monkeypatch):
    (tmp_path / "counter.py").write_text(COUNTER)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path.cwd()}")
    begun = Jobs(tmp_path / "runs", "counter", ("slow",)).start(TrainConfig(), name="r2")
    assert lines(lafiya("train", "cancel", "r2", "--json")) == [{"run": "r2", "stopping": True}]
    deadline = time.monotonic() + 30
    while begun.state().phase != "cancelled":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_curve_is_drawn_and_named(lafiya, run, tmp_path):
    picture = tmp_path / "curve.svg"
    done = lafiya("train", "curve", "r1", str(picture), "--json")
    assert lines(done) == [{"run": "r1", "picture": str(picture)}]
    assert picture.read_text().startswith("<?xml")


# (words, exit code, what is said)
REFUSED = [
    (("train", "cancel", "r1"), "r1 is not running"),
    (("train", "cancel", "gone"), "no run called gone"),
    (("train", "watch", "gone", "--json"), "no run called gone"),
    (("train", "resume", "../elsewhere"), "no run called"),
    (("train", "--rank", "4"), "rank"),
    (("train", "--set", "colour=red"), "colour"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_what_cannot_be_is_refused_by_name(lafiya, run, words, said):
    done = lafiya(*words)
    assert isinstance(done.exception, LafiyaError)
    assert said in str(done.exception)
    assert not list((run.path.parent).glob("r2*"))


def test_wrong_usage_is_2(lafiya, run):
    for words in (("train", "--set", "rank"), ("train", "cancel"), ("train", "--epochs", "x")):
        assert lafiya(*words).exit_code == 2, words


def test_the_process_ends_with_1_and_one_line(environ, run, monkeypatch, capsys):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main(["--env", "none.env", "train", "cancel", "r1"])
    assert ended.value.code == 1
    assert capsys.readouterr().err == "Error: r1 is not running\n"


def test_an_examination_that_cannot_be_is_json_too(lafiya, store, tmp_path):
    done = lafiya("evaluate", "v9", "--json")
    assert (done.exit_code, json.loads(done.stdout)["refused"]) == (1, "unknown")
    added(open_registry(store, tmp_path), tmp_path, "v1", report=None)
    done = lafiya("evaluate", "v1", "--json", GATE=str(tmp_path / "gone.yaml"))
    assert done.exit_code == 1
    assert "gone.yaml does not exist" in json.loads(done.stdout)["why"]
    assert rows(store, "SELECT verdict FROM releases") == [(None,)], "and nothing is judged"
