"""`lafiya releases`: what an operator sees, and the exit codes that a script relies on."""

import json
import time
from dataclasses import replace

import pytest
from click.testing import CliRunner

from bot.announce import actor_of
from bot.fakes import tiny_mind
from bot.texts import Texts
from cli.main import cli, main
from inference.engine import FakeEngine
from storage import instances
from storage.instances import Serving
from storage.releases import judge
from tests.bot.clinic import ADMINS, open_clinic
from tests.cli.test_command_line import _quiet  # noqa: F401  (puts the logs back)
from tests.storage.given import rows
from tests.training.given_releases import BAD, GOOD, added, open_registry, seal
from training.report_files import PAGE, PICTURE

ADMIN = "telegram:12345"


@pytest.fixture
def registry(store, tmp_path):
    return open_registry(store, tmp_path)


@pytest.fixture
def lafiya(sqlite_url, tmp_path):
    """Runs `lafiya releases ...`; (exit code, output)."""

    def run(*words, **environ):
        settings = {
            "DATABASE_URL": sqlite_url,
            "RELEASES": str(tmp_path / "shelf"),
            "RELEASES_CACHE": str(tmp_path / "cache"),
            "ADMINS": ADMIN,
            "LOG_LEVEL": "ERROR",
            **environ,
        }
        done = CliRunner().invoke(cli, ["--env", "none.env", "releases", *words], env=settings)
        return done.exit_code, done.output

    return run


def told(result):
    """The object that was printed, with its exit code."""
    return result[0], json.loads(result[1])


def test_the_way_of_a_release(lafiya, registry, tmp_path):
    seal(tmp_path / "made", "v1")
    assert told(lafiya("add", str(tmp_path / "made" / "v1"), "--json")) == (
        0,
        {"name": "v1", "state": "candidate"},
    )
    code, refused = told(lafiya("promote", "v1", "--json"))
    assert (code, refused["refused"]) == (1, "not_passed")
    registry.judge("v1", BAD, actor="t", now=0)
    code, refused = told(lafiya("promote", "v1", "--json"))
    assert (code, refused["refused"]) == (1, "failed")
    added(registry, tmp_path / "more", "v2")
    code, live = told(lafiya("promote", "v2", "--json"))
    assert (code, live["live"], live["instances"]) == (0, True, [])
    code, listed = told(lafiya("list", "--json"))
    assert listed["live"] == "v2"
    assert [row["state"] for row in listed["releases"]] == ["live", "failed"]
    assert told(lafiya("rollback", "--json"))[1]["release"] == "base"
    code, refused = told(lafiya("rollback", "--json"))
    assert (code, refused["refused"]) == (1, "no_previous")
    assert told(lafiya("retire", "v1", "--json")) == (0, {"name": "v1", "state": "retired"})


def test_force_is_audited_with_who_and_why(lafiya, registry, store, tmp_path):
    added(registry, tmp_path, "bad", report=BAD)
    code, said = lafiya("promote", "bad", "--force", "--reason", "tried by hand", "--by", ADMIN)
    assert code == 0, said
    [(actor, action, detail)] = rows(
        store, "SELECT actor, action, detail FROM audit ORDER BY id DESC LIMIT 1"
    )
    assert (actor, action) == (actor_of("telegram", "12345"), "release.force")
    assert "tried by hand" in detail
    assert "12345" not in actor + detail


# (label, words)
WRONG = [
    ("force without a reason", ("promote", "bad", "--force", "--by", ADMIN)),
    ("force with a blank reason", ("promote", "bad", "--force", "--reason", " ", "--by", ADMIN)),
    ("force by nobody", ("promote", "bad", "--force", "--reason", "why")),
    ("force by a stranger", ("promote", "bad", "--force", "--reason", "w", "--by", "telegram:1")),
    ("a reason without force", ("promote", "bad", "--reason", "why")),
    ("no name", ("promote",)),
    ("no such folder", ("add", "/nowhere")),
    ("no such command", ("destroy",)),
]


