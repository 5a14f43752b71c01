"""The one renderer: how a question becomes a model's messages, in training, evaluation and serving.

The system prompt is the one that the origin's adapter was trained with, "seek a doctor" sentence
included (ictBioRtc/hausa_health_assistant, notebook of June 2025): another would be another model.
Knows no tokenizer: whoever has one hands its count in.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

from core.messages import Past
from inference.engine import Passage, Request

SYSTEM = (
    "Kai likita ne mai hankali da ƙwarewa a fannin kiwon lafiya. "
    "Ka ba da shawarwari masu tushe a kimiyya, masu dacewa da al'adun Nijeriya. "
    "Kullum ka tunatar da mutane su nemi shawarar likita idan suna bukatar gaggawar magani."
)
GROUNDING = "Ka yi amfani da waɗannan bayanai da aka tantance:"
#: Tokens that a prompt may take where nobody says otherwise: the longest question that the bot lets
#: through with three passages takes two thirds of it, the rest is memory.
ROOM = 3_000
#: Turn marks, role and line ends around each message in Gemma's chat template, and one to spare.
MARKS = 6
#: A piece of Hausa is seldom shorter than this many bytes in a tokenizer of several languages.
_BYTES_A_TOKEN = 2.5

#: A person's text may not open or close a turn, or claim an image that is not there: the special
#: tokens of Gemma 3 (tokenizer_config.json of google/gemma-3-4b-it), marks of the same form, and
#: half a mark of other models: its other half may stand in the next passage.
_MARKS = re.compile(
    r"<\s{0,9}/?\s{0,9}(?:(?:start|end)_of_(?:turn|image)|image_soft_token|unused[^<>\s]{1,4}"
    r"|bos|eos|pad|unk|mask|s)\s{0,9}>|<\|[^|<>]{0,40}\|>|<\||\|>",
    re.I,
)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def estimate(text: str) -> int:
    """About how many tokens a text takes, rather too many: for engines without a tokenizer."""
    return int(len(text.encode("utf-8", "replace")) / _BYTES_A_TOKEN) + 1


def messages(
    request: Request, *, count: Callable[[str], int] = estimate, room: int = ROOM
) -> list[dict[str, str]]:
    """Chat messages, oldest first: system prompt with person and passages, memory, question.

    `count` says how many tokens a text takes and `room` how many all may. What does not fit is left
    out: the oldest turns of the memory first, and if that is not enough the last passages. System
    prompt, person and question always stay whole, so that the result may be longer than `room`: an
    engine that cannot take it refuses it. A training row passes its question (and `past`, `person`
    from `knowledge.person.line`) here, and its answer is the next message.
    """
    question = defuse(request.question)
    room -= count(question) + MARKS
    system = _system(request, lambda text: count(text) + MARKS <= room)
    kept = _recent(request.past, room - count(system) - MARKS, count)
    turns = _alternate((*kept, Past("user", question)))
    return [
        {"role": "system", "content": system},
        *({"role": turn.role, "content": turn.text} for turn in turns),
    ]


def defuse(text: str) -> str:
    """The text without anything that a chat template or tokenizer reads as a mark.

    Signs that cannot be seen go, and letters and brackets that only look like ours become ours, so
    that no mark hides behind them. Digits and signs such as ² and ½ stay as they are.
    """
    text = _CONTROL.sub("", _NOT_ASCII.sub(lambda sign: _plain(sign[0]), text))
    while _MARKS.search(text):
        text = _MARKS.sub(" ", text)
    return text


@lru_cache(maxsize=4096)
def _plain(sign: str) -> str:
    """One sign: nothing if it cannot be seen, its ASCII twin (full-width, styled) if it has one."""
    unseen = unicodedata.category(sign) in ("Cf", "Cc", "Cs")
    if unseen or "VARIATION SELECTOR" in unicodedata.name(sign, ""):
        return ""
    twin = unicodedata.normalize("NFKC", sign)
    return twin if twin.isascii() and not any(map(str.isdigit, twin)) else sign


def _system(request: Request, fits: Callable[[str], bool]) -> str:
    head = "\n\n".join(filter(None, (SYSTEM, _one_line(request.person))))
    for number in range(len(request.passages), 0, -1):
        system = _grounded(head, request.passages[:number])
        if fits(system):
            return system
    return head


def _grounded(head: str, passages: Sequence[Passage]) -> str:
    """Each passage under its id, by which an answer can be traced."""
    shown = (f"[{_one_line(passage.id)}] {defuse(passage.text)}" for passage in passages)
    return "\n\n".join((head, GROUNDING, *shown))


def _one_line(text: str) -> str:
    return " ".join(defuse(text).split())


def _recent(past: Sequence[Past], room: int, count: Callable[[str], int]) -> list[Past]:
    """The newest whole turns that fit, oldest first."""
    kept: list[Past] = []
    for turn in reversed(past):
        text = defuse(turn.text)
        room -= count(text) + MARKS
        if room < 0:
            break
        kept.append(Past(turn.role, text))
    return kept[::-1]


def _alternate(past: Sequence[Past]) -> list[Past]:
    """Gemma's template wants user and assistant in turn, user first: neighbours are joined."""
    joined: list[Past] = []
    for turn in past:
        if joined and joined[-1].role == turn.role:
            joined[-1] = Past(turn.role, defuse(f"{joined[-1].text}\n{turn.text}"))
        elif joined or turn.role == "user":
            joined.append(turn)
    return joined
