"""What the tests of the site share: its modules, which are scripts beside each other and no package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "lessons" / "site"

if str(SITE) not in sys.path:
    sys.path.append(str(SITE))  # where these scripts find each other


def module(name: str) -> Any:
    """Return a script of lessons/site as a module, also where a package of that name is installed."""
    spec = importlib.util.spec_from_file_location(name, SITE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made
