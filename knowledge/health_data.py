"""Cut the open corpora down to the small samples and the word list that this folder ships.

Knows the corpora's file layouts (AfriQA, NaijaSenti, TICO-19) and writes
`data/health_samples.tsv.gz` (messages that are not about health, and doctor-patient lines) and
`data/health_words.txt.gz` (attested Hausa words with counts). Does not know how they are used.
Run once, with the folder that holds the corpora: `python -m knowledge.health_data CORPORA`.
Licences and credits: `data/health_LICENSES.md`.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from knowledge.folding import tokens

DATA = Path(__file__).parent / "data"
SAMPLES = DATA / "health_samples.tsv.gz"
WORDS = DATA / "health_words.txt.gz"

# A line with any of these may be about health, so it is no example of "not about health".
_HEALTH = re.compile(
    r"\b(?:ciw|ciyo|cut[au]|lafiya|asibit|likit|magan|magun|zazz?abi|jini|sauro|kanjamau|rigakaf|"
    r"allura|haih|haif|jariri|kansa|sukari|suga|malar|polio|covid|corona|korona|virus|kwalara|"
    r"gudawa|hakor|kwakwal|zuciy|huhu|hanta|barci|bacci|kunama|macij|kwaya|sigari|motsa|bitamin|"
    r"kwayoyin|azumi|hajj|fyade|kaciya|"
    r"(?:ciki|juna|nono|tari|amai|guba|ido|koda|fata|kiba|hiv|aids|taba|giya|tb)\b)"
)
_MARKUP = re.compile(r"@user|https?://\S+|[^\w\s',.?!-]+")
_SEED = 20261122


def sample(corpora: Path) -> list[tuple[str, str, str, str]]:
    """Rows of (label, split, source, text); test rows come from the corpora's own test splits."""
    chance = random.Random(_SEED)  # noqa: S311 - a repeatable sample, not a secret
    rows = []
    for split, parts, questions, tweets in (
        ("train", ("train",), 420, 150),
        ("test", ("dev", "test"), 500, 300),
    ):
        asked = list(_not_health(_afriqa(corpora, parts)))
        said = list(_not_health(_naijasenti(corpora, parts)))
        rows += [("other", split, "afriqa", text) for text in _some(asked, questions, chance)]
        rows += [("other", split, "naijasenti", text) for text in _some(said, tweets, chance)]
    chat = corpora / "tico19" / "cmu_doctor_patient_141.tsv"
    rows += [("health", "test", "tico19", text) for text in _column(chat, "ha")]
    return rows


def words(corpora: Path) -> Counter[str]:
    """Attested words as written (lower case, hooks kept), with counts over the three corpora."""
    lines = [*_column(corpora / "tico19" / "tico19_en_ha.tsv", "ha")]
    lines += _afriqa(corpora, ("train", "dev", "test"))
    careful = _count(lines)
    casual = _count(_naijasenti(corpora, ("train", "dev", "test")))
    # A spelling seen once in tweets is more often a slip than a word.
    return careful + Counter({word: n for word, n in casual.items() if n >= 3})


def about_health(words: Iterable[str]) -> bool:
    """Say whether any of the folded `words` is one that lines about health use."""
    return _HEALTH.search(" ".join(words)) is not None


def written_words(text: str) -> list[str]:
    """The words of `text` in lower case as written: hooks and the glottal apostrophe kept."""
    plain = re.sub("[‘’ʼʻ`]", "'", text.lower())
    return re.findall(r"'?[^\W\d_]+(?:'[^\W\d_]+)*", plain)


def main(arguments: list[str]) -> int:
    """Write both files from the corpora folder named in `arguments`."""
    corpora = Path(arguments[0])
    _write(SAMPLES, ("\t".join(row) for row in sample(corpora)))
    _write(WORDS, (f"{word}\t{n}" for word, n in sorted(words(corpora).items())))
    return 0


def _afriqa(corpora: Path, parts: Iterable[str]) -> Iterator[str]:
    for part in parts:
        path = corpora / "afriqa" / f"queries.hau.{part}.jsonl"
        for line in path.read_text("utf-8").splitlines():
            yield str(json.loads(line)["question"])


def _naijasenti(corpora: Path, parts: Iterable[str]) -> Iterator[str]:
    for part in parts:
        path = corpora / "naijasenti" / f"hau_{part}.tsv.gz"
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                # Most insults stand under "negative", and nothing is lost without them.
                if row["label"] != "negative":
                    yield " ".join(_MARKUP.sub(" ", row["tweet"]).split())


def _column(path: Path, name: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [" ".join(row[name].split()) for row in rows]


def _not_health(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        found = tokens(line)
        if 3 <= len(found) <= 30 and not about_health(found):
            yield " ".join(line.split())


def _some(lines: list[str], limit: int, chance: random.Random) -> list[str]:
    distinct = sorted(set(lines))
    return sorted(chance.sample(distinct, min(limit, len(distinct))))


def _count(lines: Iterable[str]) -> Counter[str]:
    return Counter(word for line in lines for word in written_words(line))


def _write(path: Path, lines: Iterable[str]) -> None:
    # mtime=0 keeps the file identical from run to run.
    with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
        packed.write("".join(f"{line}\n" for line in lines).encode())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
