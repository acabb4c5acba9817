"""The command line, with an experiment that trains nothing: arguments, exit codes, what goes to which stream."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from entry_points import forget

from minicoord import experiments
from minicoord.app import cli
from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.metrics import Metric
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.frame.settings import Settings, setting

ROOT = Path(__file__).resolve().parents[2]


class Answer(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """stderr without the frame and the line breaks of the error box."""
        return " ".join(re.sub(r"[│╭╮╰╯─]", " ", self.err).split())


@dataclass(frozen=True, kw_only=True)
class FakeSettings(Settings):
    epochs: int = setting("epochs")
    learning_rate: float = setting("learning rate")
    raw_input: bool = setting("feed pixel numbers", False, models=["conv"])


PRESETS = {
    "quick": {
        "conv": FakeSettings(epochs=3, learning_rate=0.01),
        "coordconv": FakeSettings(epochs=2, learning_rate=0.02),
    }
}


class Fake(Experiment):
    """Keeps what it was asked to run; `instead` says what happens instead of a result at that call."""

    name = "fake"
    title = "Fake [bold] classification"  # square brackets are markup for rich: they must come out as they are
    paper_section = "section 0"
    Settings = FakeSettings
    models = ("conv", "coordconv")
    variants = ("uniform", "quadrant")
    more_variants = ("official-uniform",)
    variant_name = "split"
    metrics = (Metric("test_accuracy", "test accuracy"),)
    presets = PRESETS

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.drawn: list[int] = []
        self.instead: dict[int, Any] = {}

    def run_plan(self, experiment: Experiment, plan: Plan, out: Path, *, progress: bool = True, **options: Any) -> Any:
        """Stand in for `minicoord.experiments.frame.run.run`."""
        assert experiment is self
        print("noise that a careless experiment prints")
        told = {"model": plan.model, "split": plan.variant, "preset": plan.preset, "seed": plan.seed}
        raw_input = plan.settings.raw_input
        self.calls.append({**told, "out": out, "progress": progress, "raw_input": raw_input, **options})
        instead = self.instead.get(len(self.calls))
        if isinstance(instead, BaseException):
            raise instead
        metrics = {"test_accuracy": 1.0, "loss": float("nan")}
        return {"experiment": "fake", **told, "metrics": metrics, "interrupted": instead == "interrupted"}

    def summary_table(self, results: Any) -> list[dict[str, str]]:
        return [{"network": r["model"], "split": r["split"], "test [%]": "100"} for r in results]

    def notes(self, results: Any) -> list[str]:
        return ["The conv run is short."]

    def figures(self, results: Any, folder: Path) -> list[Path]:
        print("noise of the figures")
        self.drawn.append(len(results))
        return [folder / "figure.png"]

    def describe(self) -> list[dict[str, Any]]:
        return [{"model": "coordconv", "parameters": 7553, "layers": "five 1x1 convolutions"}]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    fake = Fake()
    monkeypatch.setitem(sys.modules, "fake_experiment", SimpleNamespace(Fake=lambda: fake))
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"fake": "fake_experiment:Fake"})
    monkeypatch.setattr("minicoord.experiments.frame.run.run", fake.run_plan)
    forget()
    yield fake
    forget()


@pytest.fixture
def minicoord(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Answer]:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Answer:
        with pytest.raises(SystemExit) as stopped:
            cli.app(list(arguments), prog_name="minicoord")
        captured = capsys.readouterr()
        return Answer(int(stopped.value.code or 0), captured.out, captured.err)

    return call


def test_run_without_options_runs_both_models_on_both_splits(fake, minicoord):
    answer = minicoord("run", "fake")
    assert answer.code == 0
    assert [(c["split"], c["model"], c["seed"], c["preset"]) for c in fake.calls] == [
        ("uniform", "conv", 0, "quick"),
        ("uniform", "coordconv", 0, "quick"),
        ("quadrant", "conv", 0, "quick"),
        ("quadrant", "coordconv", 0, "quick"),
    ]
    assert fake.calls[0]["out"] == Path("minicoord-results")
    assert fake.calls[0]["resume"] is False
    assert fake.calls[0]["raw_input"] is False
    assert fake.drawn == [4]


def test_the_table_goes_to_stdout_with_its_brackets_and_the_rest_to_stderr(fake, minicoord):
    answer = minicoord("run", "fake", "--model", "conv")
    assert "Fake [bold] classification" in answer.out
    assert "test [%]" in answer.out
    assert "The conv run is short." in answer.out
    assert "noise" not in answer.out
    assert "noise that" in answer.err
    assert "[1/2]" in answer.err
    assert "figure.png" in answer.err


def test_options_reach_the_experiment(fake, minicoord, tmp_path):
    out = tmp_path / "new" / "folder"
    answer = minicoord(
        *("run", "fake", "--model", "conv", "--split", "quadrant", "--seed", "7"),
        *("--out", str(out), "--resume", "--raw-input"),
    )
    assert answer.code == 0
    assert out.is_dir()
    assert fake.calls == [
        {
            "model": "conv",
            "split": "quadrant",
            "preset": "quick",
            "seed": 7,
            "out": out,
            "resume": True,
            "overwrite": False,
            "raw_input": True,
            "progress": True,
        }
    ]


def test_seeds_counts_from_zero(fake, minicoord):
    assert minicoord("run", "fake", "--model", "conv", "--split", "uniform", "--seeds", "3").code == 0
    assert [call["seed"] for call in fake.calls] == [0, 1, 2]


def test_first_seed_moves_the_count(fake, minicoord):
    options = ["--model", "conv", "--split", "uniform", "--seeds", "3", "--first-seed", "100"]
    assert minicoord("run", "fake", *options).code == 0
    assert [call["seed"] for call in fake.calls] == [100, 101, 102]


def test_json_is_all_that_stdout_gets(fake, minicoord):
    answer = minicoord("run", "fake", "--split", "uniform", "--json")
    assert answer.code == 0
    results = json.loads(answer.out)
    assert [result["model"] for result in results] == ["conv", "coordconv"]
    assert results[0]["metrics"] == {"test_accuracy": 1.0, "loss": None}  # JSON knows no NaN
    assert "noise" in answer.err


def test_threads_are_set(fake, minicoord, monkeypatch):
    from minicoord.kernels.backend import threading_layer

    before = threading_layer.get_threads()
    try:
        assert minicoord("run", "fake", "--threads", "1").code == 0
        assert threading_layer.get_threads() == 1
        answer = minicoord("run", "fake", "--threads", "100000")
        assert answer.code == 0
        assert "100000 threads wanted" in answer.err
    finally:
        threading_layer.set_threads(before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "fke"], "did you mean 'fake'?"),
        (["show", "nothing-like-it"], "choose from fake"),
        (["run", "fake", "--model", "cordconv"], "did you mean 'coordconv'?"),
        (["run", "fake", "--split", "quadrants"], "did you mean 'quadrant'?"),
        (["run", "fake", "--preset", "quik"], "did you mean 'quick'?"),
        (["run", "fake", "--seed", "1", "--seeds", "2"], "give one of the two"),
        (["run", "fake", "--seeds", "0"], "--seeds"),
        (["run", "fake", "--threads", "0"], "--threads"),
        (["run", "fake", "--modle", "conv"], "--model"),
        (["rum", "fake"], "Did you mean 'run'?"),
        (["run"], "EXPERIMENT"),
    ],
)
def test_a_wrong_word_is_a_usage_error_that_helps(fake, minicoord, arguments, message):
    answer = minicoord(*arguments)
    assert answer.code == 2
    assert message in answer.sentence
    assert answer.out == ""
    assert fake.calls == []


def test_out_that_is_a_file_is_refused_before_training(fake, minicoord, tmp_path):
    file = tmp_path / "taken"
    file.write_text("")
    for out in (file, file / "below"):
        answer = minicoord("run", "fake", "--out", str(out))
        assert answer.code == 2
        assert "cannot write to" in answer.sentence and "is a file, wanted a folder" in answer.sentence
    assert fake.calls == []


@pytest.mark.parametrize("how", ["interrupted", KeyboardInterrupt()])
def test_an_interrupted_run_stops_the_rest_and_shows_what_there_is(fake, minicoord, how):
    fake.instead = {3: how}
    answer = minicoord("run", "fake")
    assert answer.code == 130
    assert len(fake.calls) == 3
    assert "Fake [bold] classification" in answer.out
    assert "--resume" in answer.err


def test_interrupted_at_once_has_no_table(fake, minicoord):
    fake.instead = {1: KeyboardInterrupt()}
    assert minicoord("run", "fake").out == ""
    fake.calls.clear()
    assert json.loads(minicoord("run", "fake", "--json").out) == []


def test_a_failed_run_is_one_sentence_and_exit_code_1(fake, minicoord):
    fake.instead = {2: ValueError("the loss is not finite in epoch 3")}
    answer = minicoord("run", "fake")
    assert answer.code == 1
    assert "coordconv, uniform split, seed 0 failed: the loss is not finite in epoch 3" in answer.err
    assert "Traceback" not in answer.err
    assert "Fake [bold] classification" in answer.out


def test_an_experiment_that_cannot_be_imported_points_to_the_doctor(minicoord, monkeypatch):
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"fake": "no_such_module_anywhere:Fake"})
    forget()
    try:
        answer = minicoord("run", "fake")
    finally:
        forget()
    assert answer.code == 1
    assert "no_such_module_anywhere" in answer.err
    assert "minicoord doctor" in answer.err


def test_list(fake, minicoord):
    assert "Fake [bold] classification" in minicoord("list").out
    assert json.loads(minicoord("list", "--json").out) == [
        {
            "experiment": "fake",
            "title": "Fake [bold] classification",
            "paper": "section 0",
            "models": ["conv", "coordconv"],
        }
    ]


def test_show(fake, minicoord):
    out = minicoord("show", "fake").out
    assert "7,553" in out
    assert "learning_rate" in out
    facts = json.loads(minicoord("show", "fake", "--json").out)
    assert facts["models"][0]["parameters"] == 7553
    assert facts["presets"]["quick"]["coordconv"] == {"epochs": 2, "learning_rate": 0.02}
    assert facts["splits"] == ["uniform", "quadrant"]


def test_doctor_fails_when_there_is_a_problem(minicoord, monkeypatch):
    import minicoord.app.doctor as doctor_module
    from minicoord.app.doctor import Finding

    findings = [Finding("Python", "ok", "3.11")]
    monkeypatch.setattr(doctor_module, "doctor", lambda: findings)
    assert minicoord("doctor").code == 0
    findings.append(Finding("Numba", "problem", "missing", "pip install numba"))
    answer = minicoord("doctor", "--json")
    assert answer.code == 1
    assert json.loads(answer.out)[1]["advice"] == "pip install numba"


def test_version_and_help(minicoord):
    assert re.fullmatch(r"minicoord \d+\.\d+\.\d+\S*\n", minicoord("--version").out)
    assert "130" in minicoord("--help").out
    assert "--seeds" in minicoord("run", "classification", "--help").out
    nothing = minicoord()
    assert nothing.code == 2
    assert "classification" in minicoord("run", "--help").out


def test_help_loads_no_numba():
    code = (
        "import sys; from minicoord.app import cli\n"
        "try: cli.app(['--help'], prog_name='minicoord')\n"
        "except SystemExit: pass\n"
        "print(sorted({'numba', 'matplotlib', 'numpy'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("run cl", "classification"), ("do", "doctor"), ("run --se", "--seeds"), ("run rendering --sh", "--sharpen")],
)
def test_the_shell_completes(typed, offered):
    env = {
        **os.environ,
        "_MINICOORD_COMPLETE": "complete_bash",
        "COMP_WORDS": f"minicoord {typed}",
        "COMP_CWORD": str(len(typed.split())),
    }
    code = "from minicoord.app.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert offered in done.stdout


def test_python_m_minicoord():
    done = subprocess.run(
        [sys.executable, "-m", "minicoord", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("minicoord ")
