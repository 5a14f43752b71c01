"""compose.yaml and Dockerfile: what they name exists here."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from cli.main import cli
from core.settings import Settings
from webhooks.factory import create_app
from webhooks.fakes import FakeService

ROOT = Path(__file__).parents[1]
COMPOSE_TEXT = (ROOT / "compose.yaml").read_text("utf-8")
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
SETTINGS = {name.upper() for name in Settings.model_fields}
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
STEPS = [line.split(" ", 1) for line in DOCKERFILE.splitlines() if line.strip()]


def step(name: str) -> list[str]:
    """The arguments of every such step."""
    return [rest for first, rest in STEPS if first == name]


def profile(name: str) -> set[str]:
    return {key for key, service in SERVICES.items() if name in service["profiles"]}


def test_profiles() -> None:
    assert profile("sqlite") == {"lafiya"}
    assert profile("postgres") == {"db", "web", "worker"}
    assert re.findall(r"--profile (\w+)", (ROOT / "docs/deploy.md").read_text("utf-8")) == [
        "sqlite",
        "postgres",
    ]


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_of_ours(name: str) -> None:
    service = OURS[name]
    assert (ROOT / service["build"] / "Dockerfile").exists()
    assert service["env_file"] == ".env"
    assert set(service["environment"]) <= SETTINGS
    words = shlex.split(service.get("command", "lafiya serve"))
    assert words[0] == "lafiya"
    assert words[1] in cli.commands
    assert set(service.get("depends_on", {})) <= set(SERVICES)
    Settings.model_validate({k.lower(): v for k, v in service["environment"].items()})


def test_published_ports_are_the_listening_ones_and_only_local() -> None:
    for service in OURS.values():
        for port in service["ports"]:
            assert port == "127.0.0.1:8080:8080"
    assert "PORT=8080" in step("ENV")[0]
    assert step("EXPOSE") == ["8080"]


def test_variables_are_settings_or_the_databases_own() -> None:
    named = set(re.findall(r"\$\{(\w+)", COMPOSE_TEXT))
    assert named <= SETTINGS | {"POSTGRES_PASSWORD"}
    assert all(f"${{{name}:-" in COMPOSE_TEXT for name in named), "each has a default"


def test_volumes_and_references() -> None:
    used = {v.partition(":")[0] for s in SERVICES.values() for v in s.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])
    url = OURS["web"]["environment"]["DATABASE_URL"]
    assert "@db/" in url
    assert SERVICES["db"]["environment"]["POSTGRES_DB"] == url.rpartition("/")[2]
    assert OURS["worker"]["environment"]["DATABASE_URL"] == url


def test_who_listens_is_asked_and_who_does_not_is_not() -> None:
    [check] = step("HEALTHCHECK")
    path = re.search(r"http://127\.0\.0\.1:8080(/[\w/]+)", check)[1]
    assert create_app(FakeService()).test_client().get(path).status_code == 200
    silent = {n for n, s in OURS.items() if s.get("healthcheck") == {"disable": True}}
    assert silent == {"worker"}


def test_the_image() -> None:
    for copied in step("COPY"):
        assert all((ROOT / source).exists() for source in copied.split()[:-1])
    constraints = re.search(r"-c (\S+)", step("RUN")[0])[1]
    assert (ROOT / constraints).exists()
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert constraints not in ignored
    assert {".git", ".env", "data", ".venv"} <= set(ignored)
    program, command = json.loads(step("CMD")[0])
    assert program == "lafiya"
    assert command in cli.commands


def test_nobody_is_root() -> None:
    [user] = step("USER")
    assert user not in ("root", "0")
    assert f"{user}\n" in f"{step('RUN')[0]}\n".replace(" ", "\n")
    names = [name for name, _ in STEPS]
    assert names.index("USER") > max(i for i, name in enumerate(names) if name == "RUN")
    assert names.index("USER") < names.index("CMD")


def test_python_is_one_that_the_project_takes() -> None:
    version = re.fullmatch(r"python:(3\.\d+)-slim", step("FROM")[0])[1]
    wanted = re.search(r'requires-python = ">=(3\.\d+)"', (ROOT / "pyproject.toml").read_text())[1]
    assert tuple(map(int, version.split("."))) >= tuple(map(int, wanted.split(".")))
