"""Which language a message is in: Hausa above all, and honestly the others.

Knows: letters and scripts, marker words (data/language_words.yaml) and an n-gram model. Another
language is named only when both the model and its marker words say so, because a Hausa speaker who
is taken for somebody else gets no help; in doubt the answer is Hausa. Does not know meaning.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.yaml_files import read_yaml
from knowledge.folding import fold, tokens
from knowledge.language_model import MOST_CHARACTERS, NgramModel

DATA: Final = Path(__file__).parent / "data"
MODEL_FILE: Final = "language_model.npz"
WORDS_FILE: Final = "language_words.yaml"

# Swahili is known only so that it is not taken for Hausa by the output guard.
NAMED: Final = ("en", "pcm", "yo", "ig", "kr", "ff", "fr")
_LETTER_WORTH: Final = 2
_SURE_HAUSA: Final = 0.5
_SURE_OTHER: Final = 0.35
# So sure that marker words are not asked for, where several words hold no Hausa one.
_SURE_ALONE: Final = 0.9
_PLAIN: Final = 2
_SURELY_HAUSA: Final = 0.99
_FEW_WORDS: Final = 3
_ABBREVIATION: Final = 3
_VOWELS: Final = frozenset("aeiouyəǝ")
_CONSONANT_RUN: Final = re.compile(r"[b-df-hj-np-tv-xz]{5}")


@dataclass(frozen=True, slots=True)
class Markers:
    """The words and letters that speak for one language, folded."""

    words: frozenset[str]
    letters: frozenset[str]

    def count(self, words: list[str], raw: str) -> int:
        """Return how many of `words` are ours, letters of ours in `raw` counting double."""
        letters = sum(any(letter in self.letters for letter in word) for word in raw.split())
        return sum(word in self.words for word in words) + _LETTER_WORTH * letters


@dataclass(frozen=True, slots=True)
class Detector:
    """Names the language of a text. Immutable, shared by all threads."""

    model: NgramModel
    markers: Mapping[str, Markers]

    @classmethod
    def load(cls, folder: Path | None = None) -> "Detector":
        """Load the trained model and the marker words from `folder` (default: ours).

        Raises: OSError when a file is missing, ValueError or KeyError when one is not ours.
        """
        folder = folder or DATA
        raw = read_yaml(folder / WORDS_FILE)
        markers = {name: _markers(entry) for name, entry in raw.items() if name != "version"}
        return cls(NgramModel.load(folder / MODEL_FILE), markers)

    def detect(self, text: str) -> str:
        """Return "ha", "en", "pcm", "yo", "ig", "kr", "ff", "fr", "ajami", "ar" or "none".

        "none": nothing to read (emoji, digits, nonsense). In doubt, "ha". Never raises for a str.
        """
        text = text[:MOST_CHARACTERS]
        if is_arabic_script(text):
            return self._arabic(text)
        if not self._readable(text):
            return "none"
        found = self.identify(text)
        return found if found in NAMED else "ha"

    def identify(self, text: str) -> str:
        """Return the likeliest language in Latin letters, "sw" included; in doubt, "ha"."""
        raw = unicodedata.normalize("NFC", text[:MOST_CHARACTERS]).lower()
        words = [word for word in tokens(raw) if word.isalpha()]
        chances = self.model.probabilities(raw)
        # A Hausa sentence may hold "kada" and "sa", which are Kanuri words too.
        if chances["ha"] < _SURELY_HAUSA and self._plainly("kr", words, raw):
            return "kr"
        if chances["ha"] >= _SURE_HAUSA:
            return self._plainly_english(words, raw) or "ha"
        likely = {
            name: chance
            for name, chance in chances.items()
            if self._backed(name, words, raw, sure=chance >= _SURE_ALONE)
        }
        best = max(likely, key=lambda name: likely[name], default="ha")
        return best if likely.get(best, 0.0) >= _SURE_OTHER else "ha"

    def _backed(self, name: str, words: list[str], raw: str, *, sure: bool) -> bool:
        if name == "ha":
            return False
        hausa = self._hausa(words, but_not=name)
        if sure and not hausa and len(words) > _FEW_WORDS:
            return True
        evidence = self.markers[name].count(words, raw)
        return evidence >= (1 if len(words) <= _FEW_WORDS else 2) and evidence > hausa

    def _plainly(self, name: str, words: list[str], raw: str) -> bool:
        """Kanuri typed without its schwa has the letters of Hausa, but many words of its own."""
        evidence = self.markers[name].count(words, raw)
        hausa = self._hausa(words, but_not=name)
        return evidence >= _PLAIN and evidence > 2 * hausa and evidence * 3 >= len(words)

    def _plainly_english(self, words: list[str], raw: str) -> str | None:
        """Short everyday English ("i had a") has the letters of Hausa but none of its words."""
        hausa = self._hausa(words, but_not="en")
        return "en" if not hausa and self.markers["en"].count(words, raw) >= 2 else None

    def _hausa(self, words: list[str], *, but_not: str) -> int:
        ours = self.markers["ha"].words - self.markers[but_not].words
        return sum(word in ours for word in words)

    def _arabic(self, text: str) -> str:
        words = fold(text).split()
        arabic = self.markers["arabic"].count(words, text)
        article = sum(word.startswith("ال") and len(word) > 4 for word in words)
        hausa = self.markers["ajami"].count(words, text)
        return "ar" if arabic + article > hausa else "ajami"

    def _readable(self, text: str) -> bool:
        words = [word for word in tokens(text) if word.isalpha()]
        return any(word in self.markers["ha"].words or _pronounceable(word) for word in words)


def is_arabic_script(text: str) -> bool:
    """Return whether most letters of `text` are Arabic (Arabic proper or Hausa in Ajami)."""
    letters = [char for char in text if char.isalpha()]
    arabic = sum(unicodedata.name(char, "").startswith("ARABIC") for char in letters)
    return arabic * 2 > len(letters)


def _pronounceable(word: str) -> bool:
    if not word.isascii():
        return len(word) > 1
    if len(word) <= _ABBREVIATION:
        return len(set(word)) > 1  # TB, VVF
    return any(char in _VOWELS for char in word) and not _CONSONANT_RUN.search(word)


def _markers(entry: Mapping[str, Any]) -> Markers:
    words = frozenset(fold(word) for word in str(entry["words"]).split())
    return Markers(words, frozenset(str(entry.get("letters", ""))))
