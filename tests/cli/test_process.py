"""How a process of `training.jobs` ends: what its folder says then, and its exit code."""

import json

import pytest

from cli.process import work_on
from core.errors import LafiyaError
from tests.cli.test_command_line import _quiet  # noqa: F401  (puts the logs back)
from training.config import TrainConfig
from training.folder import RunFolder, Stopped

#: (what is raised, the phase and the detail then)
ENDS = [
    (Stopped("after a step"), "cancelled", "after a step"),
    (LafiyaError("no room"), "failed", "no room"),
    (ValueError("somebody's words"), "failed", "ValueError (see log.txt)"),
]


@pytest.fixture
def run(tmp_path):
    return RunFolder.create(tmp_path / "r1", TrainConfig())


@pytest.fixture
def main(run, tmp_path):
    """Does a piece of work in the run's folder; the exit code."""

    def go(work, *end):
        return work_on([str(run.path), str(tmp_path / "none.env")], "run.failed", work, *end)

    return go


def test_whether_it_came_to_its_end_is_the_exit_code(main, run):
    assert main(lambda settings, folder: folder == run) == 0
    assert main(lambda settings, folder: False) == 1
    assert run.state().phase == "waiting", "what is said of its end is its own affair"


@pytest.mark.parametrize(("error", "phase", "detail"), ENDS)
def test_what_is_raised_is_written_down(main, run, capsys, error, phase, detail):
    def work(settings, folder):
        raise error

    assert main(work) == 1
    assert (run.state().phase, run.state().detail) == (phase, detail)
    lines = capsys.readouterr().err.splitlines()
    assert ["run.failed" in line for line in lines] == [True] * isinstance(error, ValueError)
    assert all(json.loads(line)["run"] == "r1" for line in lines)


def test_it_may_be_written_down_in_another_way(main, run):
    def work(settings, folder):
        raise LafiyaError("no room")

    said = []
    assert main(work, lambda *all_: said.append(all_)) == 1
    assert said == [(run, "failed", "no room")]
    assert run.state().phase == "waiting"


def test_the_environment_file_is_read_and_a_wrong_setting_is_an_end(run, tmp_path):
    file = tmp_path / "mine.env"
    file.write_text("APPROVALS=2\n", "utf-8")
    seen = []
    work_on([str(run.path), str(file)], "x", lambda settings, _: bool(seen.append(settings)))
    assert seen[0].approvals == 2
    file.write_text("APPROVALS=3\n", "utf-8")
    assert work_on([str(run.path), str(file)], "x", lambda *_: True) == 1
    assert run.state().phase == "failed"
    assert "APPROVALS" in run.state().detail
