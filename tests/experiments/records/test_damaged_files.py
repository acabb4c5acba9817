"""One damaged file among good ones: its path is named, its run left out, the rest is done, and the exit code is 1."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner
from written_runs import write_run

from minicoord.app import cli
from minicoord.experiments.records import figures, writing
from minicoord.experiments.records.figures import Drawn, MissingRecordsError, RecordFigure, best_maps, runs_of
from minicoord.experiments.records.reading import KeptRuns, best, load_records, run_name
from minicoord.experiments.records.reproduce import numbers, table
from minicoord.experiments.regression.regressors import coordconv_regressor
from minicoord.train.weights import save_weights

FIRST, BEST = (f"regression/paper/coordconv-quadrant-seed{seed}" for seed in (0, 1))
TIMING = {"model": "coordconv", "settings": {}, "multiply_adds": 30, "seconds_per_epoch": 4.0}


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def make_a_folder_of(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, Callable[[Path], Any]] = {
    "empty": lambda path: path.write_bytes(b""),
    "truncated": cut_short,
    "random bytes": lambda path: path.write_bytes(np.random.default_rng(0).bytes(2000)),
    "a list": lambda path: path.write_text("[1, 2, 3]"),
    "a number": lambda path: path.write_text("3"),
    "a string": lambda path: path.write_text('"results"'),
    "null": lambda path: path.write_text("null"),
    "nested lists": lambda path: path.write_text("[" * 100_000 + "]" * 100_000),
    "a folder": make_a_folder_of,
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of a regressor in ``runs``, and what is kept of each in ``kept``: the second is the better one."""
    folder = tmp_path_factory.mktemp("good")
    for seed, distance in enumerate((0.5, 0.25)):
        record = write_run(folder / "runs", "regression", "coordconv", "quadrant", distance, seed=seed)
        save_weights(Path(record["folder"]) / "weights.npz", coordconv_regressor(rng=seed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "metrics_of", lambda *_: {"test_distance": 0.25})
        for name, run in (("first", FIRST), ("best", BEST)):
            writing.keep([folder / "runs" / run], folder / "kept" / f"{name}.json", weights=["best"])
    (folder / "kept" / "epoch-time.json").write_text(json.dumps({"machine": {}, "epochs": [TIMING]}))
    return folder


def draw_maps(kept: KeptRuns) -> Drawn:
    arrays, words = best_maps(kept, runs_of(kept, "regression", ["coordconv"]), "quadrant")
    if not arrays:
        raise MissingRecordsError("no arrays are kept")
    return Drawn(Figure(), "; ".join(words))


def draw_weights(kept: KeptRuns) -> Drawn:
    found = [r for r in runs_of(kept, "regression", ["coordconv"]) if kept.weights(r) is not None]
    if not found:
        raise MissingRecordsError("no weights are kept")
    return Drawn(Figure(), run_name(best(found)))


@pytest.fixture
def folder(good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the good files; figures that show nothing, but read what others read; and no evaluation of weights."""
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    drawn = {"of-maps": RecordFigure("arrays", draw_maps), "of-weights": RecordFigure("weights", draw_weights)}
    monkeypatch.setattr(figures, "all_figures", lambda: drawn)
    monkeypatch.setattr(writing, "metrics_of", lambda *_: {"test_distance": 0.25})
    return tmp_path


def minicoord(*arguments: str | Path) -> Any:
    """Run a command, and let no exception pass but the one that ends a program."""
    result = CliRunner().invoke(cli.app, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    return result


def drawn_from(records: Path, damaged: Path, *arguments: str) -> dict[str, str]:
    """Draw the figures of a folder, and return what each was drawn from."""
    result = minicoord("figures", *arguments, "--records", records, "--out", records.parent / "pictures", "--json")
    assert result.exit_code == 1, result.output
    assert str(damaged) in result.stderr
    rows = json.loads(result.stdout)
    assert all((records.parent / "pictures" / row["file"]).stat().st_size > 0 for row in rows if row["file"] != "-")
    return {row["figure"]: row["drawn from"] for row in rows}


def reproduced(records: Path, damaged: Path, *arguments: str | Path) -> list[str]:
    """Return how many seeds each row of the table has."""
    result = minicoord("reproduce", "--records", records, "--json", *arguments)
    assert result.exit_code == 1, result.output
    assert str(damaged) in result.stderr
    return [row["seeds"] for row in json.loads(result.stdout)]


def recorded(runs: Path, damaged: Path, *arguments: str) -> list[str]:
    """Keep the runs, and return the names of those that the file of records holds."""
    out = runs.parent / "again" / "full.json"
    result = minicoord("record", runs, "--out", out, "--weights", "best", *arguments)
    assert result.exit_code == 1, result.output
    assert str(damaged) in result.stderr
    assert f"{BEST} is left out" in result.stderr
    names = [run_name(record) for record in json.loads(out.read_text())]
    for kind in ("maps", "weights"):
        with np.load(out.with_name(f"full-{kind}.npz")) as file:
            owners = {name for name in names for key in file.files if key.startswith(f"{name}/")}
            assert owners == set(names), "the best of what is left has its arrays"
            assert all(key.startswith(tuple(names)) for key in file.files), "and nobody else"
    return names


def test_without_damage_all_is_read(folder: Path):
    for records in (folder / "runs", folder / "kept"):
        result = minicoord("figures", "--records", records, "--out", folder / "pictures", "--json")
        assert result.exit_code == 0, result.output
        rows = {row["figure"]: row["drawn from"] for row in json.loads(result.stdout)}
        assert rows == {"of-maps": f"{BEST} (best of 2)", "of-weights": BEST}
        assert minicoord("reproduce", "--records", records).exit_code == 0
    result = minicoord("record", folder / "runs", "--out", folder / "again.json", "--weights", "best")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_result_costs_its_run(folder: Path, damage: str):
    runs = folder / "runs"
    path = runs / BEST / "result.json"
    DAMAGE[damage](path)
    assert drawn_from(runs, path) == {"of-maps": f"{FIRST} (best of 1)", "of-weights": FIRST}
    assert reproduced(runs, path) == ["0"]
    assert recorded(runs, path) == [FIRST]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_arrays_of_a_run_cost_its_figure_and_its_record(folder: Path, damage: str):
    runs = folder / "runs"
    path = runs / BEST / "maps.npz"
    DAMAGE[damage](path)
    assert drawn_from(runs, path) == {"of-maps": f"{FIRST} (best of 2)", "of-weights": BEST}
    assert reproduced(runs, path, "--figures", folder / "more") == ["0 to 1"], "its numbers are known"
    assert recorded(runs, path) == [FIRST]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_weights_of_a_run_cost_its_figure_and_its_record(folder: Path, damage: str):
    runs = folder / "runs"
    path = runs / BEST / "weights.npz"
    DAMAGE[damage](path)
    assert drawn_from(runs, path) == {"of-maps": f"{BEST} (best of 2)", "of-weights": FIRST}
    assert reproduced(runs, path, "--figures", folder / "more") == ["0 to 1"]
    assert recorded(runs, path) == [FIRST]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_list_of_records_costs_its_runs(folder: Path, damage: str):
    kept = folder / "kept"
    path = kept / "best.json"
    DAMAGE[damage](path)
    assert drawn_from(kept, path) == {"of-maps": f"{FIRST} (best of 1)", "of-weights": FIRST}
    assert reproduced(kept, path) == ["0"]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("kind", ["maps", "weights"])
def test_damaged_arrays_beside_records_cost_the_figures_of_their_runs(folder: Path, kind: str, damage: str):
    kept = folder / "kept"
    path = kept / f"best-{kind}.npz"
    DAMAGE[damage](path)
    maps, weights = (FIRST, BEST) if kind == "maps" else (BEST, FIRST)
    assert drawn_from(kept, path) == {"of-maps": f"{maps} (best of 2)", "of-weights": weights}
    assert reproduced(kept, path, "--figures", folder / "more") == ["0 to 1"]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_timings_cost_the_sentence_about_them(folder: Path, damage: str):
    kept = folder / "kept"
    path = kept / "epoch-time.json"
    DAMAGE[damage](path)
    assert reproduced(kept, path) == ["0 to 1"]
    assert drawn_from(kept, path) == {"of-maps": f"{BEST} (best of 2)", "of-weights": BEST}


@pytest.mark.parametrize("text", ["{}", '{"epochs": 3}', '{"epochs": [1]}', '{"epochs": [{"model": "conv"}]}'])
def test_timings_without_their_numbers_are_damaged_too(folder: Path, text: str):
    path = folder / "kept" / "epoch-time.json"
    path.write_text(text)
    assert reproduced(folder / "kept", path) == ["0 to 1"]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"metrics": {}}',
        '{"metrics": {}, "experiment": "regression"}',
        '{"metrics": {}, "experiment": ["regression"], "settings": 3}',
        '{"metrics": {"test_distance": 1.0}, "experiment": "regression", "settings": 3, "model": []}',
    ],
)
def test_an_object_that_is_not_a_result_costs_its_run_too(folder: Path, text: str):
    runs = folder / "runs"
    path = runs / BEST / "result.json"
    path.write_text(text)
    assert drawn_from(runs, path)["of-maps"] == f"{FIRST} (best of 1)"
    assert reproduced(runs, path) == ["0"]
    assert recorded(runs, path) == [FIRST]


@pytest.mark.parametrize("option", ["--maps", "--weights"])
def test_a_run_that_is_named_and_damaged_is_left_out_too(folder: Path, option: str):
    runs = folder / "runs"
    path = runs / BEST / f"{option[2:]}.npz"
    DAMAGE["truncated"](path)
    assert recorded(runs, path, "--maps", "best", option, BEST) == [FIRST]


def test_weights_of_another_network_and_none_at_all_cost_their_run(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()  # the weights have to be tried
    runs = folder / "runs"
    weights = runs / BEST / "weights.npz"
    save_weights(weights, coordconv_regressor(with_r=True, rng=0))
    rows = writing.keep([runs / FIRST, runs / BEST], folder / "again.json", [], [BEST], problems := [])
    assert [row["run"] for row in rows] == [FIRST]
    assert len(problems) == 1 and str(weights.parent) in problems[0] and "'params/0.w'" in problems[0]
    weights.unlink()
    rows = writing.keep([runs / FIRST, runs / BEST], folder / "again.json", [], [BEST], problems := [])
    assert [row["run"] for row in rows] == [FIRST]
    assert str(weights.parent) in problems[0] and "hold nothing for 'params/0.w'" in problems[0]


def test_a_run_without_arrays_cannot_be_recorded_with_them(folder: Path):
    path = folder / "runs" / BEST / "maps.npz"
    path.unlink()
    assert recorded(folder / "runs", path) == [FIRST]


def test_where_nothing_is_left_to_record_nothing_is_written(folder: Path):
    for run in (FIRST, BEST):
        DAMAGE["empty"](folder / "runs" / run / "result.json")
    result = minicoord("record", folder / "runs", "--out", folder / "again.json")
    assert result.exit_code == 2
    assert "there is no run to keep" in " ".join(result.stderr.replace("│", " ").split())
    assert not (folder / "again.json").exists()


def test_real_figures_are_drawn_without_what_is_damaged(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()  # the figures of minicoord, not those above
    path = folder / "runs" / BEST / "maps.npz"
    DAMAGE["random bytes"](path)
    drawn = drawn_from(folder / "runs", path, "error-maps-quadrant", "blog-10", "figure-4")
    assert drawn["error-maps-quadrant"] == f"{FIRST} (best of 2)"
    assert drawn["blog-10"] == f"{FIRST} (best of 2)"
    assert drawn["figure-4"] == "not drawn: no run of classification is recorded"


ODD = [None, -1, "x", [1], {}, 10**400, "\ud800"]
ODD_PLACES = [
    *("sittings", "command", "commit", "date", "solved", "interrupted", "unit", "epochs", "thinned", "train_seconds"),
    *("history", "seed", "preset", "variant", "model", "folder", "experiment", "settings", "metrics"),
    *("settings.lr", "settings.schedule", "settings.epochs", "metrics.test_distance", "metrics.extra"),
    *("history.train_seconds", "history.epoch", "history.test_distance"),
]


@pytest.mark.parametrize("place", ODD_PLACES)
def test_an_odd_value_in_a_result_never_stops_the_other_runs(good: Path, tmp_path: Path, place: str):
    """What is read of a result is of its type, or the run is left out with its path named; nothing ends in between."""
    runs = tmp_path / "runs"
    shutil.copytree(good / "runs", runs)
    path = runs / BEST / "result.json"
    whole = json.loads(path.read_text())
    for value in [*ODD, "missing"]:
        result = json.loads(json.dumps(whole))
        *above, key = place.split(".")
        owner = result["history"][0] if above == ["history"] else result[above[0]] if above else result
        if value == "missing":
            owner.pop(key, None)
        else:
            owner[key] = value
        path.write_text(json.dumps(result))
        kept, problems, more = tmp_path / "again.json", [], []
        kept.unlink(missing_ok=True)
        table(records := load_records(runs, problems))
        assert json.dumps(numbers(records))
        assert FIRST in [row["run"] for row in writing.keep([runs], kept, problems=more)]
        assert len(records) + len(problems) == 2
        assert len(load_records(tmp_path)) + len(more) == 2, "what was kept can be read again"
        assert all(str(path) in problem for problem in problems + more)


@pytest.mark.parametrize("sittings", [1, "x", [1], [None]])
def test_sittings_that_are_no_list_of_objects_cost_their_run(folder: Path, sittings: Any):
    path = folder / "runs" / BEST / "result.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "sittings": sittings}))
    assert reproduced(folder / "runs", path) == ["0"]


@pytest.mark.parametrize("change", [{"train_seconds": None}, {"test_distance": "far"}, {"epoch": 0}])
def test_a_history_without_its_numbers_costs_its_run(folder: Path, change: dict[str, Any]):
    path = folder / "runs" / BEST / "result.json"
    result = json.loads(path.read_text())
    result["history"][-1] |= change
    path.write_text(json.dumps(result))
    assert recorded(folder / "runs", path) == [FIRST]


def test_arrays_of_other_names_cost_the_figure_that_needs_them(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()  # the figures of minicoord, not those above
    for run in (FIRST, BEST):
        np.savez(folder / "runs" / run / "maps.npz", other=np.zeros(3))
    out = folder / "pictures"
    result = minicoord(
        "figures", "error-maps-quadrant", "figure-3", "--records", folder / "runs", "--out", out, "--json"
    )
    assert result.exit_code == 1
    assert "error-maps-quadrant cannot be drawn from the records in" in result.stderr
    failed, drawn = json.loads(result.stdout)
    assert failed["file"] == "-" and failed["drawn from"].startswith("not drawn: ")
    assert drawn["file"] == "figure-3.png" and (out / "figure-3.png").exists()


def test_a_folder_that_cannot_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch):
    runs, closed, scandir = folder / "runs", folder / "runs" / BEST, os.scandir

    def refused(path: Any = ".") -> Any:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)  # permissions do not bind the administrator, who may run the tests
    for command in (["reproduce", "--json", "--records", runs], ["record", runs, "--out", folder / "again.json"]):
        result = minicoord(*command)
        assert result.exit_code == 1
        assert f"{closed} cannot be read: Permission denied" in result.stderr
    assert [run_name(record) for record in json.loads((folder / "again.json").read_text())] == [FIRST]


def test_timings_behind_a_pipe_do_not_wait_for_a_writer(folder: Path):
    path = folder / "kept" / "epoch-time.json"
    path.unlink()
    os.mkfifo(path)
    assert reproduced(folder / "kept", path) == ["0 to 1"]
