"""Measurement of the triage: `python -m knowledge.triage_eval` prints the tables of docs/safety.md.

Knows the test split by template, the open corpora and the held-out message files, and what
counts as caught and as escalated. Message texts are never printed, only counts.
"""

import csv
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from knowledge import library_eval, triage_model
from knowledge.triage import Finding, Triage
from knowledge.triage_context import Context
from knowledge.triage_generate import DATA, NONE, Template, frames, hooked, unhooked
from knowledge.triage_questions import questions
from knowledge.triage_signs import SIGNS, load_signs
from knowledge.triage_train import SEED, SPLIT, all_templates, corpus

ROOT: Final = Path(__file__).parent.parent
HELD_OUT: Final = ROOT / "tests" / "knowledge" / "heldout"
PAGE: Final = ROOT / "docs" / "safety.md"
BEGIN, END = "<!-- triage:begin -->", "<!-- triage:end -->"
COMMAND: Final = "make eval-triage"
PER_TEMPLATE: Final = 4
PLAIN: Final = "plain"


@dataclass(frozen=True, slots=True)
class Case:
    """One message, the sign (or "none") that it stands for, and whether it is a plain question.

    What is no danger and not plain was written to sound like one.
    """

    expect: str
    text: str
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """What the triage made of a set of cases.

    `helpline` counts the routine cases that escalated by the wording of suicide, as they must.
    """

    danger: int
    caught: int
    same: int
    routine: int
    escalated: int
    helpline: int


def main() -> None:
    """Measure, print, and write the tables between the marks of docs/safety.md."""
    report = "\n".join(_report())
    sys.stdout.write(report + "\n")
    write(report)


def live(finding: Finding | None) -> bool:
    """Say whether `finding` raises the alarm."""
    return finding is not None and not finding.downgraded


def score(triage: Triage, cases: Iterable[Case]) -> Score:
    """Count what `triage` catches and escalates in `cases`."""
    counts: Counter[str] = Counter()
    for case in cases:
        finding = triage.check(case.text)
        kind = "routine" if case.expect == NONE else "danger"
        counts[kind] += 1
        if finding is not None and live(finding):
            counts[f"{kind} alarmed"] += 1
            counts["same"] += finding.sign == case.expect
            spoken = finding.sign == "suicide" and finding.by != "classifier"
            counts["helpline"] += spoken and kind == "routine"
    return Score(
        counts["danger"],
        counts["danger alarmed"],
        counts["same"],
        counts["routine"],
        counts["routine alarmed"],
        counts["helpline"],
    )


