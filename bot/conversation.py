"""How one message is answered. The order of the lines in `answer` is the order of safety.

Pure but for the engine: nothing is stored or sent here, and nothing here raises for what a person
wrote. Knows no channel, no table, no vendor.
"""

from dataclasses import replace

from bot import admin_orders, commands, flow, nearby, smalltalk, writing
from bot.commands import Command
from bot.effects import Alert, Outcome, SetTopic, Unhold
from bot.mind import Mind
from bot.smalltalk import Courtesy
from bot.streaming import Show
from bot.writing import LONGEST
from core import logs
from core.messages import Answer, Choice, Found, Kind, Reply, Source, Turn
from knowledge.library import Match
from knowledge.triage import Finding

SUGGESTIONS = 3
MEDIA = {
    Kind.VOICE: "voice",
    Kind.PHOTO: "photo",
    Kind.VIDEO: "photo",
    Kind.DOCUMENT: "document",
    Kind.STICKER: "sticker",
    Kind.LOCATION: "location",
    Kind.CONTACT: "contact",
    Kind.OTHER: "other",
    Kind.GROUP: "group",
}
#: Other languages are said to be unknown; English is answered from the library when it fits.
FOREIGN = frozenset({"pcm", "yo", "ig", "kr", "ff", "fr", "ar"})

#: Who cries for help in one of these languages is told in it what matters, above the Hausa.
IN_THEIR_WORDS = {"fr": "urgent-french", "en": "urgent-english", "pcm": "urgent-english"}


def answer(turn: Turn, mind: Mind, show: Show | None = None) -> Outcome:
    """The reply to one message and what it changes.

    `show` is given the beginning of a model's answer again and again as it grows, never more of it
    than the guard has passed. The reply replaces it all, and may be another text.
    """
    # A pressed button carries our own label, and a label may name a danger ("Cizon maciji").
    # An answer that an admin words for others names dangers too, and is about nobody.
    quoted = turn.choice or (turn.is_admin and admin_orders.quotes(turn.text))
    finding = None if quoted else mind.find_danger(turn.text)
    if finding and not finding.downgraded:
        return _emergency(turn, mind, finding)
    turn = flow.sampled(flow.resolve(turn), mind)
    return (
        _released(turn, mind, show)
        or flow.obey(turn, mind)
        or flow.pause(turn, mind)
        or _not_text(turn, mind)
        or flow.ask_consent(turn, mind)
        or _too_many(turn, mind)
        or _ordinary(turn, mind, finding, show)
    )


def last_resort(turn: Turn, mind: Mind) -> Outcome:
    """The reply to a message that made the worker fail again and again: vetted text only."""
    finding = mind.find_danger(turn.text)
    if finding and not finding.downgraded:
        return _emergency(turn, mind, finding)
    return _fallback(turn, mind, "poison")


def _released(turn: Turn, mind: Mind, show: Show | None) -> Outcome | None:
    """The question that waited for this yes, answered."""
    waiting = flow.released(turn)
    if waiting is None:
        return None
    finding = mind.find_danger(waiting.text)
    if finding and not finding.downgraded:
        outcome = _emergency(waiting, mind, finding)
    else:
        thanks = mind.say(turn, "consent-thanks")
        outcome = _with_lead(_ordinary(waiting, mind, finding, show), thanks)
    return outcome.then(*flow.agreed(turn), Unhold())


def _emergency(turn: Turn, mind: Mind, finding: Finding) -> Outcome:
    """Vetted text, at once, in every state; the health workers are told."""
    found = _found(_search(turn.text, mind))
    reply = Reply(mind.fill(turn, mind.triage.reply(finding.sign, turn.language)))
    urgent = Answer(
        reply,
        Source.DANGER_SIGN,
        danger_sign=finding.sign,
        urgency=finding.urgency,
        topic=found[0].id if found else None,
        passages=found,
    )
    outcome = Outcome(urgent, (Alert(finding.sign, finding.urgency),))
    key = IN_THEIR_WORDS.get(mind.language_of(turn.text))
    if key and turn.language != "en":
        outcome = _with_lead(outcome, mind.say(turn, key))
    return nearby.named(turn, mind, outcome)


