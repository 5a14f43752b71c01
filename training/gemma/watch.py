"""What looks over the trainer's shoulder: writes where it stands, and stops it when asked."""

import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import TrainerCallback

from training.folder import RunFolder, Stopped

#: A checkpoint at least so often, in seconds, whatever the steps: a kill costs no more than this.
SAVE_EVERY = 300.0
#: How far a grading is, is written so often, in seconds.
TELL_EVERY = 1.0


class Watch(TrainerCallback):
    """Progress out, the wish to stop in. `stopped` says that the run ended because it was asked."""

    def __init__(self, folder: RunFolder, clock: Callable[[], float] = time.monotonic) -> None:
        self.stopped = False
        self._folder, self._clock = folder, clock
        self._began, self._begin_step, self._begin_tokens = self._clock(), 0, 0.0
        self._saved = self._told = self._clock()
        self._graded = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Steps are known now; a resumed run begins in the middle."""
        self._began, self._begin_step = self._clock(), state.global_step
        self._begin_tokens = _tokens(state)
        self._saved = self._began
        if state.is_world_process_zero:
            self._folder.update(
                phase="training", step=state.global_step, steps=state.max_steps, detail=""
            )

    def on_substep_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Between the passes of a step too, alone: a step may take a minute."""
        if not torch.distributed.is_initialized() and self._folder.asked_to_stop():
            self.stopped = control.should_training_stop = True

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop, or save when the last checkpoint is long ago."""
        late = self._clock() - self._saved > SAVE_EVERY
        asked, late = agreed((self.stopped or self._folder.asked_to_stop(), late), args.device)
        if asked:
            self.stopped = control.should_training_stop = True
        control.should_save |= asked or late

    def on_prediction_step(
        self, args: Any, state: Any, control: Any, eval_dataloader: Any = None, **_: Any
    ) -> None:
        """A grading takes minutes: say how far it is. Raises Stopped when that is wanted."""
        self._graded += 1
        if any(agreed((self._folder.asked_to_stop(),), args.device)):
            self.stopped = True
            raise Stopped
        if state.is_world_process_zero and self._clock() - self._told > TELL_EVERY:
            self._told, rows = self._clock(), len(eval_dataloader.dataset)
            asked = min(rows, self._graded * args.eval_batch_size * args.world_size)
            self._folder.update(phase="grading", asked=asked, questions=rows)

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Back to learning; the next grading counts anew."""
        self._graded = 0
        if state.is_world_process_zero:
            self._folder.update(phase="training", asked=0, questions=0)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Note when."""
        self._saved = self._clock()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """One line in the progress file, and the state."""
        named = _named(logs or {})
        if not state.is_world_process_zero or not named.keys() & {"loss", "held_out_loss"}:
            return
        seconds = self._clock() - self._began
        done = state.global_step - self._begin_step
        line: dict[str, Any] = {"step": state.global_step, "seconds": round(seconds, 2)}
        line |= named
        self._folder.log(line)
        changes: dict[str, Any] = {k: line[k] for k in ("loss", "held_out_loss") if k in line}
        if "held_out_loss" in changes:
            best = self._folder.state().best_loss
            changes["best_loss"] = min(changes["held_out_loss"], best or float("inf"))
            if state.global_step == 0:  # the adapter does nothing yet: it is the base model's
                changes["base_loss"] = changes["held_out_loss"]
        if done > 0 and seconds > 0:
            left = (state.max_steps - state.global_step) * seconds / done
            changes["eta"] = round(left, 1)
            changes["speed"] = round((_tokens(state) - self._begin_tokens) / seconds, 1)
        self._folder.update(
            step=state.global_step, steps=state.max_steps, memory=memory(), **changes
        )


def agreed(wishes: Sequence[bool], device: Any) -> tuple[bool, ...]:
    """What any process wishes: one that stops by itself leaves the others waiting for ever."""
    if not torch.distributed.is_initialized():
        return tuple(wishes)
    votes = torch.tensor([int(wish) for wish in wishes], device=device)
    torch.distributed.all_reduce(votes, op=torch.distributed.ReduceOp.MAX)
    return tuple(bool(vote) for vote in votes)


def _named(logs: dict[str, Any]) -> dict[str, Any]:
    names = {"loss": "loss", "learning_rate": "learning_rate", "eval_loss": "held_out_loss"}
    return {ours: logs[theirs] for theirs, ours in names.items() if theirs in logs}


def _tokens(state: Any) -> float:
    return float(state.num_input_tokens_seen)


def memory() -> int:
    """The most memory held so far, in bytes: the GPU's where there is one, else the process's."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
