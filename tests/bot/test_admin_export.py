"""/save and /export, with an export that writes a small file instead of working."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from bot.admin_export import megabytes, parse
from bot.fakes import tiny_mind
from inference.engine import FakeEngine
from tests.bot.clinic import open_clinic
from tests.training.given_releases import BAD, added
from training.export import ExportConfig, Exports, read
from training.folder import RunFolder
from training.jobs import Jobs, wait
from webhooks.factory import create_app

FILES = {"adapter": ["v1-adapter.zip"], "gguf": ["g/v1.gguf", "g/README.md"]}


#: No text, as weights are none.
WEIGHTS = b"\xffights\0"


def write(run: RunFolder) -> None:
    """What an export leaves: files of seven bytes, or an address on the hub."""
    wanted = read(run)
    files = FILES.get(wanted.form, ["m/a", "m/b"])
    for name in files:
        (run.path / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (run.path / "files" / name).write_bytes(WEIGHTS)
    rows = [{"path": name, "bytes": len(WEIGHTS), "sha256": ""} for name in files]
    url = "https://hub.test/clinic/v1" if wanted.form == "hub" else ""
    run.finish({"folder": "" if url else str(run.path / "files"), "url": url, "files": rows})
    run.update(phase="done")


class AtOnce(Jobs):
    """Exports that are done, or have failed, as soon as they begin: no process of their own."""

    def _begin(self, module, task, lock):
        if (self.root.parent / "fail").exists():
            task.update(phase="failed", detail="no room left")
        else:
            write(task)


#: The same as a process, which waits as long as a file `wait` is there.
WRITER = """
import sys, time
from pathlib import Path
from tests.bot.test_admin_export import write
from training.folder import RunFolder
while (Path(__file__).parent / "wait").exists():
    time.sleep(0.01)