def _not_text(turn: Turn, mind: Mind) -> Outcome | None:
    """Voice, pictures, stickers: an honest sentence. A caption is answered as text, further on."""
    key = MEDIA.get(turn.kind)
    if key is None or (turn.text.strip() and turn.kind is not Kind.GROUP):
        return None
    return Outcome(mind.service(turn, key))


def _too_many(turn: Turn, mind: Mind) -> Outcome | None:
    if turn.last_minute <= mind.policy.rate_limit:
        return None
    return Outcome(mind.service(turn, "too-many"))


def _ordinary(turn: Turn, mind: Mind, finding: Finding | None, show: Show | None) -> Outcome:
    """A question: from the library word for word, else from the engine, else honestly unknown."""
    outcome = _more(turn, mind) or _picked(turn, mind) or _unreadable(turn, mind)
    outcome = outcome or nearby.asked(turn, mind)
    if outcome is None:
        match = _search(turn.text, mind)
        outcome = _vetted(turn, mind, match) or _from_engine(turn, mind, match, show)
    outcome = nearby.named(turn, mind, _noted(turn, mind, outcome, finding))
    return flow.courtesies(turn, mind, outcome)


def _vetted(turn: Turn, mind: Mind, match: Match) -> Outcome | None:
    """What is answered without any model, unless LIBRARY_DIRECT is off."""
    if not mind.policy.library_direct:
        return None
    return (
        _small_talk(turn, mind) or _from_library(turn, mind, match) or _decline(turn, mind, match)
    )


def _noted(turn: Turn, mind: Mind, outcome: Outcome, finding: Finding | None) -> Outcome:
    """Lines around an answer: a safety note for a sign in context, edits, what was not seen."""
    if finding:
        answer = outcome.answer
        note = mind.fill(turn, mind.triage.safety_note(finding.sign, turn.language))
        reason = answer.reason or f"context:{finding.sign}"
        noted = replace(answer, reply=answer.reply.with_note(note), reason=reason)
        outcome = replace(outcome, answer=noted)
    if turn.kind in MEDIA:
        outcome = _with_lead(outcome, mind.say(turn, "attachment-note"))
    if turn.edited:
        outcome = _with_lead(outcome, mind.say(turn, "edited-note"))
    return outcome


def _more(turn: Turn, mind: Mind) -> Outcome | None:
    """On "ƙari": the rest of the topic answered last."""
    if turn.choice != "do:more" and commands.recognise(turn.text) is not Command.MORE:
        return None
    topic = mind.library.topics.get(turn.topic or "")
    if topic is None:
        return Outcome(mind.service(turn, "more-none"))
    text = mind.fill(turn, topic.further(turn.language))
    return Outcome(Answer(Reply(text), Source.LIBRARY, topic=topic.id))


def _picked(turn: Turn, mind: Mind) -> Outcome | None:
    """A topic chosen from the suggestions."""
    about, _, topic = (turn.choice or "").partition(":")
    if about != "topic" or topic not in mind.library.topics:
        return None
    return _library_answer(turn, mind, topic, (Found(topic, 1.0),))


def _unreadable(turn: Turn, mind: Mind) -> Outcome | None:
    """Nothing to read: empty, no letters, or Ajami."""
    if not turn.text.strip():
        return Outcome(mind.service(turn, "empty" if turn.kind is Kind.TEXT else "other"))
    language = mind.detector.detect(turn.text)
    if language not in ("none", "ajami"):
        return None
    text = mind.say(
        turn, "ajami" if language == "ajami" else "nonsense", sample=mind.say(turn, "sample-3")
    )
    return Outcome(Answer(Reply(text), Source.SERVICE, reason=f"unreadable:{language}"))


def _small_talk(turn: Turn, mind: Mind) -> Outcome | None:
    """A greeting is greeted, thanks are returned; a question after a greeting is a question."""
    said = smalltalk.courtesy(turn.text)
    if said is None:
        return None
    greeted = said is not Courtesy.THANKS
    choices = flow.samples(turn, mind, short=True) if greeted else ()
    return Outcome(mind.service(turn, said.value, *choices))


def _from_library(turn: Turn, mind: Mind, match: Match) -> Outcome | None:
    if match.outcome != "certain":
        return None
    return _library_answer(turn, mind, match.passages[0].id, _found(match))


