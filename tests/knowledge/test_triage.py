"""Triage: dangers beside their near-misses, in the spellings that people use."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import triage_model
from knowledge.triage import SAFETY_NOTE, Finding, Triage
from knowledge.triage_context import Context
from knowledge.triage_generate import unhooked
from knowledge.triage_rules import Rules
from knowledge.triage_signs import SIGNS, load_signs

SIGN_IDS = sorted(path.stem for path in SIGNS.glob("*.yaml"))

DANGERS = [
    ("breathing", "Yarona yana fama da wahalar numfashi"),
    ("breathing", "b ya nunfashi d kyau"),
    ("newborn", "Jaririna ba ya numfashi da kyau"),
    ("breathing", "qirjinsa yana shiga ciki idan yana numfashi"),
    ("choking", "Abinci ya shaƙe shi, ba ya iya magana"),
    ("chest_pain", "KIRJINA YANA MIN CIWO TUN SAFE"),
    ("unconscious", "kakana yasuma yanzu"),
    ("unconscious", "Bai farka ba tun safe"),
    ("convulsion", "Farfaɗiya ta kama ta yanzu"),
    ("bleeding", "Jini yana ta zuba daga rauni, baya tsayawa"),
    ("pregnancy_bleed", "Ina da ciki. Jini yana zuba."),
    ("pregnancy_eclampsia", "Ina da ciki, ina ganin dishi-dishi da ciwon kai mai tsanani"),
    ("labour", "Tana naƙuda tun jiya"),
    ("newborn", "Jaririn kwana biyu ya ƙi shan nono"),
    ("child_general", "Yaron yana amai duk abin da ya sha"),
    ("dehydration", "Yarona yana amai da gudawa ba tsayawa"),
    ("stroke", "Fuskarsa ta karkata, hannu daya ya shanye"),
    ("snakebite", "Maciji ya sare yarona"),
    ("bite_rabies", "Kare ya cije yarinyata"),
    ("bite_rabies", "Kare ya ciji yarona, shin ana bukatar allurar rigakafi?"),
    ("poisoning", "yaro ya sha fiya-fiya"),
    ("suicide", "Zan kashe kaina"),
    ("meningitis", "Wuyansa ya kage, yana zazzaɓi"),
    ("burns", "Ruwan zafi ya zuba masa"),
    ("electric", "Wutar nepa ta kama shi"),
    ("drowning", "Yaro ya faɗa rijiya"),
    ("trauma", "Babur ya buge shi, kansa ya fashe"),
    ("rape", "An yi mini fyaɗe"),
    ("anaphylaxis", "Fuskarsa ta kumbura bayan ya sha magani"),
    ("sugar_emergency", "Sugar ɗinta ya sauka, tana zufa da karkarwa"),
    ("malaria_severe", "Zazzaɓin ya ƙi sauka kwana uku"),
    ("malnutrition", "Yaro ya rame sosai, kafafunsa sun kumbura"),
    ("bleeding", "il vomit du sang"),
    ("breathing", "elle n'arrive pas à respirer"),
    ("snakebite", "un serpent a mordu mon fils"),
    ("stroke", "la moitié de son corps est paralysée"),
    ("suicide", "je veux mourir"),
    ("eye_emergency", "siminti ya shiga idona"),
]

QUIET = [
    ("origin: headache", "Ina jin ciwon kai da zazzabi tun kwana biyu. Me ya kamata in yi?"),
    ("origin: diarrhoea", "Dana yana da gudawa sosai. Ina bukatan taimako."),
    ("origin: prevention", "Yaya ake hana malaria lokacin damina?"),
    ("origin: diabetes", "Ina da ciwon sukari. Wanne abinci ya dace da ni?"),
    ("origin: pressure", "Kakana mai shekara 70 tana fama da hauhawar jini. Me ya kamata mu yi?"),
    ("prevention", "Yaya ake hana cizon maciji a gona?"),
    ("definition", "Don Allah, mene ne farfaɗiya?"),
    ("knowledge", "Yaya ake bada taimakon gaggawa ga wanda ya suma?"),
    ("denied", "Ba shi da wahalar numfashi."),
    ("denied bite", "Maciji bai sare shi ba, ya gudu."),
    ("past", "Shekaru biyar da suka wuce maciji ya sare ni."),
    ("news", "Mutane arba'in sun rasu sakamakon hatsarin mota a Kaduna."),
    ("idiom", "Wallahi dariya zata kashe ni."),
    ("idiom of enemies", "Ba sa ga maciji da juna tun da daɗewa."),
    ("homograph su ma", "Su ma sun je asibiti."),
    ("homograph fail", "Ya fadi a jarabawa."),
    ("greeting", "Assalamu alaikum, ina kwana? Yaya iyali?"),
    ("denied for good", "Kirjina bai taɓa ciwo ba, ina son motsa jiki."),
    ("device", "Laptop ɗina tana yin zafi tana kashe kanta."),
    ("beast", "Akuyata ta haihu mabiyiya ba ta fita ba."),
    ("news of the dead", "An ce yara ashirin sun nutse a kogi, Allah ya jiƙansu."),
    ("is it right", "Idan maciji ya sari mutum, a tsotse dafin daidai ne?"),
    ("French prevention", "comment éviter les morsures de serpent"),
    ("French past", "il y a cinq ans un chien m'a mordu"),
    ("empty", ""),
    ("marks only", "?! ... \u200b"),
]


@pytest.mark.parametrize(("sign", "text"), DANGERS)
def test_a_danger_raises_the_alarm_hooked_and_unhooked(sign: str, text: str) -> None:
    for spelling in (text, unhooked(text), text.upper(), text.replace("ba ya", "baya")):
        finding = Triage.load().check(spelling)
        assert finding is not None
        assert not finding.downgraded, spelling
        assert finding.sign == sign


@pytest.mark.parametrize(("label", "text"), QUIET)
def test_routine_talk_raises_no_alarm(label: str, text: str) -> None:
    finding = Triage.load().check(text)
    assert finding is None or finding.downgraded, finding


@pytest.mark.parametrize("sign", SIGN_IDS)
def test_near_misses_do_not_escalate(sign: str) -> None:
    loud = [
        miss for miss in Triage.load().signs[sign].near_misses if _live(Triage.load().check(miss))
    ]
    # One in a sign is borne: the other side of each rule is a missed emergency.
    assert len(loud) <= 1, loud


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("definition", "Mene ne wahalar numfashi?"),
        ("past", "Bara ya suma sau ɗaya a makaranta."),
        ("denied", "Ba ni da ciwon ƙirji."),
    ],
)
def test_context_downgrades_to_a_note_and_not_to_nothing(label: str, text: str) -> None:
    finding = Triage.load().check(text)
    assert finding is not None
    assert finding.downgraded
    assert Triage.load().safety_note(finding.sign, "ha") == SAFETY_NOTE["ha"]


@pytest.mark.parametrize(
    ("sign", "text"),
    [
        ("unconscious", "kasuwa ta suma babu ciniki"),
        ("snakebite", "Na yi mafarki maciji ya sare ni, mece ce fassararsa?"),
        ("suicide", "a fim din da muka kalla jarumin ya kashe kansa a karshe"),
    ],
)
def test_words_that_the_scorer_doubts_are_noted_and_not_escalated(sign: str, text: str) -> None:
    finding = Triage.load().check(text)
    assert finding is not None
    assert (finding.sign, finding.downgraded) == (sign, True)


def test_whoever_only_talks_of_suicide_is_given_the_helpline() -> None:
    for language in ("ha", "en"):
        assert "{suicide_line}" in Triage.load().safety_note("suicide", language)


@pytest.mark.parametrize(
    "text",
    [
        "Ba zan kashe kaina ba, kar ka damu.",
        "Bara na yi yunƙurin kashe kaina amma yanzu na warke.",
        "Me ya sa mutum zai ce ina so in mutu?",
        "haha zan kashe kaina",
    ],
)
def test_suicide_wording_needs_hardly_anything_beside_it(text: str) -> None:
    finding = Triage.load().check(text)
    assert finding is not None
    assert (finding.sign, finding.downgraded) == ("suicide", False)


@pytest.mark.parametrize(
    ("sign", "text"),
    [
        ("snakebite", "Maciji!"),
        ("snakebite", "taimako don Allah maciji"),
        ("rape", "fyade"),
        ("convulsion", "Jijjiga"),
        ("labour", "NAQUDA"),
    ],
)
def test_one_word_is_enough(sign: str, text: str) -> None:
    finding = Triage.load().check(text)
    assert finding is not None
    assert (finding.sign, finding.downgraded) == (sign, False)


@pytest.mark.parametrize(
    "text",
    [
        "Akuyata ta tunkuyi yaro ya suma.",
        "Shanu sun taka ni, ƙafata ta karye.",
        "Kyanwata ta cije ni a hannu.",
        "Ya ce zai kashe kansa ya kashe waya.",
    ],
)
def test_what_befalls_people_counts_beside_beasts_and_devices(text: str) -> None:
    assert _live(Triage.load().check(text))


def test_a_live_sentence_wins_over_a_question_beside_it() -> None:
    finding = Triage.load().check("Yaya ake hana cizon maciji? Maciji ya sari yarona yanzu.")
    assert _live(finding)


def test_an_emergency_is_named_before_a_same_day_sign() -> None:
    finding = Triage.load().check("Zazzaɓi kwana uku ya ƙi sauka, yanzu ba ya numfashi.")
    assert finding is not None
    assert finding.urgency == "now"


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=200))
@settings(max_examples=60, deadline=None)
def test_check_never_raises(text: str) -> None:
    assert isinstance(Triage.load().check(text), Finding | None)


def test_a_failure_inside_is_no_finding_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Context):
        def cues(self, keyed: str) -> dict[str, bool]:
            raise RuntimeError("broken on purpose")

    broken = Triage(
        load_signs(),
        Broken(
            {
                "acute": "a",
                "event": "a",
                "personal": "a",
                "idioms": ["x"],
                "removals": ["x"],
                "labels": {},
            }
        ),
    )
    assert broken.check("yarona ya suma a gida") is None
    assert "ya suma" not in caplog.text
    assert "triage failed" in caplog.text


def test_the_rules_alone_still_work_without_a_model() -> None:
    rules_only = Triage(load_signs(), Context.load())
    missed = [text for _, text in DANGERS if not _live(rules_only.check(text))]
    assert missed == []


def test_a_folder_without_a_model_loads_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = Path(triage_model.__file__).parent
    for name in ("signs", "data"):
        (tmp_path / name).symlink_to(source / name)
    assert _live(Triage.load(tmp_path).check("Zan kashe kaina"))
    assert "written rules only" in caplog.text


def test_replies_come_in_two_languages_and_fall_back_to_hausa() -> None:
    assert Triage.load().reply("snakebite", "en").startswith("Move away")
    assert Triage.load().reply("snakebite", "ff") == Triage.load().reply("snakebite", "ha")
    with pytest.raises(KeyError):
        Triage.load().reply("no-such-sign", "ha")


def test_a_message_is_checked_fast() -> None:
    texts = [text for _, text in (*DANGERS, *QUIET)] * 3
    begun = time.process_time()
    for text in texts:
        Triage.load().check(text)
    assert (time.process_time() - begun) / len(texts) < 0.005


def test_pairs_need_both_words_near_each_other() -> None:
    rules = Rules(load_signs())
    assert any(hit.sign == "burns" for hit in rules.hits("ruwan zafi fatarsa"))
    assert not any(hit.by == "pair" for hit in rules.hits("ruwan zafi"))


def _live(finding: Finding | None) -> bool:
    return finding is not None and not finding.downgraded


def test_no_phrase_of_a_sign_is_taken_for_mere_talk() -> None:
    """What clinicians wrote down as the sign itself is answered as the sign, in every spelling."""
    triage = Triage.load()
    missed = [
        (sign.id, text)
        for sign in triage.signs.values()
        for phrase in sign.phrases
        for text in (phrase, unhooked(phrase))
        if (found := triage.check(text)) is None or found.downgraded
    ]
    assert missed == []
