"""The knobs of a fine-tuning run, their defaults and their ranges.

The defaults are those of the origin's recipe (ictBioRtc/hausa_health_assistant, notebook of June
2025): rank 32, alpha 32, no dropout, batch 2 × 4, learning rate 2e-4 falling linearly after five
steps, weight decay 0.01, seed 3407, 2,048 tokens, one epoch. Knows no file and no model.
"""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import SettingsError

#: Every linear layer of attention and MLP: what the origin's adapter covers.
TARGETS: Final = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class TrainConfig(BaseModel):
    """One run's settings. A run keeps a copy, so that it can be repeated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field("unsloth/gemma-3-4b-it", description="hub id or folder of the base model")
    data: tuple[str, ...] = Field(
        ("starter",), min_length=1, description="sources: starter, files, hub ids; name:weight"
    )
    epochs: float = Field(1.0, gt=0, le=10, description="times that each conversation is seen")
    max_steps: int = Field(0, ge=0, le=1_000_000, description="stop after so many steps; 0: no")
    batch: int = Field(2, ge=1, le=64, description="conversations in a forward pass")
    accumulation: int = Field(4, ge=1, le=256, description="forward passes in a step")
    learning_rate: float = Field(2e-4, ge=1e-6, le=1e-3, description="at its highest")
    schedule: Literal["linear", "cosine", "constant"] = Field("linear", description="how it falls")
    warmup: int = Field(5, ge=0, le=10_000, description="steps until the learning rate is reached")
    weight_decay: float = Field(0.01, ge=0, le=1, description="pull of the weights to zero")
    rank: int = Field(32, ge=8, le=128, description="rank of the adapter")
    alpha: int = Field(32, ge=1, le=512, description="the adapter's scale is alpha / rank")
    dropout: float = Field(0.0, ge=0, le=0.5, description="dropout inside the adapter")
    max_length: int = Field(
        2048, ge=64, le=32_768, description="tokens of a row; older turns of a longer one go"
    )
    packing: bool | None = Field(
        None, description="rows share a batch line, kept apart; empty: on a GPU only"
    )
    quantize: Literal["none", "8bit", "4bit"] = Field(
        "none", description="the base model's weights in memory (GPU only)"
    )
    unsloth: bool | None = Field(None, description="use Unsloth; empty: where it is installed")
    grounded: float = Field(
        0.75, ge=0, le=1, description="share of rows shown with vetted passages, as when serving"
    )
    held_out: float = Field(0.1, ge=0.01, le=0.5, description="share of questions kept to grade on")
    held_out_most: int = Field(500, ge=1, le=100_000, description="most rows graded while training")
    checks: int = Field(5, ge=1, le=100, description="gradings and checkpoints in a run")
    patience: int = Field(
        3, ge=0, le=100, description="stop after so many gradings without gain; 0: never"
    )
    evaluate: bool = Field(True, description="examine the release when the run is done")
    processes: int = Field(
        1, ge=1, le=64, description="processes (GPUs) of this machine that share each step"
    )
    accelerate: str = Field(
        "", description="file of `accelerate config`, for several machines; replaces processes"
    )
    seed: int = Field(3407, ge=0, le=2**31, description="of shuffling and of the adapter's start")
    report_to: Literal["none", "tensorboard", "wandb", "trackio"] = Field(
        "none", description="where curves are sent besides the run's own folder"
    )


def config(values: dict[str, Any]) -> TrainConfig:
    """A checked configuration. Raises SettingsError naming each wrong knob and its range."""
    try:
        return TrainConfig.model_validate(values)
    except ValidationError as error:
        problems = (
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg'].lower()}"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError("; ".join(problems)) from None
