"""The demo's written content, read from the YAML files beside it; each file's head says what it holds."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent


@cache
def content(name: str) -> Any:
    """The parsed `<name>.yaml`; callers must not change it."""
    return yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506


# Four times as fast, and as safe.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
