"""Topics are read strictly, and searches end in the outcome they should."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.library import Library, LibraryError, Match, Thresholds, decide
from knowledge.retrieval import Scores
from knowledge.topic import LANGUAGES, read_topic

TOPIC = """\
id: ors
title: {ha: "Ruwan ORS", en: "ORS"}
questions: ["yaya ake hada ors", "oresol"]
answer: {ha: "A haɗa ORS.", en: "Mix ORS."}
clinic_today: {ha: "Ku je asibiti yau idan amai.", en: "Go today if vomiting."}
more: {ha: "Ƙari.", en: "More."}
avoid: {ha: "Kada a tafasa.", en: "Do not boil."}
source: [{name: "WHO", year: 2005}]
status: draft
reviewer: null
review_by: 2027-05-31
"""

ORIGIN = [
    ("Ina jin ciwon kai da zazzabi tun kwana biyu. Me ya kamata in yi?", "fever-adult"),
    ("Dana yana da gudawa sosai. Ina bukatan taimako.", "diarrhoea-child"),
    ("Yaya ake hana malaria lokacin damina?", "malaria-prevention"),
    ("Ina da ciwon sukari. Wanne abinci ya dace da ni?", "diabetes-diet"),
    ("Kakana mai shekara 70 tana fama da hauhawar jini. Me ya kamata mu yi?", "hypertension"),
]

SAME_TOPIC = [
    ("greeting", "Salam likita don Allah BP dina ya hau", "hypertension"),
    ("short form", "BP", "hypertension"),
    ("hooks", "Yarona yana da zazzaɓi mai zafi", "fever-child"),
    ("no hooks", "yarona yana da zazzabi mai zafi", "fever-child"),
    ("capitals", "YAYA AKE HADA ORS", "ors"),
    ("pregnancy beside malaria", "matata mai ciki tana da malaria", "pregnancy-malaria"),
    ("child beside malaria", "maleriya ta kama ni me zan sha", "malaria-treatment"),
    ("English", "how do I prevent malaria", "malaria-prevention"),
]

NOT_HEALTH = [
    "nawa ake sayar da buhun shinkafa a kasuwa",
    "wa ya ci wasan jiya tsakanin arsenal da chelsea",
    "yaushe za a yi zaben shugaban kasa",
    "waya ta ta ki kunnawa yaya zan gyara",
]


@pytest.fixture(scope="module")
def library() -> Library:
    return Library.load()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def to_file(text: str) -> Path:
        path = tmp_path / "ors.yaml"
        path.write_text(text, "utf-8")
        return path

    return to_file


def test_a_topic_gives_its_two_messages(write: Callable[[str], Path]) -> None:
    topic = read_topic(write(TOPIC))

    assert topic.first("ha") == "A haɗa ORS.\n\nKu je asibiti yau idan amai."
    assert topic.further("ha") == "Ƙari.\n\nKada a tafasa.\n\nTushe: WHO, 2005"
    assert topic.further("en").endswith("Source: WHO, 2005")


@pytest.mark.parametrize(
    ("label", "old", "new", "field"),
    [
        ("not YAML", "id: ors", "id: [", "file"),
        ("name differs", "id: ors", "id: zinc", "id"),
        ("field missing", "reviewer: null\n", "", "reviewer"),
        ("field unknown", "reviewer: null", "reviewer: null\nnotes: x", "notes"),
        ("no English", ', en: "Mix ORS."', "", "answer"),
        ("empty text", '"Mix ORS."', '" "', "answer.en"),
        ("question not text", '"oresol"', "5", "questions[2]"),
        ("no questions", '["yaya ake hada ors", "oresol"]', "[]", "questions"),
        ("source without year", ", year: 2005", "", "source[1]"),
        ("year as text", "2005", '"2005"', "source[1]"),
        ("status unknown", "draft", "done", "status"),
        ("signed by nobody", "draft", "reviewed", "reviewer"),
        ("no date", "2027-05-31", "soon", "review_by"),
    ],
)
def test_a_broken_topic_names_file_and_field(
    write: Callable[[str], Path], label: str, old: str, new: str, field: str
) -> None:
    path = write(TOPIC.replace(old, new))

    with pytest.raises(LibraryError) as caught:
        read_topic(path)

    assert str(caught.value).startswith(f"ors.yaml: {field}:"), label


def test_an_empty_folder_finds_nothing(tmp_path: Path) -> None:
    assert Library.load(tmp_path).search("malaria") == Match("nothing", (), off_topic=False)


def test_reviewed_only_leaves_drafts_out(write: Callable[[str], Path]) -> None:
    folder = write(TOPIC).parent

    assert list(Library.load(folder).topics) == ["ors"]
    assert not Library.load(folder, reviewed_only=True).topics

    write(TOPIC.replace("draft", "reviewed").replace("null", '"A. B."'))
    assert list(Library.load(folder, reviewed_only=True).topics) == ["ors"]


def test_one_topic_alone_can_be_searched(write: Callable[[str], Path]) -> None:
    match = Library.load(write(TOPIC).parent).search("yaya ake hada ors")

    assert [passage.id for passage in match.passages] == ["ors"]


@pytest.mark.parametrize(("question", "topic"), ORIGIN)
def test_the_origins_questions_are_certain(library: Library, question: str, topic: str) -> None:
    match = library.search(question)

    assert (match.outcome, match.passages[0].id) == ("certain", topic)


@pytest.mark.parametrize(("label", "question", "topic"), SAME_TOPIC)
def test_wording_does_not_matter(library: Library, label: str, question: str, topic: str) -> None:
    match = library.search(question)

    assert match.passages, label
    assert match.passages[0].id == topic


@pytest.mark.parametrize("text", NOT_HEALTH)
def test_what_is_not_about_health_is_declined(library: Library, text: str) -> None:
    match = library.search(text)

    assert (match.outcome, match.passages, match.off_topic) == ("nothing", (), True)


@pytest.mark.parametrize(
    "text",
    [
        "awakina suna tari wane magani",
        "motata tana zafi tana tari idan na taka",
        "an karya farashin shinkafa a kasuwar mu",
        "tumakin makwabta suna tari da atishawa",
        "an gina sabon asibiti a garin gwamna",
    ],
)
def test_an_ailing_beast_car_or_market_is_no_topic_of_ours(library: Library, text: str) -> None:
    assert library.search(text).outcome == "nothing"


@pytest.mark.parametrize("text", ["", "   ", "🙂", "?!", "Salam", "don Allah likita", "xqzwv"])
def test_what_says_nothing_finds_nothing(library: Library, text: str) -> None:
    assert library.search(text) == Match("nothing", (), off_topic=False)


def test_passages_are_ranked_scored_and_limited(library: Library) -> None:
    passages = library.search("malaria", limit=3).passages

    assert len(passages) == 3
    assert [p.score for p in passages] == sorted((p.score for p in passages), reverse=True)
    assert all(0 <= p.score <= 1 and p.text for p in passages)


def test_searching_twice_says_the_same(library: Library) -> None:
    assert library.search("ciwon kai") == library.search("ciwon kai")


@settings(max_examples=80, deadline=None)
@given(text=st.text(max_size=80) | st.text(alphabet=st.characters(categories=["Cs", "Mn", "Lo"])))
def test_no_text_breaks_a_search(library: Library, text: str) -> None:
    assert library.search(text).outcome in ("certain", "context", "nothing")


@pytest.mark.parametrize(
    ("label", "first", "second", "health", "expected"),
    [
        ("clear", 0.9, 0.1, 0.9, "certain"),
        ("just", 0.50, 0.12, 0.60, "certain"),
        ("score too low", 0.49, 0.0, 0.9, "context"),
        ("two topics near", 0.9, 0.53, 0.9, "context"),
        ("hardly about health", 0.9, 0.1, 0.59, "context"),
        ("little fits", 0.10, 0.0, 0.9, "context"),
        ("nothing fits", 0.09, 0.0, 0.9, "nothing"),
        ("fits a little but is not health", 0.5, 0.1, -0.5, "nothing"),
    ],
)
def test_outcomes(label: str, first: float, second: float, health: float, expected: str) -> None:
    scores = Scores((("a", first), ("b", second)), health)

    assert decide(scores, Thresholds()) == expected, label


# Samples, logs, training rows and the page name topics by these ids: they never change.
FIXED = frozenset(
    (
        *("anaemia", "antenatal-care", "antibiotics", "anxiety", "asthma", "back-pain"),
        *("balanced-diet", "birth-preparedness", "breast-cancer", "breast-pain"),
        *("breastfeeding", "burns-first-aid", "cervical-cancer", "choking-first-aid"),
        *("cholera", "clean-water", "complementary-feeding", "conjunctivitis"),
        *("constipation", "cough-cold", "covid-19", "depression", "diabetes"),
        *("diabetes-diet", "diarrhoea-child", "diphtheria", "dizziness", "ear-infection"),
        *("epilepsy", "exercise", "fake-medicines", "family-planning", "fever-adult"),
        *("fever-child", "fgm", "fistula", "fracture-first-aid", "gender-violence"),
        *("hajj-health", "handwashing", "headache", "heat", "hepatitis-b", "hiv"),
        *("home-birth", "hypertension", "immunization", "infertility", "insomnia"),
        *("joint-pain", "kidney-disease", "lassa-fever", "malaria-prevention"),
        *("malaria-treatment", "malnutrition-child", "measles", "meningitis"),
        *("menstrual-pain", "missed-period", "mpox", "newborn-care", "nosebleed", "ors"),
        *("peptic-ulcer", "phc-services", "pneumonia-child", "poisoning-prevention"),
        *("postpartum-care", "postpartum-depression", "pregnancy-malaria"),
        *("pregnancy-nutrition", "rabies-prevention", "ramadan-fasting", "rape-care"),
        *("ringworm", "scabies", "schistosomiasis", "scorpion-sting", "sickle-cell"),
        *("skin-itching", "smoking", "snakebite-first-aid", "sore-throat", "sti"),
        *("stomach-ache", "stroke-prevention", "substance-abuse", "teething", "tetanus"),
        *("toothache", "traditional-medicine", "tuberculosis", "typhoid", "uti"),
        *("vaccine-safety", "worms", "wound-care", "yellow-fever"),
    )
)


def test_the_ids_that_others_name_are_there(library: Library) -> None:
    assert len(FIXED) == 98
    assert set(library.topics) >= FIXED


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_first_message_is_short_and_a_source_has_its_edition(
    library: Library, language: str
) -> None:
    for topic in library.topics.values():
        assert len(topic.first(language)) <= 600, topic.id
        assert all(1990 <= source.year <= 2026 for source in topic.source), topic.id
