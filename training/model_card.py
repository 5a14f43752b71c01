"""What goes with a release that leaves the house: the model card and the licence's notice.

Pure: facts in, Markdown out, in the form that the Hugging Face hub reads (YAML between dashes, then
text). Says what is known and no more; a figure that was not measured is not there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import yaml

from inference.prompt import SYSTEM

#: Section 3.1 of the Gemma Terms of Use (ai.google.dev/gemma/terms) wants this very sentence, in a
#: file called Notice, with whatever is derived from Gemma; adapters are.
NOTICE: Final = (
    "Gemma is provided under and subject to the Gemma Terms of Use found at "
    "ai.google.dev/gemma/terms\n"
)
TERMS: Final = "https://ai.google.dev/gemma/terms"
POLICY: Final = "https://ai.google.dev/gemma/prohibited_use_policy"
LIBRARY: Final = {"adapter": "peft", "merged": "transformers", "gguf": "gguf"}
#: Settings of a run that say something to whoever uses its result.
_SHOWN: Final = (
    "epochs",
    "batch",
    "accumulation",
    "learning_rate",
    "rank",
    "alpha",
    "max_length",
    "quantize",
    "seed",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card is made of.

    `form` is adapter, merged or gguf; `passed` the gate's verdict (None: not judged), `reasons` why
    it failed, `forced` why it was used all the same; `metrics` as the registry keeps them, with
    `base.` before those of the base model.
    """

    name: str
    form: str
    base_model: str
    base_revision: str = ""
    merged_revision: str = ""
    data: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    passed: bool | None = None
    reasons: tuple[str, ...] = ()
    forced: str | None = None
    code_version: str = ""
    created: float = 0.0
    random: bool = False


def card(facts: Facts) -> str:
    """README.md of a release."""
    parts = (_head(facts), _intended(), _trained(facts), _measured(facts), _use(facts), _licence())
    return "\n".join((_matter(facts), *parts))


def _matter(facts: Facts) -> str:
    rows: dict[str, Any] = {
        "license": "gemma",
        "language": ["ha", "en"],
        "library_name": LIBRARY[facts.form],
        "pipeline_tag": "text-generation",
        "tags": ["hausa", "health", "lora", "gemma3"],
    }
    if "/" in facts.base_model and not facts.base_model.startswith(("/", ".", "~")):
        rows["base_model"] = facts.base_model
        rows["base_model_relation"] = {"adapter": "adapter", "gguf": "quantized"}.get(
            facts.form, "finetune"
        )
    return f"---\n{yaml.safe_dump(rows, sort_keys=False)}---\n"


def _head(facts: Facts) -> str:
    what = {
        "adapter": f"A LoRA adapter for {facts.base_model}",
        "merged": f"{facts.base_model} with a LoRA adapter merged into it, in bfloat16",
        "gguf": f"{facts.base_model} with a LoRA adapter merged into it, for llama.cpp",
    }[facts.form]
    noise = "\n**Its weights are random: it shows how things work and says nothing.**\n"
    return (
        f"# {facts.name}\n\n{what}, fine-tuned to answer everyday health questions in Hausa, from "
        f"the Hausa Health Assistant ({f'lafiya {facts.code_version}'.strip()}).\n"
        f"{noise if facts.random else ''}\n**{_verdict(facts)}**\n"
    )


def _verdict(facts: Facts) -> str:
    if facts.passed:
        return "It has passed its gate: an examination, not a clinical trial."
    said = "It has NOT been examined." if facts.passed is None else "It has FAILED its gate."
    why = f" Reasons: {'; '.join(facts.reasons)}." if facts.reasons else ""
    forced = f" It was let out all the same, because: {facts.forced}." if facts.forced else ""
    return f"{said}{why}{forced} Do not let it answer people."


def _intended() -> str:
    return (
        "## What it is for\n\n"
        "General health information in Hausa, inside a service that looks for danger signs before "
        "the model, checks every answer after it, and sends people to a clinic. It is no doctor: "
        "it must not diagnose, dose or decide, nor answer emergencies. Alone, without such a "
        "service around it, it must not answer patients.\n\n"
        "The texts that it was taught and examined with are drafts: no clinician and no native "
        "reader has signed all of them. Like every language model it makes things up.\n"
    )


def _trained(facts: Facts) -> str:
    rows = [("Base model", facts.base_model), ("Revision", facts.base_revision or "a local copy")]
    if facts.merged_revision not in ("", facts.base_revision):
        rows.append(("Merged into revision", facts.merged_revision))
    sources = facts.config.get("data")
    if isinstance(sources, list | tuple):
        rows.append(("Data", ", ".join(map(str, sources))))
    rows += [("Hash of the data", facts.data)] if facts.data else []
    rows += [(name, f"{facts.config[name]}") for name in _SHOWN if name in facts.config]
    if facts.created:
        rows.append(("Made", f"{datetime.fromtimestamp(facts.created, UTC):%Y-%m-%d}"))
    table = "".join(f"| {name} | {_cell(value)} |\n" for name, value in rows)
    return f"## How it was made\n\n| | |\n|---|---|\n{table}"


def _measured(facts: Facts) -> str:
    lines = list(_figures(facts.metrics))
    if not lines:
        return "## Figures\n\nNone were measured.\n"
    return f"## Figures\n\n| | {_cell(facts.name)} | base |\n|---|---:|---:|\n{''.join(lines)}"


def _figures(metrics: Mapping[str, Any]) -> Iterator[str]:
    for name, value in sorted(metrics.items()):
        if isinstance(value, int | float) and "." not in name:
            base = metrics.get(f"base.{name}")
            yield (
                f"| {name} | {value:.4g} | {base:.4g} |\n"
                if isinstance(base, int | float)
                else f"| {name} | {value:.4g} | |\n"
            )


def _use(facts: Facts) -> str:
    how = {
        "adapter": "Load it with PEFT on the base model that is named above, or put its folder "
        "into a lafiya with `lafiya releases add`.",
        "merged": "Load it with transformers, vLLM or SGLang like any Gemma-3.",
        "gguf": "Serve it with llama.cpp: `llama-server -m FILE.gguf`.",
    }[facts.form]
    asked = "Ask it with Gemma-3's chat template and the system prompt that it was taught with:"
    return f"## How to use it\n\n{how} {asked}\n\n> {SYSTEM}\n"


def _licence() -> str:
    return (
        "## Licence\n\n"
        f"{NOTICE}\nThis is a modified version of Gemma. Whoever passes it on must pass on the "
        f"[terms]({TERMS}) and the restrictions of the [prohibited use policy]({POLICY}) with it.\n"
    )


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")