write(RunFolder(Path(sys.argv[1])))
"""


@pytest.fixture
def make(sqlite_url, tmp_path):
    """make(**settings) -> a service with v1 (passed, live) and bad (failed)."""
    made = []

    def make_(jobs=None, **settings):
        mind, shelf = tiny_mind(FakeEngine()), tmp_path / "shelf"
        clinic = open_clinic(mind, sqlite_url, shelf, exports=str(tmp_path / "exports"), **settings)
        made.append(clinic)
        exporting = clinic.app.desk.exporting
        exporting.exports = Exports(jobs or AtOnce(tmp_path / "exports"))
        exporting.links._exports = exporting.exports
        exporting.pushes = True
        added(clinic.registry, tmp_path, "bad", report=BAD)
        added(clinic.registry, tmp_path, "v1")
        clinic.registry.promote("v1", actor="t", now=clinic.now)
        clinic.english()
        return clinic

    yield make_
    for clinic in made:
        clinic.app.stop()


@pytest.fixture
def clinic(make):
    return make()


def audits(clinic):
    return [row for row in clinic.audit() if row[0] in ("release.export", "admin.save")]


def test_save_says_where_it_lies(clinic, tmp_path):
    said = clinic.order("/save v1")
    assert f"{tmp_path}/exports/v1-adapter/files/v1-adapter.zip" in said
    assert "0.1 MB" in said
    assert "files/m" in clinic.order("/save LIVE merged")
    assert "v1.gguf" in clinic.order("/adana v1 GGUF")
    assert [action for action, _ in audits(clinic)] == ["release.export", "admin.save"] * 3


def test_export_hands_the_file_over(clinic):
    said = clinic.order("/export")
    assert said.startswith("v1 (adapter, 0.1 MB)")
    document = clinic.telegram.sent[-1].reply.document
    assert (document.name, document.content) == ("v1-adapter.zip", WEIGHTS)


def test_the_process_reads_the_settings_that_we_were_started_with(sqlite_url, tmp_path):
    """`lafiya --env FILE serve`: what stands in the file is in no environment."""
    settings = {"releases": tmp_path / "shelf", "exports": tmp_path / "exports"}
    env_file = tmp_path / "another.env"
    lines = [f"{name.upper()}={value}" for name, value in settings.items()]
    env_file.write_text("\n".join([*lines, f"DATABASE_URL={sqlite_url}"]))
    exports = {"exports": str(settings["exports"])}
    mind, shelf = tiny_mind(FakeEngine()), settings["releases"]
    clinic = open_clinic(mind, sqlite_url, shelf, env_file=str(env_file), **exports)
    added(clinic.registry, tmp_path, "v1")
    exporting = clinic.app.desk.exporting
    run = exporting.exports.begin(ExportConfig(release="v1"))
    assert list(wait(run, exporting.exports.jobs, every=0.02))[-1].phase == "done"
    clinic.order("/fitar v1")
    content = clinic.telegram.sent[-1].reply.document.content
    assert "v1/release.json" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert clinic.app.desk.training.jobs.arguments == (str(env_file),)
    clinic.app.stop()


def test_on_whatsapp_there_is_a_link_for_an_hour(make):
    clinic = make(public_url="https://lafiya.example")
    said = clinic.order("/fitar v1", "2348000000009", channel="whatsapp")
    assert "cikin awa ɗaya: https://lafiya.example/data/release/" in said
    token = said.rpartition("/")[2]
    web = create_app(clinic.app).test_client()
    with web.get(f"/data/release/{token}") as got:
        assert (got.status_code, got.data) == (200, WEIGHTS)
        assert "v1-adapter.zip" in got.headers["Content-Disposition"]
    with web.get(f"/data/release/{token}", headers={"Range": "bytes=2-3"}) as got:
        assert (got.status_code, got.data) == (206, WEIGHTS[2:4])
    assert web.get(f"/data/release/{token[:-2]}xx").status_code == 410
    Path(clinic.app.release(token)).unlink()
    assert web.get(f"/data/release/{token}").status_code == 410


def test_what_cannot_be_sent_lies_on_the_machine(clinic):
    """A folder, or any file where no address of ours reaches them."""
    assert "cannot be sent here" in clinic.order("/export v1 merged")
    who = "2348000000009"
    assert "Ba za a iya aika v1" in clinic.order("/export v1", who, channel="whatsapp")


def test_a_large_file_goes_behind_a_link(make):
    clinic = make(public_url="https://lafiya.example")
    clinic.app.desk.exporting.most_document = 6
    assert "https://lafiya.example/data/release/" in clinic.order("/export v1")
    assert clinic.telegram.sent[-1].reply.document is None


def test_one_that_takes_long_is_asked_for_again(make, tmp_path, monkeypatch):
    (tmp_path / "writer.py").write_text(WRITER)
    (tmp_path / "wait").touch()
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path.cwd()}")
    clinic = make(Jobs(tmp_path / "exports", "writer"))
    exporting = clinic.app.desk.exporting
    exporting.patience = 0
    assert "I will say when it is ready" in clinic.order("/export v1 gguf")
    clinic.app.progress.tick(clinic.now)
    assert clinic.send() == 0, "not yet"
    assert "Another release is being written out (v1-gguf-q8_0)" in clinic.order("/save v1 merged")
    (tmp_path / "wait").unlink()
    run = exporting.exports.begin(ExportConfig(release="v1", form="gguf"))
    assert list(wait(run, exporting.exports.jobs, every=0.01))[-1].phase == "done"
    for _ in range(2):
        clinic.app.progress.tick(clinic.now)
    clinic.now += 9
    clinic.send()
    assert clinic.telegram.sent[-1].reply.text == (
        "v1 (gguf, 0.1 MB) is ready. To have it: /export v1 gguf"
    )
    assert clinic.rows("SELECT status FROM watches") == [("done",)], "said once"
    clinic.order("/export v1 gguf")
    assert clinic.telegram.sent[-1].reply.document.name == "v1.gguf"


def test_one_that_fails_says_why_and_may_be_tried_again(clinic, tmp_path):
    (tmp_path / "fail").touch()
    assert "Reason: no room left" in clinic.order("/save v1")
    (tmp_path / "fail").unlink()
    assert "is saved" in clinic.order("/save v1")


def test_the_hub_is_asked_back_and_private(clinic, tmp_path):
    asked = clinic.order("/save v1 hub")
    assert "private repository lafiya-v1?" in asked
    assert not (tmp_path / "exports").exists()
    assert "nothing was changed" in clinic.order("no")
    assert not (tmp_path / "exports").exists()
    assert "https://hub.test/clinic/v1" in clinic.confirm("/export v1 hub")
    assert '"public":false' in (
        tmp_path / "exports" / "v1-hub" / "config.json"
    ).read_text().replace(" ", "")


def test_without_a_key_to_the_hub_nothing_is_asked(clinic):
    clinic.app.desk.exporting.pushes = False
    assert "must set HF_TOKEN" in clinic.order("/save v1 hub")
    assert clinic.buttons == []


def test_what_failed_its_gate_leaves_as_an_adapter_only(clinic):
    for order in ("/save bad merged", "/export bad gguf", "/save bad hub"):
        assert "only its adapter may leave" in clinic.order(order), order
        assert clinic.buttons == []
    assert "only its adapter may leave" in clinic.order("", press="push:bad:yes")
    assert "is saved" in clinic.order("/save bad adapter")
    assert len([row for row in audits(clinic) if row[0] == "release.export"]) == 1


def test_a_verdict_that_turned_between_asking_and_pressing(clinic):
    clinic.order("/save v1 hub")
    button = clinic.buttons[0]
    clinic.registry.rollback(actor="t", now=clinic.now)
    clinic.registry.judge("v1", BAD, actor="t", now=clinic.now)
    assert "only its adapter may leave" in clinic.order("", press=button)


def test_what_is_not_understood_says_how(clinic):
    assert "Write the name behind the order" in clinic.order("/save")
    assert "Write the name behind the order" in clinic.order("/save gguf")
    assert "Write for example /export" in clinic.order("/export v1 as gguf")
    assert "no release called v9" in clinic.order("/export v9")
    clinic.registry.rollback(actor="t", now=clinic.now)
    assert "There is no release yet" in clinic.order("/save live")
    assert clinic.order("/export").startswith("v1 "), "the newest, where none is live"


def test_a_new_name_is_the_newest_releases(clinic):
    """As in the origin's app: train, then save it under a name of one's choice."""
    said = clinic.order("/save Hausa-Nov")
    assert said.startswith("v1 is called hausa-nov from now on.\nv1 is saved (adapter")
    assert "v1 is saved" in clinic.order("/save hausa-nov merged"), "from now on it is known"
    assert "• hausa-nov (v1)" in clinic.order("/models")
    assert "v1 is live already" in clinic.order("/swap hausa-nov")
    assert "v1 is loaded" in clinic.order("/load hausa-nov")
    assert "repository lafiya-hausa-nov?" in clinic.order("/save hausa-nov hub")
    assert ("release.label", clinic.audit()[-1][1]) in clinic.audit()


# (order, words of the answer)
NO_NAME = [
    ("/save another", "v1, and it has a name already"),
    ("/save r20261124-1015", "no release called r20261124-1015"),
    ("/save base", "cannot be a name"),
    ("/save a/b", "cannot be a name"),
    ("/export another", "no release called another"),
]


def test_what_names_nothing_anew(clinic):
    clinic.order("/save hausa-nov")
    for order, words in NO_NAME:
        assert words in clinic.order(order), order
    assert clinic.registry.find("v1").label == "hausa-nov"


@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("", (None, "adapter")),
        ("V1", ("v1", "adapter")),
        ("v1 Merged", ("v1", "merged")),
        ("hub", (None, "hub")),
        ("v1 zip", None),
        ("gguf v1", None),
    ],
)
def test_orders_are_read(rest, found):
    assert parse(rest) == found


def test_sizes_are_said_as_people_say_them():
    assert [megabytes(n) for n in (7, 8_400_000, 999_999_999, 8_600_000_000)] == [
        "0.1 MB",
        "8.4 MB",
        "1000.0 MB",
        "8.6 GB",
    ]
