"""Our YAML files, read by the quick loader where it is there.

Knows which loaders are safe: files make plain values only, never objects. Knows no schema.
"""

from pathlib import Path
from typing import Any, Final

import yaml

# The loader in C (libyaml) reads a hundred files ten times faster; it is as safe as SafeLoader.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """Return what stands in the file at `path`, UTF-8.

    Raises:
        OSError: the file cannot be read.
        UnicodeDecodeError: it is not UTF-8.
        yaml.YAMLError: it is not YAML, or asks for an object.
    """
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 -- both are safe