def test_wrong_usage_is_2(lafiya, registry, tmp_path):
    added(registry, tmp_path, "bad", report=BAD)
    for label, words in WRONG:
        assert lafiya(*words)[0] == 2, label
    assert registry.pointer().release is None


def test_refusals_are_one_line(lafiya, registry, tmp_path):
    for words in (("show", "v9"), ("promote", "v9"), ("retire", "v9")):
        code, said = lafiya(*words)
        assert (code, said) == (1, "Refused: there is no release called v9\n")
    half = tmp_path / "half"
    half.mkdir()
    code, said = lafiya("add", str(half))
    assert (code, said.count("\n")) == (1, 1)
    assert "written last" in said


def test_list_tells_processes_and_what_was_not_added(lafiya, registry, store, tmp_path):
    added(registry, tmp_path, "v1")
    seal(tmp_path / "shelf", "stray")
    lafiya("promote", "v1", "--wait", "0")
    row = Serving("host-1", "fake", "base", None, True, "no room", time.time())
    instances.report(store, row)
    code, said = lafiya("list")
    assert code == 0
    assert "live: v1" in said
    assert "chrf 31.5" in said
    assert "stray: lies in RELEASES, not added" in said
    assert "process host-1 (fake): base (no room)" in said
    code, said = lafiya("rollback", "--wait", "0")
    assert "base is live: 1 of 1" in said


def test_show_says_whether_the_files_are_whole(lafiya, registry, tmp_path):
    added(registry, tmp_path, "v1")
    assert told(lafiya("show", "v1", "--json"))[1]["files"] == str(tmp_path / "shelf" / "v1")
    (tmp_path / "shelf" / "v1" / "adapter_config.json").write_text("{}")
    assert "damaged" in told(lafiya("show", "v1", "--json"))[1]["files"]


def chats(store):
    """What waits to be sent to whom, with the ids of its buttons."""
    query = (
        "SELECT people.address, outbox.body, outbox.choices FROM outbox "
        "JOIN conversations ON conversations.id = outbox.conversation_id "
        "JOIN people ON people.id = conversations.person_id ORDER BY outbox.id"
    )
    told = rows(store, query)
    return [(who, text, [one[0] for one in json.loads(choices)]) for who, text, choices in told]


def test_the_other_admins_are_asked_in_their_chats_once(lafiya, registry, store, tmp_path):
    added(registry, tmp_path, "v1")
    admins = {"APPROVALS": "2", "ADMINS": f"{ADMIN},telegram:2,whatsapp:+2348000000009"}
    for _ in range(2):
        lafiya("promote", "v1", "--by", ADMIN, **admins)
    asked = chats(store)
    assert [who for who, _, _ in asked] == ["2", "+2348000000009"], "once each, not who agreed"
    wish = Texts()("admin-wants-yes", "ha", release="v1", there="1", all="2")
    assert {text for _, text, _ in asked} == {wish}, "in the words of a chat's /swap"
    assert [ids for *_, ids in asked] == [["swap:v1:ask"]] * 2
    lafiya("promote", "v1", "--by", "telegram:2", **admins)
    assert len(chats(store)) == 2, "an ordinary release that is live is told to nobody"


def test_the_service_sends_the_wish_and_its_button_leads_to_the_yes(lafiya, sqlite_url, tmp_path):
    clinic = open_clinic(tiny_mind(FakeEngine()), sqlite_url, tmp_path / "shelf", approvals=2)
    added(clinic.registry, tmp_path, "v1")
    admins = {"APPROVALS": "2", "ADMINS": ADMINS}
    assert lafiya("promote", "v1", "--by", "telegram:1", **admins)[0] == 0
    clinic.now = time.time() + 1
    clinic.send()
    [ask] = [c.id for sent in clinic.telegram.sent for c in sent.reply.choices]
    assert clinic.telegram.sent[-1].address == "3"
    clinic.order("", "3", press=ask)
    clinic.order("", "3", press=clinic.buttons[0])
    assert clinic.live == "v1"
    clinic.app.stop()


