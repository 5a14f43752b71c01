"""Which engine is chosen on which machine, and that the reason can be read."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import Settings
from inference.choose import INSTALL, NEEDED, Choice, Explained, Machine, choose, decide, look
from inference.engine import FakeEngine, Release, Request
from inference.openai_fakes import FakeServer

SERVER = "http://127.0.0.1:9"
BARE = Machine(missing=("torch", "peft"))
CPU = Machine()
GPU = Machine(driver=True, gpu="NVIDIA H200")
UNUSABLE = Machine(driver=True, trouble="this torch is built without CUDA")
NO_SOFTWARE = Machine(missing=("torch",), driver=True)

DECISIONS = [
    ("auto, bare", "auto", "", BARE, "library", "no model server is set"),
    ("auto, software but no GPU", "auto", "", CPU, "library", "no GPU found"),
    ("auto, a GPU", "auto", "", GPU, "transformers", "NVIDIA H200"),
    ("auto, a GPU without software", "auto", "", NO_SOFTWARE, "library", "'.[model]'"),
    ("auto, a GPU that torch cannot use", "auto", "", UNUSABLE, "library", "without CUDA"),
    ("auto, a server", "auto", SERVER, BARE, "openai", "OPENAI_BASE_URL is set"),
    ("auto, a server and a GPU", "auto", SERVER, GPU, "openai", "OPENAI_BASE_URL is set"),
    ("library, whatever is here", "library", SERVER, GPU, "library", "ENGINE=library"),
    ("echo, whatever is here", "echo", SERVER, GPU, "echo", "ENGINE=echo"),
    ("openai, a GPU here", "openai", SERVER, GPU, "openai", "ENGINE=openai"),
    ("transformers, a GPU", "transformers", "", GPU, "transformers", "NVIDIA H200"),
    ("transformers, a server too", "transformers", SERVER, GPU, "transformers", "NVIDIA H200"),
    ("transformers, no GPU", "transformers", "", CPU, "transformers", "on the CPU, slow"),
    ("transformers, no use of it", "transformers", "", UNUSABLE, "transformers", "without CUDA"),
]


@pytest.mark.parametrize(
    ("label", "engine", "servers", "machine", "name", "why"),
    DECISIONS,
    ids=[case[0] for case in DECISIONS],
)
def test_the_engine_and_the_reason(
    label: str, engine: str, servers: str, machine: Machine, name: str, why: str
) -> None:
    choice = decide(engine, servers, machine)
    assert choice.name == name
    assert why in choice.why
    assert choice.why.startswith(f"ENGINE={engine}")


IMPOSSIBLE = [
    ("transformers, bare", "transformers", BARE, r"torch, peft.*pip install .*\[model\]"),
    ("transformers, a GPU", "transformers", NO_SOFTWARE, r"torch.*pip install"),
    ("openai, no server", "openai", GPU, "OPENAI_BASE_URL"),
]


@pytest.mark.parametrize(
    ("label", "engine", "machine", "say"), IMPOSSIBLE, ids=[case[0] for case in IMPOSSIBLE]
)
def test_what_cannot_be_had_says_what_to_do(
    label: str, engine: str, machine: Machine, say: str
) -> None:
    with pytest.raises(SettingsError, match=say):
        decide(engine, "", machine)


def test_the_install_command_is_one_that_works_here() -> None:
    """It names the extra and the file of versions that the project has."""
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    extra = text.partition("\nmodel = [")[2].partition("]\n")[0]
    assert all(f'"{name}' in extra for name in NEEDED)
    assert "-e '.[model]'" in INSTALL


def test_without_a_driver_nobody_imports_torch() -> None:
    """It takes seconds, and every command builds an engine."""
    code = (
        "import sys; from core.settings import Settings; from inference.choose import choose, look;"
        "machine = look(); choose(Settings()).close();"
        "assert machine.driver or 'torch' not in sys.modules, 'torch was imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_this_machine_is_looked_at() -> None:
    machine = look()
    assert machine.gpu == "" or machine.driver
    assert isinstance(decide("auto", "", machine), Choice)


def test_the_reason_stands_in_the_status_and_the_engine_behind_does_the_work() -> None:
    fake = FakeEngine("amsa")
    engine = Explained(fake, "ENGINE=auto: NVIDIA H200")
    assert engine.status().detail == "ENGINE=auto: NVIDIA H200; for tests"
    assert engine.generate(Request("a")).text == "amsa"
    engine.load(Release("v2"))
    engine.activate(Release("v2"))
    assert (fake.live, engine.verbatim, engine.answers) == ("v2", False, [])
    engine.close()


def test_several_servers_are_one_engine() -> None:
    with FakeServer() as one, FakeServer() as two:
        engine = choose(
            Settings(openai_base_url=f"{one.url}, {two.url},", model="gemma", openai_lora="none")
        )
        detail = "ENGINE=auto: OPENAI_BASE_URL is set, model gemma; 2 of 2 servers up"
        assert (engine.status().ready, engine.status().detail) == (True, detail)
        engine.close()
