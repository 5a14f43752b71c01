"""Places: what is one, what only sounds like one, and what is misspelt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.places import Place, Places

# Names of local governments as their states list them; no facility is named here.
PLACES = Places.load(
    [
        ("Katsina", "Funtua"),
        ("Katsina", "Ƙanƙara"),
        ("Katsina", "Katsina"),
        ("Kano", "Nassarawa"),
        ("Kano", "Gaya"),
        ("Kaduna", "Birnin Gwari"),
        ("Kaduna", "Giwa"),
        ("Kebbi", "Birnin Kebbi"),
        ("Zinder", "Mirriah"),
        ("Bauchi", "Ningi"),
        ("Ondo", "Ifedore"),
        ("Ekiti", "Ifedore"),
    ]
)
FOUND = [
    ("state", "ina zaune a Katsina", "Katsina"),
    ("alias", "muna Sakkwato", "Sokoto"),
    ("Hausa name", "a Damagaram muke", "Zinder"),
    ("capital", "ina Abuja yanzu", "FCT"),
    ("local government", "asibiti a funtua", "Funtua, Katsina"),
    ("with its state", "Funtua jihar Katsina", "Funtua, Katsina"),
    ("two words", "muna birnin gwari", "Birnin Gwari, Kaduna"),
    ("joined words", "ina birningwari", "Birnin Gwari, Kaduna"),
    ("a state's name in it", "Birnin Kebbi", "Birnin Kebbi, Kebbi"),
    ("a letter missing", "muna a Funtu", "Funtua, Katsina"),
    ("letters swapped", "a garin Kastina", "Katsina"),
    ("two wrong in a long name", "ina a birnin gwari", "Birnin Gwari, Kaduna"),
    ("an everyday word, announced", "karamar hukumar Giwa", "Giwa, Kaduna"),
    ("an everyday word, with its state", "Kankara Katsina", "Ƙanƙara, Katsina"),
    ("a state of that name", "muna Nassarawa", "Nasarawa / Nassarawa, Kano"),
    ("the other state", "Nassarawa a Kano", "Nassarawa, Kano"),
    ("in two states", "muna Ifedore", "Ifedore, Ondo / Ifedore, Ekiti"),
    ("the state of that name", "jihar Niger", "Niger"),
    ("region of Niger", "ina Mirriah kusa da Zinder", "Mirriah, Zinder"),
]
NONE = [
    ("elephant", "giwa ta taka shi a gona"),
    ("ice", "a sha kankara da ruwa?"),
    ("river", "ya fada kogi yana wanka"),
    ("country", "asibitocin kasar Niger"),
    ("river and a fall", "yaro ya fada a kogi"),
    ("a word like a name, not announced", "kanon yaro ya fadi"),
    ("to run", "yana gudu sosai"),
    ("nothing", ""),
    ("a village that nobody listed", "ina kauyen Tudun Kaya"),
]
ALONE = [
    ("just the name", "Funtua", "Funtua, Katsina"),
    ("an everyday word", "Giwa", "Giwa, Kaduna"),
    ("a sentence", "ina zaune a karamar hukumar Ningi", "Ningi, Bauchi"),
    ("misspelt", "Funtuwa", "Funtua, Katsina"),
    ("more is said", "ciwon kai nake a Funtua", ""),
    ("a question", "me yake faruwa a Katsina", ""),
    ("only little words", "ina nan a gari", ""),
    ("nothing", "", ""),
]


def shown(places: tuple[Place, ...]) -> str:
    return " / ".join(map(str, places))


@pytest.mark.parametrize(("label", "text", "expected"), FOUND, ids=[row[0] for row in FOUND])
def test_places_are_found(label: str, text: str, expected: str) -> None:
    assert shown(PLACES.find(text)) == expected


@pytest.mark.parametrize(("label", "text"), NONE, ids=[row[0] for row in NONE])
def test_what_only_sounds_like_a_place(label: str, text: str) -> None:
    assert PLACES.find(text) == ()


@pytest.mark.parametrize(("label", "text", "expected"), ALONE, ids=[row[0] for row in ALONE])
def test_a_message_that_is_only_a_place(label: str, text: str, expected: str) -> None:
    assert shown(PLACES.alone(text)) == expected


def test_all_states_and_regions_are_there() -> None:
    assert len(set(PLACES.states.values())) == 37 + 8
    assert PLACES.state("BORNO") == "Borno"
    assert PLACES.state("Atlantis") is None


@given(st.text())
def test_never_raises(text: str) -> None:
    PLACES.find(text)
    PLACES.alone(text)
