"""Written rules of the triage: reviewed phrases, patterns and word pairs, matched on keyed text.

Knows how a phrase said of one person is read for any person. Knows no context: whether a
hit is history, news or a question is decided elsewhere.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from knowledge.triage_sieve import Needed, Sieve, better, compiled, needs
from knowledge.triage_signs import Sign
from knowledge.triage_text import key, pattern_key

PAIR_REACH: Final = 45

_PERSON: Final = (
    r"(?:shi|ita|ta|ni|su|mu|ki|ka|yar\w+|dan\w*|diya\w*|jarir\w+|jinjir\w+|mata\w*|mace\w*|miji\w*"
    r"|bab\w+|mam\w+|maha\w+|kak\w+|kan\w+|yay\w+|yat\w+|wani|wata|abok\w+|makw\w+|mutum\w*|mutan\w+"
    r"|surk\w+|suru\w+|jik\w+|hannu\w*|kafa\w*|fuska\w*)"
)
MACROS: Final = {
    "<P>": r"(?:ya|ta|na|sun|mun|an|ka|kin|suka|muka|aka)",
    "<C>": r"(?:yana|tana|ina|suna|muna|ana|na|ke|yake|take|nake|suke|muke)(?: ta)?",
    "<NC>": r"(?:baya|bata|bana|basa|bama|bai|ban|basu|ba a|ba)",
    "<CANT>": (
        r"(?:(?:baya|bata|bana|basa|bama|bai|ban|basu|ba a)(?: iya)?(?: yin)?"
        r"|ba ?za(?:i|n|ta|su)(?: iya)?"
        r"|(?:ya |ta |na |sun |an |mun )?(?:kasa|gagara|daina)(?: iya)?"
        r"|(?:ya|ta|na|sun|an|mun)ki)"
    ),
    "<O>": _PERSON,
    "<IO>": r"(?:min|masa|mata|musu|mana|wa(?: \w+)?)",
    "<G>": r"(?:\w+ ){0,3}",
    "<CHILD>": (
        r"(?:yar(?:o|on|ona|inya|inyar|inyata|a|ana)|dana|danmu|diya\w*|yata|jarir\w+|jinjir\w+"
        r"|jik(?:ana|ata))"
    ),
    "<BABY>": r"(?:jarir\w+|jinjir\w+|sabon haihuwa|(?:kwana|sati|mako)\w* \w+ da haih\w+)",
    "<PREG>": (
        r"(?:(?:mai|masu|da) ciki|juna ?biyu|cikin wata|wata \w+ da ciki|cikina wata|da ciki"
        r"|pregnan\w*|tana da ciki|ina da ciki|ciki ne da)"
    ),
    "<BIRTH>": r"(?:haihu\w*|haihuwa|nakuda|jego|mai jego|delivery|ta sauka)",
}
_SAME: Final = {
    **dict.fromkeys(("ya", "ta", "na", "sun"), MACROS["<P>"]),
    **dict.fromkeys(("yana", "tana", "ina"), MACROS["<C>"]),
    **dict.fromkeys(("baya", "bata", "bana"), r"(?:baya|bata|bana|basa|bama)"),
    **dict.fromkeys(("bai", "ban"), r"(?:bai|bata|ban|basu)"),
    **dict.fromkeys(("yaki", "taki"), r"(?:ya|ta|na|sun|an)ki"),
    **dict.fromkeys(("shi", "ni"), _PERSON),
    **dict.fromkeys(("masa", "mata", "min"), r"(?:min|masa|mata|musu|mana)"),
}
_POSSESSED: Final = re.compile(r"^(\w{2,}?)(n|r)?(?:sa|ta|na)$")
_KEEP: Final = frozenset(
    {"kaina", "kansa", "kanta", "rayuwata", "mata", "matata", "jinkina", "sosa"}
)
_BODY: Final = frozenset(
    (
        *("kirji", "jiki", "baki", "harshe", "ido", "idanu", "leba", "labe", "wuya", "fuska"),
        *("fata", "kafa", "hanu", "hankali", "hayaci", "ciki", "cibiya", "makogoro", "numfashi"),
        *("jini", "bari", "gefe", "kai"),
    )
)


_CALLS: Final = frozenset(
    (
        *("taimako", "taimaka", "taimake", "taimakon", "ku", "ni", "min", "mana", "don", "ala"),
        *("wayo", "help", "likita", "yanzu", "please", "pls", "gagawa", "emergency", "sos", "|"),
    )
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One written rule that matched: of which sign and of which kind."""

    sign: str
    by: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """One phrase or pattern, or a pair of patterns that stand near one another."""

    hit: Hit
    first: str
    second: str | None = None

    def fits(self, keyed: str) -> bool:
        if self.second is None:
            return compiled(self.first).search(keyed) is not None
        second = compiled(self.second)
        return any(_beside(second, keyed, a) for a in compiled(self.first).finditer(keyed))


