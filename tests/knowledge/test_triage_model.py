"""Model files and training data: safe to load, equal twice, wide enough, split by template."""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from knowledge import triage_model
from knowledge.ngrams import BUCKETS, Table
from knowledge.topic import load_topics
from knowledge.triage import Triage
from knowledge.triage_eval import (
    BEGIN,
    END,
    HELD_OUT,
    Case,
    held_out_file,
    in_vain,
    score,
    split_triage,
    write,
)
from knowledge.triage_features import WIDTH
from knowledge.triage_generate import NONE, Template, frames, hooked, templates, unhooked, write_out
from knowledge.triage_model import Limits, Model, ModelError
from knowledge.triage_questions import not_routine, questions, routine
from knowledge.triage_text import key
from knowledge.triage_train import Example, all_templates, shipped_reader, train
from knowledge.wording import Wording, written

RULES = frames()
READER = shipped_reader()


def _table(buckets: int, columns: int) -> Table:
    weights = np.random.default_rng(1).normal(size=(buckets, columns))
    return Table(weights.astype(np.float32), np.zeros(columns, dtype=np.float32))


TINY = Model(
    signs=("a", "b"),
    kinds=_table(BUCKETS, 2),
    alarm=_table(WIDTH, 1),
    limits=Limits(threshold=0.4),
    version="tiny",
)


def test_a_model_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    triage_model.save(TINY, tmp_path)
    again = triage_model.load(tmp_path)
    assert (again.signs, again.limits, again.version) == (TINY.signs, TINY.limits, TINY.version)
    seen = READER.read("ya suma")
    assert again.danger(seen)[0] == pytest.approx(TINY.danger(seen)[0], abs=0.05)


