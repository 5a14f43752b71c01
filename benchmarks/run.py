"""All benchmarks: tables to the terminal, JSON as the last line, figures into docs/benchmarks.md.

`python -m benchmarks.run` (`make bench`); `--quick` measures a fifth and leaves the page alone.
"""

import argparse
import json
import os
import platform
import time
from typing import Any

from benchmarks import replies, report, webhooks


def main() -> None:
    """Measure everything."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    quick = options.parse_args().quick
    scale = 0.2 if quick else 1.0
    begun = time.monotonic()
    found: dict[str, Any] = {"machine": machine()}
    found |= webhooks.measure(scale)
    found |= replies.measure(scale)
    found["seconds"] = round(time.monotonic() - begun)
    text = "\n\n".join(
        [
            f"Measured with `python -m benchmarks.run` on {found['machine']}, "
            f"in {found['seconds']} s.",
            "### Webhook to 200",
            webhooks.show(found),
            "### Message in, reply out",
            replies.show(found),
        ]
    )
    print(text)
    if not quick:
        report.write(text)
    print(json.dumps(found))


def machine() -> str:
    """Cores, load and Python: what the figures depend on."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), load {load:.1f} before, "
        f"Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
