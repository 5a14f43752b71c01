"""Talking to the assistant from a terminal: `chat` for people, `ask` for scripts and scores.

Both go through `conversation.answer` as every channel does. `ask` stores nothing.
"""

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

import click

from bot import conversation, flow, parts
from bot.effects import Consented, Outcome, SetLanguage, SetStopped, SetTopic
from bot.mind import Mind
from bot.texts import Texts
from core.messages import Past, Turn
from core.settings import Settings
from inference.choose import choose


@click.command()
@click.argument("question", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--language", type=click.Choice(["ha", "en"]), default="ha", show_default=True)
@click.pass_obj
def ask(settings: Settings, question: tuple[str, ...], as_json: bool, language: str) -> None:
    """Answer QUESTION, or each line of standard input. No consent is asked, nothing is stored."""
    mind = parts.make_mind(settings, choose(settings), Texts())
    given: Iterable[str] = (" ".join(question),) if question else _lines(sys.stdin)
    for line in given:
        row = answer_row(mind, line, language)
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else f"{row['reply']}\n")
    mind.engine.close()


def answer_row(mind: Mind, question: str, language: str = "ha") -> dict[str, Any]:
    """One answered question as `lafiya ask --json` prints it."""
    started = time.perf_counter()
    turn = Turn(question, service=True, noticed=True, training_asked=True, language=language)
    answer = conversation.answer(turn, mind).answer
    return {
        "question": question,
        "reply": answer.reply.text,
        "choices": [choice.label for choice in answer.reply.choices],
        "source": answer.source.value,
        "danger_sign": answer.danger_sign,
        "urgency": answer.urgency,
        "topic": answer.topic,
        "passages": [asdict(found) for found in answer.passages],
        "reason": answer.reason,
        "engine": mind.engine.status().name,
        "release": answer.release,
        "seconds": round(time.perf_counter() - started, 4),
    }


@click.command()
@click.pass_obj
def chat(settings: Settings) -> None:
    """Talk in the terminal, and see answers grow. Nothing is stored; an empty line ends it."""
    mind = parts.make_mind(settings, choose(settings), Texts())
    converse(mind, settings.memory_turns, live=sys.stdout.isatty())
    mind.engine.close()


def converse(mind: Mind, memory: int, *, live: bool) -> None:
    """A conversation on standard input and output, remembering the last `memory` things said.

    Where it is `live`, a model's answer is seen growing, as far as the guard has passed it; a pipe
    gets every answer once, whole.
    """
    turn = Turn("", service=True, noticed=True, training_asked=True)
    click.echo(flow.welcome(turn, mind).reply.text)
    while text := _next_line():
        spoken = Spoken(mind.say(turn, "withdrawn"))
        outcome = conversation.answer(replace(turn, text=text), mind, spoken.show if live else None)
        turn = _after(turn, text, outcome, memory)
        spoken.end(outcome.answer.reply.text)
        for number, choice in enumerate(outcome.answer.reply.choices, 1):
            click.echo(f"  {number}. {choice.label}")


class Spoken:
    """One answer on the terminal. What was printed stays: no terminal is asked to erase, so that a
    plain one and a screen reader tell the same; a reply that is another says `withdrawn` first.
    """

    def __init__(self, withdrawn: str) -> None:
        self._withdrawn = withdrawn
        self._told = ""

    def show(self, text: str) -> None:
        """Print what is new of an answer that grows."""
        if text.startswith(self._told):
            self._print(text)

    def end(self, text: str) -> None:
        """Print the rest of the reply, or all of it when it is not what was seen."""
        if not text.startswith(self._told):
            click.echo(f"\n\n{self._withdrawn}")
            self._told = ""
        self._print(text)
        click.echo()

    def _print(self, text: str) -> None:
        click.echo(("" if self._told else "\n") + text[len(self._told) :], nl=False)
        self._told = text


def _next_line() -> str:
    """What is typed; nothing when the input ends (Ctrl-D, Ctrl-C, the end of a pipe)."""
    try:
        typed: str = click.prompt("\n>", default="", show_default=False, prompt_suffix=" ")
    except click.Abort:
        click.echo()
        return ""
    return typed.strip()


def _lines(stream: Iterable[str]) -> Iterable[str]:
    return (line.rstrip("\n") for line in stream if line.strip())


def _after(turn: Turn, text: str, outcome: Outcome, memory: int) -> Turn:
    """The turn's settings after an answer, kept in memory instead of a store."""
    reply = outcome.answer.reply
    past = (*turn.past, Past("user", text), Past("assistant", reply.text))
    turn = replace(turn, past=past[-memory:] if memory else (), menu=reply.choices)
    for effect in outcome.effects:
        match effect:
            case SetLanguage(language):
                turn = replace(turn, language=language)
            case SetTopic(topic):
                turn = replace(turn, topic=topic)
            case SetStopped(stopped):
                turn = replace(turn, stopped=stopped)
            case Consented("training", granted):
                turn = replace(turn, training=granted)
    return turn