def _library_answer(turn: Turn, mind: Mind, topic_id: str, found: tuple[Found, ...]) -> Outcome:
    topic = mind.library.topics[topic_id]
    text = mind.fill(turn, topic.first(turn.language))
    more = Choice("do:more", mind.say(turn, "label-more"))
    vetted = Answer(Reply(text, (more,)), Source.LIBRARY, topic=topic_id, passages=found)
    return Outcome(vetted, (SetTopic(topic_id),))


def _decline(turn: Turn, mind: Mind, match: Match) -> Outcome | None:
    """Not about health, or in a language that we do not speak: said kindly, before any model."""
    if match.off_topic:
        choices = flow.samples(turn, mind, short=True)
        reply = Reply(mind.say(turn, "off-topic"), choices)
        return Outcome(Answer(reply, Source.FALLBACK, reason="off_topic"))
    if match.outcome == "nothing" and mind.detector.detect(turn.text) in FOREIGN:
        reply = Reply(mind.say(turn, "other-language"))
        return Outcome(Answer(reply, Source.FALLBACK, reason="other_language"))
    return None


def _from_engine(turn: Turn, mind: Mind, match: Match, show: Show | None) -> Outcome:
    """The model's answer, grounded and guarded; anything wrong with it is a fallback."""
    written = writing.written(turn, mind, match, show)
    if isinstance(written, str):
        return _fallback(turn, mind, written, match)
    found = _found(match)
    best = found[0].id if found else None
    reply, late = Reply(written.text), written.end == "late"
    answer = Answer(
        reply.with_note(mind.say(turn, "late-note")) if late else reply,
        Source.MODEL,
        topic=best,
        passages=found,
        release=written.release,
        reason="engine_timeout" if late else None,
    )
    return Outcome(answer, (SetTopic(best if match.outcome == "certain" else None),))


def _fallback(turn: Turn, mind: Mind, reason: str, match: Match | None = None) -> Outcome:
    """Vetted words when nothing better is known: the likely or nearest topics, or a referral."""
    found = _found(match) if match else ()
    if match and match.likely and mind.policy.library_direct:
        return _likely(turn, mind, reason, found)
    choices = _topics(turn, mind, found)
    key = "suggest" if choices else "too-long" if len(turn.text) > LONGEST else "fallback"
    best = found[0].id if found else None
    reply = Reply(mind.say(turn, key), choices)
    answer = Answer(reply, Source.FALLBACK, topic=best, passages=found, reason=reason)
    return Outcome(answer, (SetTopic(None),))


def _likely(turn: Turn, mind: Mind, reason: str, found: tuple[Found, ...]) -> Outcome:
    """The topic that is probably meant, under its title, with the next ones to choose from."""
    topic = mind.library.topics[found[0].id]
    lead = mind.say(turn, "library-lead", title=topic.title[turn.language])
    text = mind.fill(turn, topic.first(turn.language))
    note = mind.say(turn, "likely-note")
    reply = Reply(f"{lead}\n\n{text}\n\n{note}", _topics(turn, mind, found[1:]))
    answer = Answer(
        reply, Source.LIBRARY, topic=topic.id, passages=found, reason=f"likely:{reason}"
    )
    return Outcome(answer, (SetTopic(topic.id),))


def _topics(turn: Turn, mind: Mind, found: tuple[Found, ...]) -> tuple[Choice, ...]:
    topics = (mind.library.topics[item.id] for item in found[:SUGGESTIONS])
    return tuple(Choice(f"topic:{topic.id}", topic.title[turn.language]) for topic in topics)


def _search(text: str, mind: Mind) -> Match:
    try:
        return mind.library.search(text[:LONGEST])
    except Exception as error:
        logs.crash("library.failed", error)
        return Match("nothing", (), False)


def _found(match: Match) -> tuple[Found, ...]:
    return tuple(Found(passage.id, round(passage.score, 4)) for passage in match.passages)


def _with_lead(outcome: Outcome, lead: str) -> Outcome:
    reply = outcome.answer.reply
    led = replace(reply, text=f"{lead}\n\n{reply.text}")
    return replace(outcome, answer=replace(outcome.answer, reply=led))
