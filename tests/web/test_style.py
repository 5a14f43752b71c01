"""The pages' colours: readable in the sun, light and dark (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from pathlib import Path

import pytest

import web

STATIC = Path(web.__path__[0]) / "static"
#: The console's colours stand beside those of the page, which it uses too.
SHEETS = [(STATIC / name).read_text(encoding="utf-8") for name in ("page.css", "console.css")]
TEXT, SHAPE = 4.5, 3.0


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#\w+);", block))


LIGHT = colours("".join(css.split("@media", 1)[0] for css in SHEETS)) | {"white": "#fff"}
DARK = LIGHT | colours(
    "".join(css.split("(prefers-color-scheme: dark)", 1)[1].split("}", 1)[0] for css in SHEETS)
)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(letter * 2 for letter in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


PAIRS = [
    ("ink", "paper", TEXT),
    ("ink", "card", TEXT),
    ("soft", "paper", TEXT),
    ("soft", "card", TEXT),
    ("brand", "card", TEXT),
    ("on-brand", "brand", TEXT),
    ("mine-ink", "mine", TEXT),
    ("ink", "danger-paper", TEXT),
    ("danger", "danger-paper", TEXT),
    ("danger", "paper", TEXT),
    ("danger", "card", TEXT),
    ("white", "sos", TEXT),
    ("soft", "paper", SHAPE),
    ("good", "card", TEXT),
    ("warn", "card", TEXT),
    ("warn", "paper", TEXT),
    ("danger", "card", SHAPE),
    ("held", "card", SHAPE),
    ("brand", "card", SHAPE),
    ("brand", "paper", SHAPE),
]


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("one", "other", "least"), PAIRS)
def test_contrast(scheme, one, other, least):
    assert contrast(scheme[one], scheme[other]) >= least


def test_black_on_white_is_the_most():
    assert contrast("#000", "#ffffff") == pytest.approx(21)
