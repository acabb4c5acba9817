"""A variable that Numba cannot work with is one sentence from every command, and exit code 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from minicoord.app import cli

ROOT = Path(__file__).resolve().parents[2]

# Runs every command with what else it needs, as the installed program would; prints what each said, and its exit code.
EVERY_COMMAND = """
import contextlib, io, json, sys
import typer
from minicoord.app import cli

group = typer.main.get_command(cli.app)
names = [[name] for name, command in group.commands.items() if not hasattr(command, "commands")]
names += [["learn", name] for name in group.commands["learn"].commands]
names += [["run", "classification", "--threads", "1"], ["show", "classification", "--json"], ["doctor", "--json"]]
said = {}
for arguments in names:
    sys.argv = ["minicoord", *arguments]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
            code = None
        except SystemExit as end:
            code = end.code
    said[" ".join(arguments)] = [code, out.getvalue(), err.getvalue()]
print(json.dumps([said, "numba" in sys.modules]))
"""


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    env |= {"PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    "name, value, wanted",
    [
        ("NUMBA_NUM_THREADS", "0", "a whole number from 1 to 4096"),
        ("NUMBA_NUM_THREADS", "two", "a whole number from 1 to 4096"),
        ("NUMBA_THREADING_LAYER", "rubbish", "tbb, omp, workqueue, default, safe, threadsafe or forksafe"),
    ],
)
def test_every_command_says_it_in_one_sentence(name, value, wanted):
    done = run("-c", EVERY_COMMAND, **{name: value})
    assert done.returncode == 0, done.stderr
    said, numba_is_loaded = json.loads(done.stdout)
    assert len(said) > 15 and not numba_is_loaded
    for command, found in said.items():
        assert found == [2, "", f"minicoord: {name} is {value!r}, wanted {wanted}\n"], command


@pytest.mark.parametrize("command", [["--help"], ["--version"]])
def test_help_and_version_need_no_numba(command):
    assert run("-m", "minicoord", *command, NUMBA_NUM_THREADS="0").returncode == 0


def test_a_layer_that_cannot_be_loaded_is_one_sentence_too(monkeypatch, capsys):
    def refuse(*args, **kwargs):
        raise cli.EnvironmentVariableError("NUMBA_THREADING_LAYER is 'safe', but tbb cannot be loaded here")

    monkeypatch.setattr(cli, "app", refuse)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert capsys.readouterr().err == "minicoord: NUMBA_THREADING_LAYER is 'safe', but tbb cannot be loaded here\n"


def test_right_variables_are_no_matter(monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "2")
    monkeypatch.setenv("NUMBA_THREADING_LAYER", "Safe")
    monkeypatch.setenv("NUMBA_THREADING_LAYER_PRIORITY", "omp tbb workqueue")
    assert CliRunner().invoke(cli.app, ["learn", "list"]).exit_code == 0
