"""The look before a run: what is seen and learnt, with passages and without, and the memory."""

from pathlib import Path

from inference import prompt
from inference.engine import Passage
from tests.training.gemma.conftest import small
from training.data import Tools
from training.gemma.dry import expected, look
from training.grounding import Ground
from training.rows import Conversation


def test_a_grounded_sample_is_shown_beside_a_bare_one(
    tiny: Path, talks: list[Conversation]
) -> None:
    shown = Passage("ruwa", "A tafasa ruwa.")
    tools = Tools(
        lambda text: "ha",
        lambda question, answer: None,
        ground=Ground(lambda text: [shown]),
        own={"talks": lambda: talks},
    )
    found = look(small(tiny, data=("talks",), grounded=0.5), tools)
    assert len(found.samples) == 3
    (grounded, learnt), (bare, _) = found.samples[:2]
    assert f"{prompt.GROUNDING}\n\n[ruwa] A tafasa ruwa." in grounded
    assert prompt.GROUNDING not in bare
    assert "A tafasa" not in learnt
    assert learnt.endswith("<end_of_turn>\n")
    assert found.statistics["rows"] > found.statistics["grounded"] > 0
    assert "A tafasa ruwa." in found.text()
    assert set(found.memory) == {"weights", "adapter", "activations", "logits"}


def test_longer_rows_need_no_more_for_their_scores(tiny: Path) -> None:
    short, long = (expected(small(tiny, max_length=length)) for length in (64, 2048))
    assert long["activations"] == 32 * short["activations"]
    assert 1 <= long["logits"] / short["logits"] <= 2