def test_whoever_is_in_no_chat_asks_all_admins(lafiya, registry, store, tmp_path):
    added(registry, tmp_path, "v1")
    lafiya("promote", "v1", APPROVALS="2")
    assert [who for who, *_ in chats(store)] == ["12345"]


def test_one_yes_that_is_enough_and_a_refusal_are_told_to_nobody(lafiya, registry, store, tmp_path):
    added(registry, tmp_path, "v1")
    added(registry, tmp_path, "bad", report=BAD)
    assert lafiya("promote", "bad", APPROVALS="2")[0] == 1
    assert lafiya("promote", "v1")[0] == 0
    assert lafiya("promote", "v1")[0] == 1, "it is live already"
    assert lafiya("rollback")[0] == 0
    assert chats(store) == []


def test_an_override_is_told_to_every_admin_also_to_who_is_named(lafiya, registry, store, tmp_path):
    added(registry, tmp_path, "bad", report=BAD)
    admins, why = {"ADMINS": f"{ADMIN},telegram:2"}, "tried by hand"
    forced = ("promote", "bad", "--force", "--reason", why, "--by", ADMIN)
    assert lafiya(*forced, **admins)[0] == 0
    assert lafiya(*forced, **admins)[0] == 1, "it is live already"
    text = Texts()("admin-forced-live", "ha", release="bad", reason=why)
    assert chats(store) == [("12345", text, []), ("2", text, [])]
    lafiya("rollback", **admins)
    lafiya(*forced, **admins)
    assert len(chats(store)) == 4, "forced anew is told anew, however soon"


def test_an_override_that_waits_is_told_and_cannot_be_agreed_to_in_chat(
    lafiya, registry, store, tmp_path
):
    added(registry, tmp_path, "bad", report=BAD)
    admins = {"APPROVALS": "2", "ADMINS": f"{ADMIN},telegram:2"}
    forced = ("promote", "bad", "--force", "--reason", "w" * 999, "--by")
    for _ in range(2):
        assert "1 of 2 have agreed" in lafiya(*forced, ADMIN, **admins)[1]
    said = {"release": "bad", "there": "1", "all": "2", "reason": "w" * 300}
    text = Texts()("admin-forced-wanted", "ha", **said)
    assert chats(store) == [("12345", text, []), ("2", text, [])]
    assert "bad is live" in lafiya(*forced, "telegram:2", **admins)[1]
    assert len(chats(store)) == 4


def test_force_on_what_has_passed_is_no_override(lafiya, registry, store, tmp_path):
    added(registry, tmp_path, "v1")
    assert lafiya("promote", "v1", "--force", "--reason", "w", "--by", ADMIN)[0] == 0
    assert chats(store) == []


def test_the_report_on_any_machine(lafiya, registry, tmp_path):
    added(registry, tmp_path, "v1", "v2", report=None)
    code, said = lafiya("report", "v1")
    assert (code, said) == (1, "Refused: v1: not examined yet\n")
    registry.judge("v1", replace(GOOD, files={**GOOD.files, PICTURE: b"\x89PNG"}), actor="t", now=0)
    registry.label("v1", "hausa", actor="t", now=0)
    assert lafiya("report", "hausa") == (0, "# passed\n")
    assert told(lafiya("report", "v1", "--json")) == (
        0,
        {"release": "v1", "report": "# passed\n", "written": []},
    )
    code, said = lafiya("report", "v1", "--to", str(tmp_path / "out"))
    assert (code, said.split()) == (0, [str(tmp_path / "out" / file) for file in (PAGE, PICTURE)])
    assert (tmp_path / "out" / PICTURE).read_bytes() == b"\x89PNG"
    lies = told(lafiya("show", "v1", "--json"))[1]["report_at"]
    assert sorted(lies) == [PAGE, PICTURE]
    assert (tmp_path / "shelf" / lies[PAGE]).read_text() == "# passed\n"
    (tmp_path / "shelf" / lies[PAGE]).write_text("# passed!\n")
    code, said = lafiya("report", "v1")
    assert (code, "was changed" in said) == (1, True)


