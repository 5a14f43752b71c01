"""The judge of a run: what is a loss, and which repeats the service may be forgiven."""

import pytest

from tests.acceptance.service import Upset
from tests.acceptance.traffic import Note, judge
from tests.providers import Providers, Sent

NOTE = Note("telegram", 771000000, 0, 1)
KILL = Upset("kill serve", 100.0, 103.0)


def sent(at, outcome="ok", taken=True):
    return Sent("telegram", "sendMessage", NOTE.address, NOTE.text, {}, outcome, taken, "1", at)


# (label, sends, the service's doubts, (lost, without doubt, late), fine)
RUNS = [
    ("answered", [sent(1)], 0, (0, 0, 0), True),
    ("never answered", [], 0, (1, 0, 0), False),
    ("refused only", [sent(1, "429", False)], 0, (1, 0, 0), False),
    ("twice for nothing", [sent(1), sent(3)], 0, (0, 1, 0), False),
    ("twice after a reset", [sent(1, "reset"), sent(3)], 1, (0, 0, 0), True),
    ("twice about a kill", [sent(99.5), sent(104)], 1, (0, 0, 0), True),
    ("long before a kill", [sent(50), sent(104)], 0, (0, 1, 0), False),
    ("an answer that came too late", [sent(1), sent(3)], 1, (0, 0, 1), True),
    ("one doubt for two repeats", [sent(1), sent(3), sent(5)], 1, (0, 1, 1), False),
    ("its doubt was another send's", [sent(1, "reset"), sent(3), sent(5)], 1, (0, 1, 0), False),
]


@pytest.mark.parametrize(
    ("label", "sends", "doubts", "expected", "fine"), RUNS, ids=[run[0] for run in RUNS]
)
def test_a_run(label, sends, doubts, expected, fine):
    providers = Providers()
    providers.sent.extend(sends)
    found = judge([NOTE], providers, [KILL], {NOTE.key: doubts})
    providers.server.server_close()
    assert (found.lost, found.repeated_without_doubt, found.repeated_late) == expected
    assert found.fine is fine


def test_a_service_in_doubt_about_everything_is_not_believed():
    notes = [Note("telegram", 771000000 + n, 0, 1) for n in range(60)]
    providers = Providers()
    for note in notes:
        for at in (1, 3):
            providers.sent.append(
                Sent("telegram", "sendMessage", note.address, note.text, {}, "ok", True, "1", at)
            )
    found = judge(notes, providers, [], {note.key: 1 for note in notes})
    providers.server.server_close()
    assert (found.repeated_without_doubt, found.repeated_late) == (0, 60)
    assert not found.fine
