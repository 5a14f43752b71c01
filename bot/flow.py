"""The person's rights and the short dialogues around them: consent, stop, erase, data, language.

Each function looks at a turn and gives an outcome, or None when it is not its business.
Pure: nothing is stored or sent here.
"""

from dataclasses import replace

from bot import commands
from bot.commands import Command
from bot.effects import (
    AskedTraining,
    Consented,
    Effect,
    Erase,
    HandOver,
    Hold,
    Noticed,
    Outcome,
    SetLanguage,
    SetStopped,
    Unhold,
    Used,
)
from bot.mind import Mind
from core.messages import Answer, Choice, Kind, Reply, Source, Turn

SAMPLES = ("sample-1", "sample-2", "sample-3", "sample-4")


def resolve(turn: Turn) -> Turn:
    """The turn with its choice found: a button's id, a menu's number or label, or a yes or no.

    A question that waits for consent makes a yes or no an answer to that, whatever was said since.
    """
    menu = turn.menu or _consent_menu(turn)
    if turn.choice is not None or not menu or turn.kind is not Kind.TEXT:
        return turn
    said = commands.bare(turn.text)
    for number, choice in enumerate(menu, 1):
        if said and said in (str(number), commands.bare(choice.label)):
            return replace(turn, choice=choice.id)
    answer = commands.yes_or_no(turn.text)
    if answer is None:
        return turn
    word = ":yes" if answer else ":no"
    meant = (choice.id for choice in menu if choice.id.endswith(word))
    return replace(turn, choice=next(meant, None))


def _consent_menu(turn: Turn) -> tuple[Choice, ...]:
    waits = turn.waiting_text is not None and not turn.service
    return (Choice("service:yes", ""), Choice("service:no", "")) if waits else ()


def obey(turn: Turn, mind: Mind) -> Outcome | None:
    """Orders by slash command, plain word or button: honoured in every state."""
    # First, because "/cancel" and "/data" mean other things to an admin.
    ordered = mind.desk(turn, mind)
    if ordered is not None:
        return ordered
    command = _ordered(turn)
    if command is None:
        return _answered(turn, mind)
    match command:
        case Command.START:
            return _start(turn, mind)
        case Command.STOP:
            return Outcome(mind.service(turn, "stop-done"), (SetStopped(True), Unhold()))
        case Command.ERASE:
            return Outcome(_ask(turn, mind, "erase-ask", "erase"))
        case Command.DATA:
            return Outcome(mind.service(turn, "data-file"), (HandOver(),))
        case Command.LANGUAGE:
            return Outcome(mind.service(turn, "language-ask", *_languages(turn, mind)))
        case Command.HAUSA | Command.ENGLISH:
            return _speak("ha" if command is Command.HAUSA else "en", turn, mind)
        case Command.TRAINING:
            return Outcome(_ask(turn, mind, "training-ask", "training"), (AskedTraining(),))
        case Command.STATUS if turn.is_admin:
            report = Reply(mind.report(turn.language))
            return Outcome(
                Answer(report, Source.SERVICE, reason="status"), (Used("status", turn.actor),)
            )
        case Command.HELP if turn.is_admin:
            answer = mind.service(turn, command.value)
            reply = answer.reply.with_note(mind.say(turn, "admin-help"))
            return Outcome(replace(answer, reply=reply))
        case Command.HELP | Command.EMERGENCY:
            return Outcome(mind.service(turn, command.value))
    return None


def pause(turn: Turn, mind: Mind) -> Outcome | None:
    """Somebody who stopped is told how to start again, and nothing else."""
    return Outcome(mind.service(turn, "stopped")) if turn.stopped else None


def ask_consent(turn: Turn, mind: Mind) -> Outcome | None:
    """Before the first ordinary answer: the question, keeping what was asked for afterwards.

    A yes or no that answers nothing is no question: keeping it would drop the one that waits.
    """
    if turn.service or turn.consent_on_page or not mind.policy.ask_consent:
        return None
    answer = _ask(turn, mind, "consent-ask", "service")
    asks = turn.text.strip() and commands.yes_or_no(turn.text) is None
    return Outcome(answer, (Hold(),) if asks else ())