def test_a_report_without_a_picture_and_one_from_before_they_were_kept(
    lafiya, registry, store, tmp_path
):
    added(registry, tmp_path, "v1")
    assert told(lafiya("report", "v1", "--to", str(tmp_path / "out"), "--json"))[1]["written"] == [
        str(tmp_path / "out" / PAGE)
    ]
    added(registry, tmp_path, "v2", report=None)
    judge(store, "v2", True, {}, actor="t", now=0)
    runs = tmp_path / "runs"
    assert "on the machine that examined it" in lafiya("report", "v2", RUNS=str(runs))[1]
    assert told(lafiya("show", "v2", "--json"))[1]["report_at"] == {}
    (runs / "v2" / "evaluation").mkdir(parents=True)
    (runs / "v2" / "evaluation" / PAGE).write_text("# old\n")
    assert lafiya("report", "v2", RUNS=str(runs)) == (0, "# old\n")


def test_a_folder_that_takes_no_report(lafiya, registry, tmp_path):
    added(registry, tmp_path, "v1")
    (tmp_path / "file").write_text("")
    code, said = lafiya("report", "v1", "--to", str(tmp_path / "file" / "out"), "--json")
    assert (code, "cannot be written" in json.loads(said)["why"]) == (1, True)


def test_two_people_from_the_command_line(lafiya, registry, tmp_path):
    added(registry, tmp_path, "v1")
    admins = {"APPROVALS": "2", "ADMINS": f"{ADMIN},telegram:2"}
    for _ in range(2):
        assert "1 of 2 have agreed" in lafiya("promote", "v1", "--by", ADMIN, **admins)[1]
    assert "v1 is live" in lafiya("promote", "v1", "--by", "telegram:2", **admins)[1]


def test_a_database_of_another_version(lafiya, tmp_path):
    done = lafiya("list", DATABASE_URL=f"sqlite:///{tmp_path / 'blank.db'}")
    assert done[0] == 1


def test_the_process_ends_with_the_code(sqlite_url, monkeypatch, capsys):
    """As a shell sees it: click's test runner ends in another way than the real command."""
    for name, value in {"DATABASE_URL": sqlite_url, "LOG_LEVEL": "ERROR"}.items():
        monkeypatch.setenv(name, value)
    codes = []
    for words in (["show", "v9"], ["promote"], ["list"]):
        try:
            main(["--env", "none.env", "releases", *words])
            codes.append(0)
        except SystemExit as ended:
            codes.append(ended.code)
    assert codes == [1, 2, 0]
    assert "Refused: there is no release called v9" in capsys.readouterr().err


def test_a_name_that_people_remember(lafiya, registry, store, tmp_path):
    added(registry, tmp_path, "v1", "v2")
    assert told(lafiya("name", "v1", "hausa", "--json")) == (0, {"name": "v1", "label": "hausa"})
    assert "v1 = hausa" in lafiya("list")[1]
    assert told(lafiya("show", "hausa", "--json"))[1]["name"] == "v1"
    assert told(lafiya("promote", "hausa", "--json", "--wait", "0"))[1]["release"] == "v1"
    assert told(lafiya("name", "v2", "hausa", "--json"))[1]["refused"] == "taken"
    assert told(lafiya("name", "v2", "Hausa!", "--json"))[1]["refused"] == "name"
    assert lafiya("name", "v1", "better")[0] == 0, "an operator may rename"
    assert told(lafiya("retire", "v2", "--json"))[1]["name"] == "v2"
