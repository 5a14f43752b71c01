"""A finished run examines itself: the verdict is written, and a failed examination is said."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import examiner
from cli.main import cli
from core.messages import Past
from inference.openai_fakes import FakeServer
from storage.store import Store
from tests.cli.test_command_line import _quiet  # noqa: F401  (puts the logs back)
from tests.training.given_releases import added, open_registry
from training.config import TrainConfig
from training.folder import RunFolder, State, Stopped
from training.jobs import examination
from training.registry import Registry
from training.report_files import PAGE, PICTURE
from training.rows import Conversation

TALK = Conversation((Past("user", "Me ke kawo mura?"), Past("assistant", "A huta.")), "t", 1)


@pytest.fixture
def registry(store: Store, tmp_path: Path) -> Registry:
    """r1 is a candidate."""
    registry = open_registry(store, tmp_path)
    added(registry, tmp_path, "r1", report=None)
    return registry


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """r1's run, which kept one question."""
    run = RunFolder.create(tmp_path / "runs" / "r1", TrainConfig())
    run.data.mkdir()
    (run.data / "held_out.jsonl").write_text(json.dumps(TALK.record()) + "\n", "utf-8")
    return run


@pytest.fixture
def main(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[RunFolder, str], int]:
    """Examines a folder's release with a server at a URL."""

    def main_(folder: RunFolder, url: str) -> int:
        settings = {
            "DATABASE_URL": sqlite_url,
            "ENGINE": "openai",
            "OPENAI_BASE_URL": url,
            "MODEL": "gemma",
            # An index over no topics is made at once.
            "LIBRARY_REVIEWED_ONLY": "true",
            "RUNS": str(tmp_path / "runs"),
            "RELEASES": str(tmp_path / "shelf"),
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        return examiner.main([str(folder.path), str(tmp_path / "none.env")])

    return main_


def test_a_run_ends_with_the_verdict_on_its_release(
    main: Callable[[RunFolder, str], int], run: RunFolder, registry: Registry
) -> None:
    with FakeServer() as server:
        assert main(run, server.url) == 0
    state, row = run.state(), registry.find("r1")
    assert (state.phase, state.share, state.detail) == ("done", 1.0, "")
    assert state.asked == state.questions > 100
    assert (row.state, row.verdict) == ("failed", False)
    assert row.report["reasons"]
    assert sorted(path.name for path in (run.path / "evaluation").iterdir()) == [
        "answers.jsonl",
        PAGE,
        PICTURE,
    ]
    elsewhere = run.path.parents[1] / "another machine"
    page, picture = (registry.report_file("r1", file, elsewhere) for file in (PAGE, PICTURE))
    assert page is not None
    assert page.decode().startswith("# r1: failed\n")
    assert page == (run.path / "evaluation" / PAGE).read_bytes()
    assert picture is not None
    assert picture.startswith(b"\x89PNG")


def test_where_nothing_can_be_drawn_the_verdict_is_given(
    main: Callable[[RunFolder, str], int],
    run: RunFolder,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An earlier examination's picture is not shown beside the new page."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    (run.path / "evaluation").mkdir()
    (run.path / "evaluation" / PICTURE).write_bytes(b"\x89PNG of yesterday")
    with FakeServer() as server:
        assert main(run, server.url) == 0
    assert registry.find("r1").verdict is False
    assert registry.report_file("r1", PAGE, run.path.parent)
    assert registry.report_file("r1", PICTURE, run.path.parent) is None


def test_a_shelf_that_takes_no_report_leaves_no_verdict(
    main: Callable[[RunFolder, str], int], run: RunFolder, registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "shelf" / "_reports").write_text("in the way")
    with FakeServer() as server:
        assert main(run, server.url) == 1
    assert run.state().phase == "done"
    assert run.state().detail.startswith("not examined: RELEASES cannot be reached")
    assert str(run.path / "evaluation") in run.state().detail
    assert (registry.find("r1").state, registry.find("r1").verdict) == ("candidate", None)
    assert (run.path / "evaluation" / PAGE).exists()
    assert registry.report_file("r1", PAGE, run.path.parent) is None


def test_what_lafiya_evaluate_says(
    main: Callable[[RunFolder, str], int], run: RunFolder, registry: Registry
) -> None:
    assert main(run, NOBODY) == 1  # sets the environment
    words = ["--env", "none.env", "evaluate", "r1", "--most", "1"]
    with FakeServer() as server:
        done = CliRunner().invoke(cli, words, env={"OPENAI_BASE_URL": server.url})
    assert done.exit_code == 1
    assert "# r1: failed" in done.stdout
    assert done.stdout.endswith("The whole report: lafiya releases report r1\n")
    assert (
        CliRunner()
        .invoke(cli, [*words[:2], "releases", "report", "r1"])
        .stdout.startswith("# r1: failed\n")
    )


NOBODY = "http://127.0.0.1:9/v1"


def test_a_run_without_an_examination_is_done_and_says_why(
    main: Callable[[RunFolder, str], int], run: RunFolder, registry: Registry
) -> None:
    assert main(run, NOBODY) == 1
    assert run.state().phase == "done"
    assert run.state().detail.startswith("not examined: ")
    assert registry.find("r1").verdict is None


def test_an_examination_that_was_ordered_fails_by_itself(
    main: Callable[[RunFolder, str], int], run: RunFolder, registry: Registry
) -> None:
    alone = examination(run.path)
    alone.path.mkdir()
    alone.write(State())
    assert main(alone, NOBODY) == 1
    assert alone.state().phase == "failed"
    assert run.state().phase == "waiting"


def test_it_is_stopped_between_two_questions(run: RunFolder) -> None:
    pace = examiner.Pace(run)
    pace(1, 10)
    run.ask_to_stop()
    with pytest.raises(Stopped):
        pace(2, 10)
    assert run.state().asked == 1


def test_the_process_of_a_run_becomes_that_of_its_examination(
    main: Callable[[RunFolder, str], int], run: RunFolder, registry: Registry, tmp_path: Path
) -> None:
    """All was done but the examination when this run was killed: it goes on with just that."""
    (run.data / "card.json").write_text("{}", "utf-8")
    run.finish({"held_out_loss": 1.0})
    shutil.copytree(tmp_path / "made" / "r1", run.adapter)
    assert main(run, NOBODY) == 1  # sets the environment, and leaves the run done
    run.update(phase="interrupted", detail="")
    command = [sys.executable, "-m", "cli.trainer", str(run.path), str(tmp_path / "none.env")]
    assert subprocess.run(command, check=False).returncode == 1
    assert (run.state().phase, run.state().detail[:12]) == ("done", "not examined")
