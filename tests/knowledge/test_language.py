"""Language detection: Hausa on three words, the others honestly, nothing ever raised."""

import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.folding import tokens
from knowledge.language import Detector, is_arabic_script
from knowledge.language_train import Line, corpus, report

DETECTOR = Detector.load()
LINES = corpus()

CASES = [
    ("hooked", "Ina da ciwon ƙirji tun jiya", "ha"),
    ("unhooked, joined", "yarona bayajin dadi tun jiya", "ha"),
    ("three words", "kaina na ciwo", "ha"),
    ("two words", "hawan jini", "ha"),
    ("one word", "gudawa", "ha"),
    ("short form without a vowel", "gsky mgn", "ha"),
    ("capitals", "YARONA BA YA NUMFASHI", "ha"),
    ("code-mixed, Hausa grammar", "BP dina ya yi high, me zan ci?", "ha"),
    ("code-mixed, English opening", "pls doctor wife dina tana labour", "ha"),
    ("code-mixed, English phrase", "Ina son sani about family planning", "ha"),
    ("one loan word stays Hausa", "malaria", "ha"),
    ("two loan words stay Hausa", "HIV test", "ha"),
    ("greeting shared by all", "hello", "ha"),
    ("English question", "what are the symptoms of typhoid", "en"),
    ("English, three words", "how are you", "en"),
    ("English like Hausa letters", "i had a headache", "en"),
    ("English with a Hausa word", "what is zazzabi", "en"),
    ("Pidgin", "abeg wetin I go do, my pikin dey sick", "pcm"),
    ("Pidgin, three words", "I dey sick", "pcm"),
    ("Yoruba", "E jowo e ran mi lowo, omo mi n se aisan", "yo"),
    ("Yoruba with marks", "ẹ jọ̀wọ́ ẹ ràn mí lọ́wọ́", "yo"),
    ("Igbo", "Biko nyere m aka, isi na-awa m", "ig"),
    ("French", "Mon enfant a de la fièvre", "fr"),
    ("French without accents", "bonjour docteur mon fils est malade", "fr"),
    ("Fulfulde", "Hoore am ɗon naawa, mi yiɗi lekki", "ff"),
    ("Kanuri", "Tadanyi dondi, tiyinzə kannu", "kr"),
    ("Kanuri without its schwa", "ndu yaye mbeji kuru nankaro", "kr"),
    ("Hausa words that Kanuri has too", "kawu ya yaye jaririn jiya", "ha"),
    ("Swahili is not named", "Mtoto wangu ana homa kali sana", "ha"),
    ("Arabic", "أنا مريض عندي صداع منذ يومين", "ar"),
    ("Arabic greeting", "السلام عليكم كيف حالك", "ar"),
    ("Ajami", "يارونا با شي دا لاڢيا", "ajami"),
    ("Ajami, doubtful words", "إنا دا ززب", "ajami"),
    ("empty", "", "none"),
    ("emoji", "😭😭🙏", "none"),
    ("digits", "0803 123 4567", "none"),
    ("an abbreviation is a word", "TB", "ha"),
    ("no vowels", "sdfghjkl", "none"),
    ("one key held", "kkkkkkk", "none"),
    ("lone surrogate", "\ud800", "none"),
]


@pytest.mark.parametrize(("label", "text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_detect(label: str, text: str, expected: str) -> None:
    assert DETECTOR.detect(text) == expected, label


@pytest.mark.parametrize(
    ("text", "arabic"), [("ina", False), ("123", False), ("سلام 12", True), ("ina سلا", False)]
)
def test_scripts(text: str, arabic: bool) -> None:
    assert is_arabic_script(text) is arabic


@pytest.mark.parametrize("source", ["naijasenti", "tico", "tico-chat", "afriqa", "written"])
def test_hausa_is_not_mistaken(source: str) -> None:
    texts = _test_texts("ha", source)
    assert _share(texts, "ha") >= 0.99
    assert _share([" ".join(text.split()[:3]) for text in texts], "ha") >= 0.97


@pytest.mark.parametrize("source", ["tico", "tico-chat", "afriqa", "written"])
def test_english_is_known(source: str) -> None:
    assert _share(_test_texts("en", source), "en") >= 0.9


@pytest.mark.parametrize("language", ["yo", "ig", "pcm", "fr", "ff", "kr"])
def test_others_are_known_from_a_sentence(language: str) -> None:
    assert _share(_test_texts(language, "written"), language) >= 0.75


def test_marker_words_of_others_are_no_hausa() -> None:
    """A marker word may be Hausa too (ya, na), but never many of one language's words."""
    hausa = [line for line in LINES if line.language == "ha" and line.source != "written"]
    counts = Counter(word for line in hausa for word in tokens(line.text))
    common = {word for word, _ in counts.most_common(250)}
    for name in ("en", "pcm", "yo", "ig", "fr", "ff", "kr"):
        words = DETECTOR.markers[name].words
        assert len(words & common) <= len(words) * 0.16, (name, sorted(words & common))


def test_report_prints_a_row_for_each_group() -> None:
    lines = [Line("ha", "test", "a", "ina da ciwon kai sosai"), Line("ha", "train", "b", "kai")]
    table = report(DETECTOR, lines)
    assert table.count("\n") == 1
    assert "100.0 %" in table


def test_fast_enough() -> None:
    texts = [line.text for line in LINES if line.split == "test"][:200]
    start = time.perf_counter()
    for text in texts:
        DETECTOR.detect(text)
    assert (time.perf_counter() - start) / len(texts) < 0.02  # ten times the aim, for busy machines


@given(st.text())
def test_never_raises(text: str) -> None:
    assert DETECTOR.detect(text) in {
        *("ha", "en", "pcm", "yo", "ig", "kr", "ff", "fr", "ajami", "ar", "none")
    }


def _test_texts(language: str, source: str) -> list[str]:
    return [
        line.text
        for line in LINES
        if (line.language, line.source, line.split) == (language, source, "test")
    ]


def _share(texts: list[str], label: str) -> float:
    return sum(DETECTOR.detect(text) == label for text in texts) / len(texts)
