"""What the tests of the terminal share: a fixture that runs commands, and two answers to one short exercise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from minicoord.learn.definition.course import get
from minicoord.learn.doors.terminal import learn

WRONG = "def pixel_index(x, y, height, width):\n    return y * height + x\n"
SOLVED = get("pixel_index").solution_text()

Command = Callable[..., Result]


@pytest.fixture(name="run")
def run_in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command in an empty folder; what it prints must be ASCII."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)  # without a terminal, lines are not wrapped

    def command(*arguments: str) -> Result:
        result = CliRunner().invoke(learn, list(arguments))
        if result.exit_code != 2:
            assert (result.stdout + result.stderr).isascii()
        return result

    return command
