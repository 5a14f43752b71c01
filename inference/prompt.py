"""The one renderer: how a question becomes a model's messages, in training, evaluation and serving.

The system prompt is the one that the origin's adapter was trained with, "seek a doctor" sentence
included (ictBioRtc/hausa_health_assistant, notebook of June 2025): another would be another model.
"""

import re

from core.messages import Past
from inference.engine import Request

SYSTEM = (
    "Kai likita ne mai hankali da ƙwarewa a fannin kiwon lafiya. "
    "Ka ba da shawarwari masu tushe a kimiyya, masu dacewa da al'adun Nijeriya. "
    "Kullum ka tunatar da mutane su nemi shawarar likita idan suna bukatar gaggawar magani."
)
GROUNDING = "Ka yi amfani da waɗannan bayanai da aka tantance:"

#: A person's text may not open or close a turn, or claim an image that is not there: the special
#: tokens of Gemma 3 (tokenizer_config.json of google/gemma-3-4b-it), and marks of the same form.
_MARKS = re.compile(
    r"<\s{0,9}/?\s{0,9}(?:(?:start|end)_of_(?:turn|image)|image_soft_token|unused\d{1,4}"
    r"|bos|eos|pad|unk|mask|s)\s{0,9}>|<\|[^|<>]{0,40}\|>",
    re.I,
)


def messages(request: Request) -> list[dict[str, str]]:
    """Chat messages, oldest first: system prompt with passages, the memory, the question."""
    system = SYSTEM
    if request.passages:
        numbered = (f"[{i}] {defuse(text)}" for i, text in enumerate(request.passages, 1))
        system = "\n\n".join((SYSTEM, GROUNDING, *numbered))
    turns = _alternate((*request.past, Past("user", request.question)))
    return [
        {"role": "system", "content": system},
        *({"role": turn.role, "content": turn.text} for turn in turns),
    ]


def defuse(text: str) -> str:
    """The text without anything that a chat template reads as a turn mark."""
    while _MARKS.search(text):
        text = _MARKS.sub(" ", text)
    return text


def _alternate(past: tuple[Past, ...]) -> list[Past]:
    """Gemma's template wants user and assistant in turn, user first: neighbours are joined."""
    joined: list[Past] = []
    for turn in past:
        text = defuse(turn.text)
        if joined and joined[-1].role == turn.role:
            joined[-1] = Past(turn.role, f"{joined[-1].text}\n{text}")
        elif joined or turn.role == "user":
            joined.append(Past(turn.role, text))
    return joined
