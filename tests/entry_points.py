"""Experiments of another package, brought in as users bring them: through an entry point."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from minicoord import experiments

ROOT = Path(__file__).resolve().parents[1]


def install(folder: Path, **kinds: str) -> None:
    """Write what an installed package would leave: its metadata, with an entry point for each experiment."""
    info = folder / "other_package-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-package\nVersion: 1.0\n", encoding="utf-8")
    lines = [f"{name.replace('_', '-')} = {kind}" for name, kind in kinds.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{experiments.GROUP}]", *lines, ""]), encoding="utf-8")


def environment(*folders: Path) -> dict[str, str]:
    """Return the environment of a new process that sees minicoord and the packages in these folders."""
    path = os.pathsep.join(map(str, (ROOT, *folders)))
    return {**os.environ, "PYTHONPATH": path}


def make_visible(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Let this process and its children see the packages in these folders, until the test ends."""
    monkeypatch.setenv("PYTHONPATH", environment(*folders)["PYTHONPATH"])
    for folder in folders:
        monkeypatch.syspath_prepend(str(folder))
    experiments.registry.cache_clear()
    experiments.get.cache_clear()


def forget() -> None:
    """Let this process look for experiments anew."""
    experiments.registry.cache_clear()
    experiments.get.cache_clear()
    for name in ("toy_gan", "corridor", "tiny_experiment"):
        sys.modules.pop(name, None)