def held_out_file(path: Path) -> list[Case]:
    """Read a held-out file with the columns expect, text and, in newer ones, kind."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Case(row["expect"].strip(), row["text"], row.get("kind") == PLAIN) for row in rows]


def split_triage() -> Triage:
    """Return the triage with the model that never saw the test templates."""
    return Triage(load_signs(), Context.load(), triage_model.load(SPLIT))


def write(report: str, page: Path = PAGE) -> None:
    """Put `report` between the marks of `page`; a page without marks gets them at its end."""
    text = page.read_text(encoding="utf-8") if page.exists() else "# Safety\n"
    if BEGIN not in text or END not in text:
        text = f"{text.rstrip()}\n\n{BEGIN}\n{END}\n"
    head, rest = text.split(BEGIN, 1)
    page.write_text(f"{head}{BEGIN}\n{report}\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


def _report() -> Iterator[str]:
    served, unseen = Triage.load(), split_triage()
    yield f"Written by `{COMMAND}`. Model `{triage_model.load().version}`."
    sets = routine_sets()
    yield from _by_sign(unseen, in_vain(unseen, sets.values()))
    yield from _routine(unseen, sets)
    yield from _chat(served)
    yield from _files(served)
    yield from _speed()


def in_vain(triage: Triage, sets: Iterable[Sequence[Case]]) -> Counter[str]:
    """Count by sign the alarms that `triage` raises for messages that must not escalate."""
    found = (triage.check(case.text) for cases in sets for case in cases)
    return Counter(finding.sign for finding in found if finding is not None and live(finding))


def _by_sign(triage: Triage, vain: Counter[str]) -> Iterator[str]:
    yield "\n**Danger signs, in templates that the measured model never saw**\n"
    yield (
        "| sign | messages | recall, hooked | recall, unhooked | named the same sign "
        "| raised in vain (messages of the next table) |"
    )
    yield "|---|---|---|---|---|---|"
    whole: list[Case] = []
    for sign in triage.signs:
        cases = _of_sign(sign)
        whole += cases
        if cases or vain[sign]:
            yield f"{_sign_row(triage, sign, cases)} {vain[sign]} |"
    yield f"{_sign_row(triage, '**all**', whole)} {vain.total()} |"


def _of_sign(sign: str) -> list[Case]:
    return list(_template_cases(lambda template: template.sign == sign))


def _sign_row(triage: Triage, name: str, cases: Sequence[Case]) -> str:
    kept = score(triage, cases)
    bare = score(triage, [Case(case.expect, unhooked(case.text)) for case in cases])
    return (
        f"| {name} | {kept.danger} | {_share(kept.caught, kept.danger)} "
        f"| {_share(bare.caught, bare.danger)} | {_share(kept.same, kept.caught)} |"
    )


def routine_sets() -> dict[str, list[Case]]:
    """Return the messages that must not escalate and were never trained on, by what they are."""
    sets = {
        "routine questions as people ask them": [Case(NONE, t) for t in questions(test=True)],
        "hard negatives (templates, near-misses)": list(
            _template_cases(lambda t: t.sign == NONE and not t.topic)
        ),
        "prevention, definition, denial, news, past (frames)": list(
            _template_cases(lambda t: bool(t.topic), 1)
        ),
    }
    texts = corpus("test")
    for source in sorted({source for source, _ in texts}):
        sets[f"{source} test sample"] = [Case(NONE, text) for name, text in texts if name == source]
    return sets


def _routine(triage: Triage, sets: Mapping[str, Sequence[Case]]) -> Iterator[str]:
    yield "\n**Messages that must not escalate, none of them trained on**\n"
    yield "| set | messages | escalated |"
    yield "|---|---|---|"
    for name, cases in sets.items():
        result = score(triage, cases)
        yield f"| {name} | {result.routine} | {_count(result.escalated, result.routine)} |"


def _chat(triage: Triage) -> Iterator[str]:
    yield (
        "\n**TICO-19 doctor-patient lines, never trained on** "
        "(the served model; with neither chest nor breath: must stay dark)\n"
    )
    yield "| lines | speaker | count | escalated |"
    yield "|---|---|---|---|"
    with (DATA / "tico19_chat.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    for kind in sorted({(row["mentions"], row["speaker"]) for row in rows}):
        cases = [
            Case(NONE, row["text"]) for row in rows if (row["mentions"], row["speaker"]) == kind
        ]
        result = score(triage, cases)
        yield f"| {kind[0].replace('_', ' ')} | {kind[1]} | {result.routine} | {result.escalated} |"


def _files(triage: Triage) -> Iterator[str]:
    paths = sorted(HELD_OUT.glob("triage_*.tsv"))
    if not paths:
        return
    yield "\n**Held-out messages, never trained on** (the served model)\n"
    yield (
        "| file | danger | recall | same sign | not danger | escalated | by suicide words "
        "| of these plain questions | escalated |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    every = [(path.stem, held_out_file(path)) for path in paths]
    every.append(("**all**", [case for _, cases in every for case in cases]))
    for name, cases in every:
        result = score(triage, cases)
        plain = score(triage, [case for case in cases if case.plain])
        yield (
            f"| {name} | {result.danger} | {_share(result.caught, result.danger)} "
            f"| {_share(result.same, result.caught)} | {result.routine} "
            f"| {_count(result.escalated, result.routine)} | {result.helpline} "
            f"| {plain.routine or '-'} | {_count(plain.escalated, plain.routine)} |"
        )
    yield from _missed(triage, every[-1][1])
    yield from _untested(triage, every[-1][1])
    yield from _asked(triage)
    if {path.stem.removeprefix("triage_") for path in paths} >= set(library_eval.BLIND):
        yield f"\n{library_eval.AFTERWARDS}"


def _missed(triage: Triage, cases: Sequence[Case]) -> Iterator[str]:
    missed = Counter(
        case.expect for case in cases if case.expect != NONE and not live(triage.check(case.text))
    )
    listed = ", ".join(f"{sign} {count}" for sign, count in sorted(missed.items())) or "none"
    yield f"\nMissed in the held-out files, by sign: {listed}."


def _untested(triage: Triage, cases: Sequence[Case]) -> Iterator[str]:
    names = [sign for sign in triage.signs if not _of_sign(sign)]
    result = score(triage, [case for case in cases if case.expect in names])
    if names:
        yield (
            f"\nOf {', '.join(names)} no template fell to the test side of the split: of the "
            f"{result.danger} messages about them in these files {result.caught} raise the alarm."
        )


def _asked(triage: Triage) -> Iterator[str]:
    rows = [row for questions in library_eval.held_out().values() for row in questions]
    strange = score(triage, [Case(NONE, text) for topic, text in rows if topic == NONE])
    asked = score(triage, [Case(NONE, text) for topic, text in rows if topic != NONE])
    yield (
        f"\nOf the {asked.routine} held-out questions for the library {asked.escalated} raise an "
        f"alarm (some should), of the {strange.routine} off-topic lines {strange.escalated}."
    )


def _speed() -> Iterator[str]:
    # A fresh one: the shared one is loaded already and remembers messages.
    begun = time.process_time()
    triage = Triage.load(SIGNS.parent)
    load_ms = (time.process_time() - begun) * 1000
    spent = sorted(_timed(triage, text) for text in questions(test=True)[:300])
    usual, slow = statistics.median(spent), spent[int(len(spent) * 0.95)]
    yield (
        f"\nSpeed on the measuring machine: {load_ms:.0f} ms of processor time to load; "
        f"a message takes {usual:.1f} ms (median), {slow:.1f} ms (95 %)."
    )


def _timed(triage: Triage, text: str) -> float:
    begun = time.process_time()
    triage.check(text)
    return (time.process_time() - begun) * 1000


def _template_cases(
    wanted: Callable[[Template], bool], count: int = PER_TEMPLATE
) -> Iterator[Case]:
    rules = frames()
    for template in all_templates():
        if template.held_out and wanted(template):
            for message in hooked(template, rules, count, SEED + 2):
                yield Case(message.sign, message.text)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _count(part: int, whole: int) -> str:
    return f"{part} ({_share(part, whole)})" if whole else "-"


if __name__ == "__main__":
    main()
