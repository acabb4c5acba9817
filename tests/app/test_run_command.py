"""``minicoord run NAME``: its options are the settings of the experiment, whichever package that comes from."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from entry_points import forget, make_visible
from setting_changes import change
from tiny_experiment import POINT, Tiny, TinySettings

from minicoord import experiments
from minicoord.app import cli
from minicoord.app.run_options import common_options
from minicoord.experiments.frame.names import OF_EVERY_RUN
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.frame.settings import fields_of, names_of, setting, type_of, values_of

NAMES = (*experiments.EXPERIMENTS, "tiny")
ONE = ("--model", "line", "--target", "slope")
FOLDER = Path("minicoord-results", "tiny", "quick")


class Answer(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """Both streams in one line, without the frames that tables and errors have."""
        return " ".join(re.sub(r"[│╭╮╰╯─┃]", " ", self.out + self.err).split())


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    make_visible(monkeypatch, tmp_path / "installed", POINT)
    monkeypatch.chdir(tmp_path)
    yield
    forget()


@pytest.fixture
def minicoord(capfd: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    def call(*arguments: str) -> Answer:
        with pytest.raises(SystemExit) as stopped:
            cli.app(list(arguments), prog_name="minicoord")
        captured = capfd.readouterr()
        return Answer(int(stopped.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """Return the plans of the runs that a command begins; each ends at once, as if by Ctrl-C."""
    begun: list[Plan] = []

    def run(experiment: Any, plan: Plan, out: Path, **options: Any) -> None:
        begun.append(plan)
        raise KeyboardInterrupt

    monkeypatch.setattr("minicoord.experiments.frame.run.run", run)
    return begun


# Help


@pytest.mark.parametrize("name", NAMES)
def test_help_lists_every_setting_with_its_meaning(minicoord, name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    answer = minicoord("run", name, "--help")
    assert answer.code == 0
    experiment = experiments.get(name)
    assert f"minicoord run {name} [OPTIONS]" in answer.words
    assert experiment.title in answer.words
    assert names_of(experiment.Settings) == [field.name for field in fields(experiment.Settings)]
    for field in fields_of(experiment.Settings):
        option = f"--{field.name.replace('_', '-')}"
        assert re.search(rf"{option}\s.*{re.escape(field.metadata['help'])}", answer.words)
        assert (f"--no-{option[2:]}" in answer.words) == (type_of(experiment.Settings, field.name) is bool)
        for word in (*(field.metadata["choices"] or ()), *(field.metadata["models"] or ())):
            assert str(word) in answer.words
    for option in ("--model", "--preset", "--seed", "--seeds", "--first-seed"):
        assert f" {option} " in answer.words
    for option in ("--threads", "--out", "--resume", "--overwrite", "--json", "--help"):
        assert f" {option} " in answer.words
    assert (f" --{experiment.variant_name} " in answer.words) == (experiment.variants != ("",))


def test_an_experiment_without_variants_has_no_option_for_them(minicoord, monkeypatch):
    monkeypatch.setattr(Tiny, "variants", ("",))
    assert "--target" not in minicoord("run", "tiny", "--help").words


def test_help_without_an_experiment_names_them_all(minicoord):
    for arguments in (("run", "--help"), ("run", "clasification", "--help")):
        answer = minicoord(*arguments)
        assert answer.code == 0
        assert ", ".join(NAMES) in answer.words
        assert "classification, regression, rendering, " in answer.words
        assert "minicoord run EXPERIMENT --help" in answer.out


# Settings


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_given_as_an_option_reaches_the_run_and_names_its_folder(minicoord, plans, name):
    experiment = experiments.get(name)
    for field in fields_of(experiment.Settings):
        models = field.metadata["models"] or experiment.models
        preset, model = next((p, m) for p, of in experiment.presets.items() for m in models if m in of)
        changes = change(experiment, preset, model, field.name)
        given = ["--model", model, "--preset", preset]
        if experiment.variants[0]:
            given += [f"--{experiment.variant_name}", experiment.variants[0]]
        for key, value in changes.items():
            flag = f"--{'' if value is not False else 'no-'}{key.replace('_', '-')}"
            given += [flag] if isinstance(value, bool) else [flag, str(value)]
        plans.clear()
        assert minicoord("run", name, *given).code == 130
        (plan,) = plans
        usual = values_of(experiment.presets[preset][model], model)
        assert values_of(plan.settings, model) == {**usual, **changes}
        value = re.escape(str(changes[field.name]))
        assert re.search(rf"-{field.name}={value}(-|$)", plan.folder(Path("out")).name)


@pytest.mark.compiled
def test_what_is_run_has_the_settings_that_were_given(minicoord):
    options = ("--steps", "7", "--lr", "1e-3", "--optimiser", "adam", "--no-shuffle", "--width", "3")
    answer = minicoord("run", "tiny", "--model", "curve", "--target", "bend", *options)
    assert answer.code == 0
    (folder,) = FOLDER.iterdir()
    assert folder.name == "curve-bend-seed0-lr=0.001-optimiser=adam-shuffle=False-steps=7-width=3"
    result = json.loads((folder / "result.json").read_text())
    assert result["settings"] == {"steps": 7, "lr": 0.001, "optimiser": "adam", "shuffle": False, "width": 3}
    assert result["history"][-1]["step"] == 7
    assert result["parameters"] == 10


def test_a_flag_is_given_with_and_without_no(minicoord, plans):
    for option, value in (("--shuffle", True), ("--no-shuffle", False)):
        minicoord("run", "tiny", *ONE, option)
        assert plans[-1].settings.shuffle is value
    minicoord("run", "tiny", *ONE)
    assert plans[-1].changes == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((*ONE, "--width", "3"), "tiny, line: 'width' is not a setting of this network, wanted one of steps, lr,"),
        (("--width", "3"), "tiny, line: 'width' is not a setting of this network"),
        (("--steps", "0"), "steps was 0, wanted a whole number of at least 1"),
        (("--steps", "1.5"), "--steps"),
        (("--lr", "-1"), "lr was -1.0, wanted a finite number of at least 0"),
        (("--lr", "nan"), "lr was nan, wanted a finite number"),
        (("--lr", "inf"), "lr was inf, wanted a finite number"),
        (("--optimiser", "sdg"), "optimiser was 'sdg', wanted one of sgd, adam"),
        (("--leanring-rate", "1"), "--leanring-rate"),
        (("--step", "3"), "--steps"),
        (("--split", "uniform"), "--split"),
        (("--target", "slop"), "did you mean 'slope'?"),
        (("--model", "lin"), "did you mean 'line'?"),
        (("--preset", "papers"), "did you mean 'paper'?"),
        (("--seed", "-1"), "--seed"),
        (("--first-seed", "3"), "--first-seed needs --seeds"),
        (("--first-seed", "0"), "--first-seed needs --seeds"),
        (("--first-seed", "3", "--seed", "3"), "--first-seed needs --seeds"),
        (("--seeds", "2", "--seed", "3"), "give one of the two"),
        (("--seeds", "0"), "--seeds"),
        (("--seeds", "1000000000000"), "--seeds"),
        (("--seeds", "9" * 23), "--seeds"),
        (("slope",), "slope"),
        (("regression",), "regression"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_begun(minicoord, plans, options, message):
    answer = minicoord("run", "tiny", *options)
    assert answer.code == 2
    assert message in answer.words
    assert answer.out == ""
    assert plans == []
    assert not FOLDER.parents[1].exists()


def test_settings_that_cannot_be_together_are_refused(minicoord, plans):
    answer = minicoord("run", "classification", "--model", "coordconv", "--l2", "0.1", "--decay", "0.1")
    assert answer.code == 2
    assert "one of them must be 0" in answer.words
    assert plans == []


def test_a_setting_with_the_name_of_an_option_is_one_sentence(minicoord, monkeypatch):
    @dataclass(frozen=True, kw_only=True)
    class Clashing(TinySettings):
        seeds: int = setting("of a lawn", 3)

    monkeypatch.setattr(Tiny, "Settings", Clashing)
    forget()
    answer = minicoord("run", "tiny")
    assert answer.code == 1
    assert answer.err == (
        "minicoord: tiny cannot be loaded from tiny_experiment:Tiny: a setting is called 'seeds', "
        "which is an option of every run; `minicoord doctor` tells more\n"
    )


def test_the_options_of_every_run_are_those_that_no_setting_may_have(minicoord):
    assert {"help", "json", *common_options(experiments.get("tiny"))} - {"variant"} == OF_EVERY_RUN


def test_a_model_that_runs_only_by_its_name_may_be_the_beginning_of_others(minicoord, plans, monkeypatch):
    monkeypatch.setattr(Tiny, "more_models", ("line",))
    quick = {"line": TinySettings(), "line-long": TinySettings(), "curve": TinySettings()}
    monkeypatch.setattr(Tiny, "presets", {"quick": quick})
    monkeypatch.setattr(Tiny, "models", ("curve", "line-long"))
    minicoord("run", "tiny", *ONE)
    assert [plan.model for plan in plans] == ["line"]


# The name of the experiment


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seed", "3", "tiny", *ONE),
        ("--out", "regression", "tiny", "--seed", "3", *ONE),
        ("--out", "tiny", *ONE, "--seed", "3", "tiny"),
        ("tiny", "--out", "classification", "--seed", "3", *ONE),
        ("--no-shuffle", "tiny", "--seed", "3", *ONE),
        ("--lr", "0.5", "tiny", "--seed", "3", *ONE),
        ("--lr=0.5", "tiny", "--seed", "3", *ONE),
        (*ONE, "tiny", "--seed", "3"),
        ("--target", "slope", "--model", "line", "--seed=3", "--resume", "tiny"),
    ],
)
def test_options_may_stand_before_the_name(minicoord, plans, arguments):
    assert minicoord("run", *arguments).code == 130
    assert [(plan.experiment, plan.model, plan.variant, plan.seed) for plan in plans] == [("tiny", "line", "slope", 3)]
    assert plans[0].changes == {
        key: value for key, value in (("shuffle", False), ("lr", 0.5)) if any(key in word for word in arguments)
    }


def test_seed_before_classification(minicoord, plans):
    assert minicoord("run", "--seed", "3", "classification").code == 130
    assert (plans[0].experiment, plans[0].seed) == ("classification", 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("clasification",), "there is no 'clasification'; did you mean 'classification'?"),
        (("--seed", "3", "clasification"), "there is no 'clasification'; did you mean 'classification'?"),
        (("--lr", "0.1", "tny"), "there is no 'tny'; did you mean 'tiny'?"),
        (("chess",), f"choose from {', '.join(NAMES)}"),
        ((), "Usage: minicoord run EXPERIMENT [OPTIONS] Experiments: classification,"),
        (("--seed", "3"), "Usage: minicoord run EXPERIMENT [OPTIONS] Experiments: classification,"),
    ],
)
def test_an_unknown_or_missing_experiment(minicoord, plans, arguments, message):
    answer = minicoord("run", *arguments)
    assert answer.code == 2
    assert message in answer.words
    assert answer.out == ""
    assert plans == []


# What is written and printed


@pytest.mark.compiled
def test_json_is_all_that_stdout_gets(minicoord, monkeypatch):
    def figures(self, results, folder):
        print("noise of the figures")
        return []

    monkeypatch.setattr(Tiny, "figures", figures)
    monkeypatch.setattr(Tiny, "facts", lambda self, trainer: print("noise of the run") or {})
    answer = minicoord("run", "tiny", "--json", "--seeds", "2", "--first-seed", "5")
    assert answer.code == 0
    results = json.loads(answer.out)
    assert [(r["seed"], r["variant"], r["model"]) for r in results] == [
        (seed, target, model) for seed in (5, 6) for target in ("slope", "bend") for model in ("line", "curve")
    ]
    assert "noise of the run" in answer.err
    assert "noise of the figures" in answer.err
    again = minicoord("run", "tiny", "--json", "--seeds", "2", "--first-seed", "5")
    assert (again.code, again.out) == (2, "")
    kept = minicoord("run", "tiny", "--json", "--seeds", "2", "--first-seed", "5", "--resume")
    assert json.loads(kept.out) == results


@pytest.mark.compiled
@pytest.mark.skipif(os.name == "nt", reason="the shells of POSIX systems")
@pytest.mark.parametrize("error", [OSError("a.png is a pipe"), ValueError("a.png is a pipe")])
def test_figures_that_cannot_be_drawn_are_one_sentence_and_the_results_stay(minicoord, monkeypatch, error):
    def figures(self, results, folder):
        raise error

    monkeypatch.setattr(Tiny, "figures", figures)
    answer = minicoord("run", "tiny", *ONE)
    assert answer.code == 1
    assert "minicoord: the figures cannot be drawn: a.png is a pipe" in answer.err.splitlines()
    assert "written: minicoord-results" in answer.err.splitlines()
    assert "1 of 1" in answer.out
    assert len(list(FOLDER.rglob("result.json"))) == 1


def test_the_recorded_command_can_be_pasted_into_a_shell():
    out = 'it\'s a "folder" of $HOME & more; `x` * \\'
    arguments = ["run", "tiny", *ONE, "--out", out, "--lr=0.05"]
    subprocess.run([sys.executable, "-m", "minicoord", *arguments], check=True, capture_output=True)
    (path,) = Path(out).rglob("result.json")
    command = json.loads(path.read_text())["command"]
    assert shlex.split(command) == ["minicoord", *arguments]
    shell = f"minicoord() {{ printf '%s\\n' \"$@\"; }}; {command}"
    pasted = subprocess.run(["sh", "-c", shell], check=True, capture_output=True, text=True)
    assert pasted.stdout.splitlines() == arguments


# Experiments of other packages

BROKEN = {
    "no module": ("no_such_module:Experiment", "ModuleNotFoundError: No module named 'no_such_module'"),
    "raises": ("raises_at_import:Experiment", "ZeroDivisionError: division by zero"),
    "does not parse": ("not_python:Experiment", "SyntaxError"),
    "no class": ("tiny_experiment:Huge", "AttributeError: module 'tiny_experiment' has no attribute 'Huge'"),
    "no name": ("tiny_experiment", "AttributeError"),
    "no experiment": ("tiny_experiment:TinySettings", "TinySettings, wanted an Experiment"),
    "not a class": ("tiny_experiment:EVERY", "TypeError: 'int' object is not callable"),
}


@pytest.mark.compiled
@pytest.mark.parametrize(("place", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_experiment_of_another_package_is_one_sentence_and_no_other_notices(
    minicoord, monkeypatch, tmp_path, place, message
):
    folder = tmp_path / "broken"
    make_visible(monkeypatch, folder, f"broken = {place}\ntiny = tiny_experiment:Tiny")
    (folder / "raises_at_import.py").write_text("1 / 0\n")
    (folder / "not_python.py").write_text("class Experiment(:\n")
    for arguments in (("run", "broken"), ("run", "broken", "--help"), ("show", "broken")):
        answer = minicoord(*arguments)
        assert answer.code == 1
        assert answer.err.startswith("minicoord: broken cannot be loaded")
        assert place in answer.err
        assert message in answer.err
        assert answer.err.count("\n") == 1
        assert answer.out == ""
    assert minicoord("run", "tiny", *ONE).code == 0
    listed = minicoord("list", "--json")
    assert listed.code == 0
    assert [row["experiment"] for row in json.loads(listed.out)] == list(NAMES)
    assert message in listed.err
    assert "broken" in minicoord("run", "--help").out


def test_an_experiment_of_another_package_does_not_take_the_name_of_ours(monkeypatch, tmp_path):
    make_visible(monkeypatch, tmp_path / "other", "rendering = tiny_experiment:Tiny\nzoo = tiny_experiment:Tiny")
    assert experiments.names() == [*experiments.EXPERIMENTS, "zoo"]
    assert type(experiments.get("rendering")).__name__ == "Rendering"


@pytest.mark.compiled
def test_another_process_finds_the_experiment_through_its_entry_point():
    done = subprocess.run(
        [sys.executable, "-m", "minicoord", "run", "tiny", *ONE, "--json"], check=True, capture_output=True, text=True
    )
    assert json.loads(done.stdout)[0]["experiment"] == "tiny"