def test_saving_twice_gives_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        triage_model.save(TINY, tmp_path / name)
    first, second = (tmp_path / name / "triage.npz" for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()


def test_another_format_or_shape_is_refused(tmp_path: Path) -> None:
    triage_model.save(TINY, tmp_path)
    card = tmp_path / "triage.json"
    kept = card.read_text()
    card.write_text(kept.replace(f'"format": {triage_model.FORMAT}', '"format": 0'))
    with pytest.raises(ModelError):
        triage_model.load(tmp_path)
    card.write_text(kept.replace('"a",', ""))
    with pytest.raises(ModelError):
        triage_model.load(tmp_path)


def test_the_served_model_is_small_and_fits_the_signs() -> None:
    folder = triage_model.FOLDER
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 5_000_000
    assert set(triage_model.load().signs) == set(Triage.load().signs)


def test_training_learns_and_is_deterministic() -> None:
    data = [Example(f"ya suma {word}", "unconscious", 1.0) for word in ("yanzu", "jiya", "gida")]
    data += [Example(f"maciji ya sare shi {word}", "snakebite", 1.0) for word in ("a", "b", "c")]
    data += [Example(f"ruwan zafi ya zuba {word}", "burns", 1.0) for word in ("a", "b", "c")]
    data += [Example(f"ina kwana {word}", NONE, 1.0) for word in ("lafiya", "likita", "malam")]
    one, two = train(data), train(data)
    assert one.version == two.version
    assert one.danger(READER.read("ya suma"))[0] > 0.5 > one.danger(READER.read("ina kwana"))[0]
    assert one.danger(READER.read("maciji ya sare shi"))[1] == "snakebite"


def test_an_empty_text_is_scored() -> None:
    assert 0.0 <= TINY.danger(READER.read(""))[0] <= 1.0


def test_every_sign_has_sixty_messages_and_there_are_six_hundred_hard_negatives() -> None:
    texts: defaultdict[str, set[str]] = defaultdict(set)
    for template in all_templates():
        count = 1 if template.topic else 14
        texts[template.sign] |= {m.text.lower() for m in write_out(template, RULES, count, 1)}
    assert all(len(texts[sign]) >= 60 for sign in Triage.load().signs)
    assert len(texts[NONE]) >= 600


def test_no_template_stands_on_both_sides_of_the_split() -> None:
    sides = defaultdict(set)
    for template in all_templates():
        sides[template.text].add(template.held_out)
    assert all(len(side) == 1 for side in sides.values())
    assert {template.sign for template in all_templates() if template.held_out} >= set(
        Triage.load().signs
    ) - _too_few()


def _too_few() -> set[str]:
    counts = Counter(template.sign for template in templates())
    return {sign for sign, count in counts.items() if count < 15}


def test_templates_agree_and_repeat_for_equal_seeds() -> None:
    template = Template("unconscious", "woman", "{S} {p} suma [yanzu|jiya]")
    first = [message.text for message in write_out(template, RULES, 8, 3)]
    assert first == [message.text for message in write_out(template, RULES, 8, 3)]
    assert first != [message.text for message in write_out(template, RULES, 8, 4)]
    assert all("ta suma" in message.text.lower() for message in hooked(template, RULES, 8, 3))
    assert unhooked("ƙirji ɗaya ƁARI ƴata") == "kirji daya BARI yata"


def test_the_report_replaces_only_what_stands_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "safety.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write("new", page)
    assert page.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    bare = tmp_path / "none.md"
    write("new", bare)
    assert bare.read_text().endswith(f"{BEGIN}\nnew\n{END}\n")


@pytest.mark.skipif(not list(HELD_OUT.glob("triage_*.tsv")), reason="no held-out messages")
def test_the_bar_on_held_out_messages() -> None:
    cases = [case for path in sorted(HELD_OUT.glob("triage_*.tsv")) for case in held_out_file(path)]
    result = score(Triage.load(), cases)
    assert result.caught / result.danger >= 0.97
    # Half of these are near-misses made to fool it; wording of suicide is meant to escalate.
    assert (result.escalated - result.helpline) / result.routine <= 0.05
    routine = score(split_triage(), [Case(NONE, text) for text in questions(test=True)[::3]])
    assert routine.escalated / routine.routine <= 0.05


def test_alarms_raised_in_vain_are_counted_by_the_sign_they_name() -> None:
    vain = [Case(NONE, "maciji ya sare ni"), Case(NONE, "yarona ya suma"), Case(NONE, "ina kwana")]
    assert in_vain(Triage.load(), [vain[:1], vain[1:]]) == {"snakebite": 1, "unconscious": 1}


def test_routine_questions_are_the_topics_as_they_stand_now_without_the_dangers() -> None:
    asked, picked = frozenset(routine()), frozenset(not_routine())
    phrasings = [text for topic in load_topics().values() for text in topic.questions]
    assert len(asked.intersection(phrasings)) > 0.8 * len(phrasings)
    assert not asked & picked
    assert {"yarona ya suma", "maciji ya sare ni", "fyade"}.isdisjoint(asked)
    assert set(questions(test=True)).isdisjoint(questions(test=False))


def test_what_is_picked_out_stands_in_the_library() -> None:
    known = {text for topic in load_topics().values() for text in topic.questions}
    known |= {text for _, text in (*Wording.load().phrasings, *written())}
    assert known.issuperset(not_routine())


@pytest.mark.parametrize(
    ("text", "live", "told"),
    [
        ("maciji ya sare yarona", True, True),
        ("maciji bai sare shi ba", False, False),
        ("", False, False),
    ],
)
def test_a_message_is_seen_four_ways_in_buckets_of_their_own(
    text: str, live: bool, told: bool
) -> None:
    seen = READER.read(key(text))
    places, values = seen.joined()
    assert len(places) == len(values) == sum(len(found) for found, _ in seen.views)
    assert places.max(initial=0) < WIDTH
    assert len(set(places.tolist())) == len(places)
    assert (any(hit.sign == "snakebite" for hit in seen.live), seen.told) == (live, told)
