"""Whom a question is about: what is said is heard, and nothing that is not said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.messages import Past
from knowledge.person import LEAD, about, line, said

#: (what was written, the line without its beginning)
WHO = [
    ("Yarona yana zazzaɓi", "yaro"),
    ("yaro na yana zazzabi", "yaro"),
    ("ɗana yana tari", "yaro"),
    ("'yata tana amai", "yarinya"),
    ("yarinyata tana amai", "yarinya"),
    ("yarana suna gudawa", "yara"),
    ("jaririna baya shan nono", "jariri"),
    ("Jaririyata tana kuka", "jaririya"),
    ("sabon jariri yana da zazzabi", "jariri (sabuwar haihuwa)"),
    ("Matata tana jin jiri", "matar mai tambaya"),
    ("mijina yana tari", "mijin mai tambaya"),
    ("maigidana bashi da lafiya", "mijin mai tambaya"),
    ("mahaifiyata tana ciwon kafa", "mahaifiyar mai tambaya"),
    ("babana ya fadi", "mahaifin mai tambaya"),
    ("kakata tana mantuwa", "kakan mai tambaya"),
    ("kanwata na ciwon mara", "ɗan uwa ko 'yar uwar mai tambaya"),
    ("ɗan uwana yana tari", "ɗan uwa ko 'yar uwar mai tambaya"),
    ("makwabcinmu yana tari", "makwabcin mai tambaya"),
    ("maƙwabciyata tana tari", "makwabcin mai tambaya"),
    ("abokina yana shan taba", "abokin mai tambaya"),
    ("yaron makwabcina yana tari", "yaro"),
    ("'yar kanwata tana amai", ""),
    ("ina da ciwon kai", "mai tambaya"),
    ("ina fama da tari", "mai tambaya"),
    ("cikina yana ciwo", "mai tambaya"),
    ("kaina na min ciwo", "mai tambaya"),
    ("my son has a fever", "yaro"),
    ("my child is vomiting", "yaro ko yarinya"),
    ("my daughter is vomiting", "yarinya"),
    ("my baby has fever", "jariri"),
    ("my wife feels dizzy", "matar mai tambaya"),
    ("I have a headache", "mai tambaya"),
    ("i feel dizzy", "mai tambaya"),
    ("wani tsoho ya fadi", "tsoho ko tsohuwa"),
    # Near misses.
    ("ina asibiti yake?", ""),
    ("ina da tambaya", ""),
    ("I have a question", ""),
    ("I have a child", ""),
    ("yaya ake hana maleriya", ""),
    ("menene tari", ""),
    ("mata nawa suke zuwa", ""),
    ("tsohon magani ne", ""),
    ("yayana suna lafiya", ""),
    ("mijina da yarona suna tari", ""),
    ("ina da cikin wata tara kuma mijina baya gari", ""),
    ("uwa mai HIV yaya zata kare jaririnta", ""),
    ("mijina ya sa min cuta", ""),
    ("mijina yana duka, ina zan kai kara", ""),
    ("kakata tace in jira sati daya", ""),
    ("yana ta kakari", ""),
    ("ina shan taba tun ina yaro", ""),
    ("diyar makwabcina tana amai", "yarinya"),
    ("matata tana shayar da jariri", ""),
    ("kakata ta ce matata tana da ciki", "matar mai tambaya, mai ciki"),
    ("", ""),
    ("🤒", ""),
]
AGE = [
    ("yarona ɗan shekara 2 yana zazzaɓi", "yaro, shekara 2"),
    ("yarona dan shekara biyu", "yaro, shekara 2"),
    ("'yata 'yar wata shida", "yarinya, wata 6"),
    ("yaro mai shekara goma sha biyu", "yaro, shekara 12"),
    ("yaro mai shekara sha biyu", "yaro, shekara 12"),
    ("matata mai shekara ashirin da biyar", "matar mai tambaya, shekara 25"),
    ("mahaifina mai kimanin shekaru sittin", "mahaifin mai tambaya, shekara 60"),
    ("jaririna ɗan sati 3", "jariri (sabuwar haihuwa), sati 3"),
    ("jaririna dan kwana uku", "jariri (sabuwar haihuwa), kwana 3"),
    ("jariri yana da kwana 5.", "jariri (sabuwar haihuwa), kwana 5"),
    ("jaririna watansa 4", "jariri, wata 4"),
    ("shekarunsa 5 yarona", "yaro, shekara 5"),
    ("shekaruna 30 ina da ciwon kai", "mai tambaya, shekara 30"),
    ("yarona yana da shekara 3 yana tari", "yaro, shekara 3"),
    ("ina da shekara 45 ina fama da ciwon baya", "mai tambaya, shekara 45"),
    ("dana mai shekara 25", "ɗa ko 'ya da ya girma, shekara 25"),
    ("my 2-year-old son has fever", "yaro, shekara 2"),
    ("my baby is 3 weeks old", "jariri (sabuwar haihuwa), sati 3"),
    ("I am 30 years old and I feel dizzy", "mai tambaya, shekara 30"),
    ("my daughter 4yo coughs", "yarinya, shekara 4"),
    # Near misses: lengths of time, amounts, impossible or two ages.
    ("yarona yana tari kwana 3", "yaro"),
    ("yarona yana tari tun sati 2", "yaro"),
    ("jaririna yana da kwana 3 yana zazzabi", "jariri"),
    ("ina da shekara 5 da aure", "mai tambaya"),
    ("ina da shekara 2 ina fama da ulcer", "mai tambaya"),
    ("matata tana da wata 6", "matar mai tambaya"),
    ("my son has had fever for 3 days", "yaro"),
    ("an cire min kashi ina dan shekara takwas", ""),
    ("mahaifina yana da shekara 5 yana tari", "mahaifin mai tambaya"),
    ("yarona ya sha kwaya 2", "yaro"),
    ("yara dan shekara 2 da dan shekara 5", "yara"),
    ("yarona dan shekara 200", "yaro"),
    ("jaririna mai shekara 9", "jariri"),
]
STATE = [
    ("ina da ciki wata 6", "mai tambaya, mai ciki"),
    ("Ina da juna biyu ina jin jiri", "mai tambaya, mai ciki"),
    ("matata tana da ciki, tana amai", "matar mai tambaya, mai ciki"),
    ("matata mai juna-biyu tana amai", "matar mai tambaya, mai ciki"),
    ("mai ciki za ta iya azumi?", "mai ciki"),
    ("I'm pregnant and have fever", "mai tambaya, mai ciki"),
    ("my wife is 3 months pregnant", "matar mai tambaya, mai ciki"),
    ("'yata mai cikin wata takwas ta ga jini", "'yar mai tambaya, mai ciki"),
    ("kyanwa mai ciki a gida", ""),
    ("ina tsammanin ina da ciki", "mai tambaya"),
    ("kanin babana yana tari", ""),
    ("ina shayarwa, zan iya shan magani?", "mai tambaya, mai shayarwa"),
    ("matata tana shayarwa", "matar mai tambaya, mai shayarwa"),
    ("ina da hawan jini", "mai tambaya, mai hawan jini"),
    ("Ina da hawan jini da ciwon sukari", "mai tambaya, mai ciwon sukari, mai hawan jini"),
    ("mahaifiyata tana fama da ciwon suga", "mahaifiyar mai tambaya, mai ciwon sukari"),
    ("mijina mai hawan jini ya fadi", "mijin mai tambaya, mai hawan jini"),
    ("yarona mai sikila yana ciwon kafa", "yaro, mai sikila"),
    ("yarona yana da amosanin jini", "yaro, mai sikila"),
    ("kanina yana da asma", "ɗan uwa ko 'yar uwar mai tambaya, mai asma"),
    ("ina dauke da kwayar cutar HIV", "mai HIV"),
    ("na kamu da kanjamau", "mai tambaya, mai HIV"),
    ("my mother is diabetic", "mahaifiyar mai tambaya, mai ciwon sukari"),
    ("my father has high blood pressure", "mahaifin mai tambaya, mai hawan jini"),
    ("ciwon sukari gareni", ""),
    # Near misses: denied, asked, wondered about, another thing.
    ("ba ni da ciki amma ina amai", "mai tambaya"),
    ("bani da ciki", ""),
    ("matata ba ta da ciki", "matar mai tambaya"),
    ("matata bata da ciki", "matar mai tambaya"),
    ("i am not pregnant", ""),
    ("ko ina da ciki?", "mai tambaya"),
    ("Ina da ciki?", "mai tambaya"),
    ("yaya zan san ina da ciki", "mai tambaya"),
    ("idan mace tana da ciki", ""),
    ("am I pregnant?", ""),
    ("ina da ciwon ciki", "mai tambaya"),
    ("ciki yana ciwo", ""),
    ("yadda ake samun ciki", ""),
    ("matata ta daina shayarwa", "matar mai tambaya"),
    ("bana shayarwa", ""),
    ("amfanin shayarwa", ""),
    ("menene ciwon sukari?", ""),
    ("yadda ake hana hawan jini", ""),
    ("ba ni da hawan jini", ""),
    ("mijina ba shi da ciwon sukari", "mijin mai tambaya"),
    ("ina tsoron ko ina da HIV", "mai tambaya"),
    ("I don't have diabetes", ""),
    ("abinci mai sukari", ""),
    ("does my wife have asthma", "matar mai tambaya"),
]


@pytest.mark.parametrize(("text", "expected"), [*WHO, *AGE, *STATE])
def test_what_is_said(text: str, expected: str) -> None:
    assert line(text).removeprefix(LEAD) == expected
    assert line(text.upper()).removeprefix(LEAD) == expected


GROUPS = [
    ("jariri dan kwana 28", "newborn"),
    ("jariri dan kwana 29", "infant"),
    ("sabon jariri", "newborn"),
    ("an haifi yaro jiya", "newborn"),
    ("jaririna", "infant"),
    ("yaro dan wata 11", "infant"),
    ("yaro dan wata 12", "child"),
    ("yarona", "child"),
    ("yaro mai shekara 17", "child"),
    ("mai shekara 18", "adult"),
    ("mai shekara 59", "adult"),
    ("mai shekara 60", "old"),
    ("wata tsohuwa", "old"),
    ("mijina", None),
    ("na tsufa da wuri?", None),
]


@pytest.mark.parametrize(("text", "group"), GROUPS)
def test_age_groups(text: str, group: str | None) -> None:
    assert said(text).group == group


#: (what the person wrote before, oldest first; the question; the line)
TALKS = [
    (["yarona dan shekara 2 yana tari"], "zan iya ba shi zuma?", "yaro, shekara 2"),
    (["yarona dan shekara 2 yana tari"], "yarona yana amai", "yaro, shekara 2"),
    (["yarona yana tari", "shekarunsa 4"], "me zan ba shi?", "yaro, shekara 4"),
    (["ina da ciki", "wata 6"], "zan iya shan magani?", "mai tambaya, mai ciki"),
    (["ina da ciki"], "ba ni da ciki, me zan sha?", "mai tambaya"),
    (["ina da hawan jini"], "ina da ciwon kai", "mai tambaya, mai hawan jini"),
    (["my son is 3 years old"], "can he drink milk", "yaro, shekara 3"),
    # Somebody else, or nobody.
    (["yarona dan shekara 2 yana tari"], "yaya ake hana maleriya", ""),
    (["yarona dan shekara 2 yana tari"], "ina da ciwon kai", "mai tambaya"),
    (["ina da ciki"], "mijina yana tari", "mijin mai tambaya"),
    (["yarona dan shekara 2", "mijina yana tari"], "me zan ba shi?", "mijin mai tambaya"),
    (["mijina da yarona suna tari"], "me zan ba shi?", ""),
    (["yarona dan shekara 2", "mijina da matata suna tari"], "me zan ba shi?", ""),
    (["yarona dan shekara 2"], "mijina da yarona suna tari", ""),
    ([], "me zan ba shi?", ""),
]


@pytest.mark.parametrize(("before", "question", "expected"), TALKS)
def test_what_was_said_before(before: list[str], question: str, expected: str) -> None:
    past = tuple(turn for text in before for turn in (Past("user", text), Past("assistant", "to")))
    assert line(question, past).removeprefix(LEAD) == expected


def test_our_own_answers_say_nothing_of_the_person() -> None:
    past = (Past("user", "sannu"), Past("assistant", "Idan yaronka dan shekara 2 yana da asma"))
    assert line("me zan ba shi?", past) == ""


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=80), st.text(max_size=40))
def test_any_text_can_be_read(question: str, before: str) -> None:
    found = about(question, (Past("user", before),))
    shown = line(question, (Past("user", before),))
    assert "\n" not in shown
    assert found.many is False or shown == ""


def test_a_very_long_text_is_quick_to_read() -> None:
    assert line("ina da " * 3_000 + "ciki ").endswith("mai ciki")
