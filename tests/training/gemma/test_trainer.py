"""How a step is cut: always as many conversations, whatever memory and processes allow."""

import pytest

from core.errors import SettingsError
from training.gemma.trainer import Fit, Grouped

SHARED = [
    # whole step, processes, each one's part
    (Fit(2, 4), 1, Fit(2, 4)),
    (Fit(2, 4), 2, Fit(2, 2)),
    (Fit(2, 4), 4, Fit(2, 1)),
    (Fit(2, 4), 8, Fit(1, 1)),
    (Fit(8, 1), 2, Fit(4, 1)),
    (Fit(6, 2), 4, Fit(3, 1)),
    (Fit(4, 3), 2, Fit(3, 2)),
]


@pytest.mark.parametrize(("whole", "processes", "part"), SHARED)
def test_a_step_is_shared_out(whole: Fit, processes: int, part: Fit) -> None:
    assert whole.shared(processes) == part
    assert part.batch * part.accumulation * processes == whole.batch * whole.accumulation


def test_a_step_that_cannot_be_shared_out_is_refused() -> None:
    with pytest.raises(SettingsError, match="8 conversations cannot be shared out"):
        Fit(2, 4).shared(3)


def test_a_packed_step_holds_as_many_conversations() -> None:
    """Eight of 250 tokens are one line of 2,048; of 1,000 tokens they are four."""
    assert Fit(2, 4).packed(250, 2048) == Fit(1, 1)
    assert Fit(2, 4).packed(1000, 2048) == Fit(2, 2)
    assert Fit(8, 1).packed(10, 2048) == Fit(1, 1)


def test_smaller_ends_with_activations_computed_twice() -> None:
    steps, fit = [], Fit(4, 2)
    while (smaller := fit.smaller()) is not None:
        steps.append(fit := smaller)
    assert steps == [Fit(2, 4), Fit(1, 8), Fit(1, 8, checkpointing=True)]


def test_each_epoch_has_an_order_of_its_own_that_can_be_found_again() -> None:
    sampler = Grouped(list(range(40)), 4, 7)
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    again = Grouped(list(range(40)), 4, 7)
    again.set_epoch(1)
    assert len(sampler) == 40
    assert first != second == list(again)
