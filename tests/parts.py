"""All tests, in processes side by side: `python -m tests.parts [arguments of pytest]`.

Each process has files of its own, and imports only what these need: torch and what comes with it
take as long to import as hundreds of tests. Some mostly wait, so that there are more processes than
processors. Lines of progress are shown as they come, the rest of what a process says when it ends.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Final

WAITING: Final = (
    "tests/acceptance",
    "tests/bot/test_progress_killed.py",
    "tests/web/test_browser.py",
    "tests/web/test_console_browser.py",
)
#: The longest of their folder; `rest` has enough without them.
MEASURING: Final = (
    "tests/knowledge/test_library_eval.py",
    "tests/knowledge/test_topic_model.py",
    "tests/knowledge/test_triage_model.py",
    "tests/knowledge/test_triage_sieve.py",
)
#: What belongs to two of them is run by the one that names it more narrowly; `rest` is all others'.
PARTS: Final[dict[str, tuple[str, ...]]] = {
    "waiting": WAITING,
    "models": ("tests/inference", "tests/training"),
    "bot": ("tests/bot", *MEASURING, "tests/test_readme.py"),
    "rest": ("tests",),
}
#: Libraries that start threads of their own would only wait for one another.
ONE_THREAD: Final = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
#: pytest's exit codes for "all passed" and, where the arguments chose others, "none collected".
FINE: Final = (0, 5)

_printing = threading.Lock()


def paths(part: str) -> list[str]:
    """What pytest is told to run and to leave to the others."""
    mine = PARTS[part]
    others = [path for name in PARTS if name != part for path in PARTS[name]]
    inside = [path for path in others if any(path.startswith(f"{own}/") for own in mine)]
    return [*mine, *(f"--ignore={path}" for path in inside)]


def main(arguments: Sequence[str]) -> int:
    """0 when all have passed, else 1."""
    codes: dict[str, int] = {}
    threads = [
        threading.Thread(target=lambda name=name: codes.update({name: _run(name, arguments)}))
        for name in PARTS
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return int(any(codes.get(name) not in FINE for name in PARTS))


def _run(part: str, arguments: Sequence[str]) -> int:
    command = (sys.executable, "-m", "pytest", *paths(part), *arguments)
    environ = {**os.environ, **ONE_THREAD}
    # What one process has compiled, the next need not.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    process = subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    kept = []
    for line in process.stdout:
        if line.rstrip().endswith("%]"):
            _say(f"{part:8}{line}")
        else:
            kept.append(line)
    _say(f"{part:8}{''.join(kept)}")
    return process.wait()


def _say(text: str) -> None:
    with _printing:
        sys.stdout.write(text)
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
