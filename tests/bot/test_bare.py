"""What of a stored answer is the answer."""

import pytest

from bot.bare import AROUND, bare
from bot.texts import LANGUAGES, Texts

TEXTS = Texts()
ANSWER = "A sha ruwa.\n\n• A huta.\n• A je asibiti."


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", AROUND)
def test_the_lines_around_it_go_wherever_they_stand(key, language):
    line = TEXTS(key, language)
    assert bare(f"{line}\n\n{ANSWER}", TEXTS) == ANSWER
    assert bare(f"{ANSWER}\n\n{line}", TEXTS) == ANSWER
    assert bare(f"{line}\n\n{ANSWER}\n\n{TEXTS('late-note', 'ha')}", TEXTS) == ANSWER


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_near_one_person_is_nobody_elses(language):
    rows = "• Asibitin Murtala, 0800\n• Cibiyar Gwale"
    head = TEXTS("nearby-list", language, place="Kano")
    assert bare(f"{ANSWER}\n\n{head}\n{rows}", TEXTS) == ANSWER
    for near in (head, f"{head} {rows}", f"{head[:-1]}\n{rows}", f"Ga su:\n{rows}"):
        assert bare(f"{ANSWER}\n\n{near}", TEXTS) == f"{ANSWER}\n\n{near}"


@pytest.mark.parametrize("key", AROUND)
def test_what_is_only_like_them_stays(key):
    line = TEXTS(key, "ha")
    for near in (f"{ANSWER} {line}", f"{line} {ANSWER}", f"{ANSWER}\n{line}", ANSWER, ""):
        assert bare(near, TEXTS) == near