class Rules:
    """Every written rule of every sign, compiled when a message first needs it."""

    def __init__(self, signs: Mapping[str, Sign]) -> None:
        """Read the rules of `signs`; a pattern that is not a regular expression raises."""
        texts = list(_texts(signs))
        self._sieve = Sieve([_needed(*patterns) for _, patterns in texts])
        self._rules = [_Rule(hit, *patterns) for hit, patterns in texts]
        self._cries = {bare(key(cry)): name for name, s in signs.items() for cry in s.cries}

    def cry(self, keyed: str) -> str | None:
        """Return the sign that the whole message names, calls for help aside, or None."""
        return self._cries.get(bare(keyed))

    def hits(self, keyed: str) -> list[Hit]:
        """Return the rules that match `keyed` (see `triage_text.key`), at most one kind a sign."""
        found: dict[Hit, None] = {}
        for number in self._sieve.possible(keyed):
            rule = self._rules[number]
            if rule.hit not in found and rule.fits(keyed):
                found[rule.hit] = None
        return list(found)


def _beside(second: re.Pattern[str], keyed: str, a: re.Match[str]) -> bool:
    b = second.search(keyed, max(0, a.start() - PAIR_REACH), a.end() + PAIR_REACH)
    return b is not None and (b.start() >= a.end() or b.end() <= a.start())


def _texts(signs: Mapping[str, Sign]) -> Iterator[tuple[Hit, tuple[str, ...]]]:
    """Yield every rule as regular expressions, the surest kind first."""
    for name, sign in signs.items():
        yield from ((Hit(name, "phrase"), (phrase_pattern(text),)) for text in sign.phrases)
    for name, sign in signs.items():
        yield from ((Hit(name, "pattern"), (_macro(text),)) for text in sign.patterns)
    for name, sign in signs.items():
        yield from ((Hit(name, "pair"), (_macro(a), _macro(b))) for a, b in sign.pairs)


def _needed(first: str, second: str = "") -> Needed:
    return better(needs(first), needs(second))


def bare(keyed: str) -> str:
    """Return the keyed words that are no call for help, joined."""
    return "".join(word for word in keyed.split() if word not in _CALLS)


def phrase_pattern(phrase: str) -> str:
    """Return the pattern that reads a phrase said of one person for every person."""
    return r"\b" + " ".join(map(_any_person, key(phrase).split())) + r"\b"


def _any_person(word: str) -> str:
    if word in _SAME:
        return _SAME[word]
    owned = _POSSESSED.match(word)
    if owned and word not in _KEEP and owned[1] in _BODY:
        return owned[1] + r"(?:n|r)?(?:sa|ta|na|a|su|mu)?(?: \w+)?"
    return re.escape(word)


def _macro(pattern: str) -> str:
    for name, body in MACROS.items():
        pattern = pattern.replace(name, body)
    return pattern_key(pattern)
