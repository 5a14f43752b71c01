"""The starter set: the vetted library as conversations, so that training works with no hub.

Every phrasing of a topic is asked and answered word for word, a second turn asks for more, and
each danger sign is answered with its emergency text. Made anew each time from the reviewed files,
so it can never lag behind them.
"""

from collections.abc import Iterator

from core.messages import Past
from knowledge.referral import Referral
from knowledge.topic import Topic, load_topics
from knowledge.triage_signs import Sign, load_signs
from training.rows import Conversation

#: How people ask to hear more, in turn.
_MORE = ("Ƙari", "Ina son ƙarin bayani.", "Don Allah a ƙara mini bayani.")
#: Emergency numbers differ by country; the starter set is written for this one.
COUNTRY = "NG"


def starter() -> Iterator[Conversation]:
    """Every conversation of the starter set, in a fixed order."""
    referral = Referral.load()
    for topic in load_topics().values():
        yield from _of_topic(topic, referral)
    for sign in load_signs().values():
        yield from _of_sign(sign, referral)


def _of_topic(topic: Topic, referral: Referral) -> Iterator[Conversation]:
    first = referral.fill(topic.first("ha"), country=COUNTRY, language="ha")
    more = referral.fill(topic.further("ha"), country=COUNTRY, language="ha")
    for number, question in enumerate(topic.questions):
        turns: tuple[Past, ...] = (Past("user", question), Past("assistant", first))
        # One in three goes on: the model must also learn what "more" is about.
        if number % 3 == 2:
            again = _MORE[number // 3 % len(_MORE)]
            turns = (*turns, Past("user", again), Past("assistant", more))
        yield Conversation(turns, "starter", number + 1, topic.id)


def _of_sign(sign: Sign, referral: Referral) -> Iterator[Conversation]:
    reply = referral.fill(sign.reply["ha"], country=COUNTRY, language="ha")
    for number, phrase in enumerate((*sign.phrases, *sign.cries)):
        turns = (Past("user", phrase), Past("assistant", reply))
        yield Conversation(turns, "starter", number + 1)
