"""Two experiments that minicoord knows nothing of, a GAN and an agent: the frame carries both without a change."""

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from entry_points import forget, make_visible
from typer.testing import CliRunner

from minicoord import experiments
from minicoord.app.cli import app

TOYS = Path(__file__).parent
# Each with its model, the option that makes it long, and the name of its figure.
CASES = [("toy-gan", "leaky", "--steps", "toy-gan-points"), ("corridor", "agent", "--episodes", "corridor-returns")]
pytestmark = pytest.mark.compiled


@pytest.fixture(autouse=True)
def toys(tmp_path, monkeypatch):
    """Both toys as the experiments of an installed package, for this process and its children."""
    points = "toy-gan = toy_gan:ToyGan\ncorridor = corridor:Corridor"
    make_visible(monkeypatch, tmp_path / "package", points, TOYS)
    yield
    monkeypatch.undo()
    forget()


def minicoord(*arguments, code=0):
    result = CliRunner().invoke(app, [str(word) for word in arguments], prog_name="minicoord")
    assert result.exit_code == code, (result.output, result.exception)
    return result


def start(*arguments):
    """Start the command in a process of its own."""
    words = [sys.executable, "-m", "minicoord", *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def first_variant(experiment):
    """Return the option for one variant; an experiment without variants has none."""
    return [f"--{experiment.variant_name}", experiment.variants[0]] if any(experiment.variants) else []


def result_of(out: Path):
    (path,) = out.rglob("result.json")
    return json.loads(path.read_text(encoding="utf-8"))


def bits(out: Path):
    """Return every array that a run left, and its history without the seconds."""
    arrays = {}
    for path in sorted(out.rglob("*.npz")):
        with np.load(path) as file:
            arrays |= {f"{path.name}/{key}": file[key].tobytes() for key in file.files if key != "meta"}
    assert any("params" in key for key in arrays)
    rows = [{k: v for k, v in row.items() if k != "train_seconds"} for row in result_of(out)["history"]]
    return arrays, rows


def test_a_toy_is_one_short_file():
    for name in ("toy_gan", "corridor"):
        assert len((TOYS / name / "__init__.py").read_text(encoding="utf-8").splitlines()) < 120


@pytest.mark.parametrize("name, model, length, figure", CASES)
def test_the_whole_road_of_an_experiment(tmp_path, name, model, length, figure):
    experiment = experiments.get(name)
    out, variant = tmp_path / "results", experiment.variants[0]
    said = minicoord("run", name, "--model", model, *first_variant(experiment), "--seeds", 2, "--out", out)
    assert experiment.title in said.stdout and experiment.primary.title in said.stdout
    assert "step" in result_of(next(out.glob(f"{name}/quick/*seed1")))["unit"]

    help_text = minicoord("run", name, "--help").stdout
    assert length in help_text and "learning rate" in help_text
    assert name in minicoord("list").stdout and "learning rate" not in minicoord("list").stdout
    assert model in minicoord("show", name).stdout

    kept = tmp_path / "kept" / f"{name}.json"
    weights = f"{name}/quick/{experiment.plan(model).name}"
    minicoord("record", out, "--out", kept, "--maps", "best", "--weights", weights)
    for folder in (out, kept.parent):  # from the runs themselves, and from their record
        (row,) = json.loads(minicoord("reproduce", "--records", folder, "--json").stdout)
        assert row["run"] == f"{name}/quick/{'-'.join(filter(None, [model, variant]))}"
        assert row["metric"] == experiment.primary.name and [run["seed"] for run in row["runs"]] == [0, 1]
        drawn = minicoord("figures", figure, "--records", folder, "--out", tmp_path / "figures")
        assert (tmp_path / "figures" / f"{figure}.png").stat().st_size > 1000, drawn.output

    again = minicoord("reproduce", "--rerun", row["run"], "--records", kept.parent, "--out", tmp_path / "new", "--json")
    for line in json.loads(again.stdout):
        assert line["recorded"] == line["now"]

    swept = minicoord("sweep", name, "--grid", next(iter(experiment.grids)), "--out", tmp_path / "sweep", "--json")
    runs = json.loads(swept.stdout)
    assert sorted(run["settings"]["lr"] for run in runs) == sorted(next(iter(experiment.grids.values()))[0]["lr"])
    assert all(shlex.split(run["command"] or "minicoord")[0] == "minicoord" for run in runs)


def test_all_figures_are_drawn_from_a_folder_with_runs_of_both_toys(tmp_path):
    """No setting is common to all experiments, so no figure may ask a run of another experiment for one."""
    out, pictures = tmp_path / "results", tmp_path / "figures"
    for name, model, _, _ in CASES:
        minicoord("run", name, "--model", model, *first_variant(experiments.get(name)), "--out", out)
    said = minicoord("figures", "--records", out, "--out", pictures, "--json")
    rows = {row["figure"]: row for row in json.loads(said.stdout)}
    for _, _, _, figure in CASES:
        assert rows[figure]["file"] == f"{figure}.png" and (pictures / f"{figure}.png").stat().st_size > 1000
    assert rows["seeds-curves"]["drawn from"] == "not drawn: no run of the grid study of classification is recorded"
    drawn = minicoord("reproduce", "--records", out, "--figures", tmp_path / "again").stderr
    assert all(f"{figure}: drawn" in drawn for _, _, _, figure in CASES)


@pytest.mark.parametrize("name, model, length, figure", CASES)
def test_a_killed_run_resumes_to_the_same_bits(tmp_path, name, model, length, figure):
    arguments = ["run", name, "--model", model, length, 1500, "--every", 15]
    variant = first_variant(experiments.get(name))
    minicoord(*arguments, *variant, "--out", tmp_path / "straight")
    for row in (5, 40):
        run = start(*arguments, *variant, "--out", tmp_path / "killed", *(["--resume"] if row > 5 else []))
        assert run.stderr is not None
        for line in run.stderr:
            if f"step {15 * row}/" in line:
                break
        run.kill()
        run.communicate()
    assert not list((tmp_path / "killed").rglob("result.json"))
    minicoord(*arguments, *variant, "--out", tmp_path / "killed", "--resume")
    assert bits(tmp_path / "killed") == bits(tmp_path / "straight")
    assert len(result_of(tmp_path / "killed")["sittings"]) == 3


@pytest.mark.parametrize("name, model, length, figure", CASES)
def test_ctrl_c_ends_a_run_at_its_last_row_and_it_goes_on(tmp_path, name, model, length, figure):
    arguments = ["run", name, "--model", model, length, 1500, "--every", 15, "--out", tmp_path / "out"]
    variant = first_variant(experiments.get(name))
    run = start(*arguments, *variant)
    assert run.stderr is not None
    for line in run.stderr:
        if "step 150/" in line:
            break
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 130, errors
    assert "--resume" in errors
    stopped = result_of(tmp_path / "out")
    assert stopped["interrupted"] and not stopped["solved"]
    assert stopped["steps"] == stopped["history"][-1]["step"] >= 150 and stopped["steps"] % 15 == 0
    minicoord(*arguments, *variant, "--resume")
    minicoord(*arguments[:-1], tmp_path / "straight", *variant)
    assert bits(tmp_path / "out") == bits(tmp_path / "straight")
    assert not result_of(tmp_path / "out")["interrupted"]
