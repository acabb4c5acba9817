"""Experiments of other packages, brought in as an installed package would bring them: through entry points."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from minicoord import experiments

TESTS = Path(__file__).resolve().parent


def make_visible(monkeypatch: pytest.MonkeyPatch, folder: Path, points: str, *modules: Path) -> None:
    """Install entry points for the time of a test, for this process and those that it starts.

    Parameters
    ----------
    monkeypatch : pytest.MonkeyPatch
        Undoes it, if the test calls `forget` in the end.
    folder : path
        Where to write what ``pip install`` would.
    points : str
        The lines of ``[minicoord.experiments]``.
    *modules : path
        Folders that the modules of these experiments lie in, beside ``tests/``.
    """
    about = folder / "tiny-0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny\nVersion: 0\n")
    (about / "entry_points.txt").write_text(f"[{experiments.GROUP}]\n{points}\n")
    found = [folder, *modules, TESTS, TESTS.parent]
    inherited = filter(None, [os.environ.get("PYTHONPATH")])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*map(str, found), *inherited]))
    for place in (folder, *modules):
        monkeypatch.syspath_prepend(place)
    forget()


def forget() -> None:
    """Forget which experiments there are, so that the next question looks again."""
    experiments.registry.cache_clear()
    experiments.loaded.cache_clear()