def courtesies(turn: Turn, mind: Mind, outcome: Outcome) -> Outcome:
    """Around an ordinary answer: the page's consent, the notice, the second consent's question."""
    answer = outcome.answer
    if turn.consent_on_page and turn.service is None:
        return outcome.then(Consented("service", True))
    if not (mind.policy.ask_consent or turn.service or turn.noticed):
        noted = replace(answer, reply=answer.reply.with_note(mind.say(turn, "notice")))
        return Outcome(noted, (*outcome.effects, Noticed()))
    if (
        turn.answered
        and not turn.training_asked
        and answer.source in (Source.LIBRARY, Source.MODEL)
    ):
        asked = answer.reply.with_note(mind.say(turn, "training-ask"))
        asked = replace(asked, choices=_yes_no(turn, mind, "training"))
        return Outcome(replace(answer, reply=asked), (*outcome.effects, AskedTraining()))
    return outcome


def samples(turn: Turn, mind: Mind, *, short: bool = False) -> tuple[Choice, ...]:
    """The sample questions as choices."""
    suffix = "-short" if short else ""
    return tuple(Choice(f"ask:{key}", mind.say(turn, key + suffix)) for key in SAMPLES)


def sampled(turn: Turn, mind: Mind) -> Turn:
    """A pressed sample question as if it had been typed."""
    if turn.choice and turn.choice.startswith("ask:") and turn.choice[4:] in SAMPLES:
        question = mind.say(turn, turn.choice[4:])
        return replace(turn, text=question, kind=Kind.TEXT, choice=None)
    return turn


def welcome(turn: Turn, mind: Mind) -> Answer:
    """The greeting, with sample questions."""
    text = f"{mind.say(turn, 'welcome')}\n\n{mind.say(turn, 'welcome-samples')}"
    return Answer(Reply(text, samples(turn, mind, short=True)), Source.SERVICE, reason="welcome")


def _ordered(turn: Turn) -> Command | None:
    if turn.choice and turn.choice.startswith("do:"):
        name = turn.choice[3:]
        return Command(name) if name in set(Command) else None
    return commands.recognise(turn.text) if turn.kind in (Kind.TEXT, Kind.CHOICE) else None


def _start(turn: Turn, mind: Mind) -> Outcome:
    again = (SetStopped(False),) if turn.stopped else ()
    asked = ask_consent(turn, mind)
    if asked:
        return Outcome(asked.answer, again)
    if turn.stopped:
        return Outcome(mind.service(turn, "resumed"), again)
    return Outcome(welcome(turn, mind))


def _answered(turn: Turn, mind: Mind) -> Outcome | None:
    """A choice that answers one of our own questions."""
    match (turn.choice or "").partition(":"):
        case ("service", _, "yes"):
            return Outcome(welcome(turn, mind), agreed(turn))
        case ("service", _, "no"):
            refused = (Consented("service", False), Unhold())
            return Outcome(mind.service(turn, "consent-no"), refused)
        case ("training", _, "yes" | "no" as word):
            consent = Consented("training", word == "yes")
            return Outcome(mind.service(turn, f"training-{word}"), (consent,))
        case ("erase", _, "yes"):
            return Outcome(mind.service(turn, "erase-done"), (Erase(),))
        case ("erase", _, "no"):
            return Outcome(mind.service(turn, "erase-kept"))
        case ("language", _, "ha" | "en" as language):
            return _speak(language, turn, mind)
    return None


def released(turn: Turn) -> Turn | None:
    """The waiting question as the turn to answer, when this message is the yes it waited for.

    Its past holds only this question and the consent's: the engine is not shown them twice.
    """
    if turn.choice != "service:yes" or turn.waiting_text is None:
        return None
    question = replace(turn, text=turn.waiting_text, kind=Kind.TEXT, choice=None, edited=False)
    return replace(question, service=True, menu=(), past=())


def agreed(turn: Turn) -> tuple[Effect, ...]:
    """What a yes to the service changes: who had stopped has started again."""
    again = (SetStopped(False),) if turn.stopped else ()
    return (Consented("service", True), *again)


def _speak(language: str, turn: Turn, mind: Mind) -> Outcome:
    answer = mind.service(replace(turn, language=language), "language-set")
    return Outcome(answer, (SetLanguage(language),))


def _languages(turn: Turn, mind: Mind) -> tuple[Choice, ...]:
    return (
        Choice("language:ha", mind.say(turn, "label-hausa")),
        Choice("language:en", mind.say(turn, "label-english")),
    )


def _ask(turn: Turn, mind: Mind, key: str, about: str) -> Answer:
    return mind.service(turn, key, *_yes_no(turn, mind, about))


def _yes_no(turn: Turn, mind: Mind, about: str) -> tuple[Choice, ...]:
    yes, no = ("label-agree", "label-refuse") if about != "erase" else ("label-yes", "label-no")
    return (Choice(f"{about}:yes", mind.say(turn, yes)), Choice(f"{about}:no", mind.say(turn, no)))
