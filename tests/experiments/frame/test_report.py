"""The table of any experiment: its rows, its columns, and what stands in a cell."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.metrics import Metric
from minicoord.experiments.frame.report import beside, by_model_and_variant, length_of, maps_of, summary_table


class Games(Experiment):
    name = "games"
    models = ("plain", "coords")
    variants = ("pong", "chess")
    variant_name = "game"
    metrics = (Metric("points", "points", primary=True), Metric("misses", "misses", " %", factor=100, digits=0))
    paper = MappingProxyType(
        {("plain", "pong"): {"points": "20", "seconds": "9000"}, "coords": {"points": "21", "misses": "1 %"}}
    )


class Alone(Games):
    variants = ("",)


def result(model: str, variant: str, seed: int = 0, **more: Any) -> dict[str, Any]:
    metrics = {"points": 10.0 + seed, "misses": 0.25}
    facts = {"model": model, "variant": variant, "seed": seed, "parameters": 12_345, "unit": "step", "steps": 2_000}
    return {**facts, "train_seconds": 60.4 + seed, "metrics": metrics, "solved": seed == 0, **more}


def test_a_row_has_the_paper_below_what_was_measured():
    (row,) = summary_table(Games(), [result("plain", "pong")])
    assert row == {
        "model": "plain",
        "game": "pong",
        "parameters": "12,345",
        "steps": "2000",
        "points": "10.0\npaper: 20",
        "misses": "25 %",
        "seconds": "60\npaper: 9000",
        "solved": "1 of 1",
    }
    assert list(row) == ["model", "game", "parameters", "steps", "points", "misses", "seconds", "solved"]


def test_seeds_of_a_model_on_a_variant_are_one_row():
    given = [result("coords", "pong"), result("plain", "pong"), *(result("coords", "pong", k) for k in (1, 3))]
    coords, plain = summary_table(Games(), given)
    assert (coords["model"], plain["model"]) == ("coords", "plain"), "in the order in which they come"
    assert coords["points"] == "11.0 (10.0 to 13.0)\npaper: 21"
    assert coords["misses"] == "25 % (25 to 25)\npaper: 1 %"
    assert coords["seconds"] == "61", "the median, and the paper has none"
    assert coords["solved"] == "1 of 3"
    assert len(by_model_and_variant(given)["coords", "pong"]) == 3
    assert len(summary_table(Games(), [result("plain", "pong"), result("plain", "chess")])) == 2


def test_an_experiment_with_one_variant_has_no_column_for_it():
    (row,) = summary_table(Alone(), [result("coords", "")])
    assert "game" not in row and "" not in row


def test_where_solved_is_not_a_question_there_is_no_column_for_it():
    (row,) = summary_table(Games(), [result("plain", "pong", solved=None)])
    assert "solved" not in row
    (row,) = summary_table(Games(), [result("plain", "pong", solved=None), result("plain", "pong", solved=True)])
    assert row["solved"] == "1 of 2"
    (row,) = summary_table(Games(), [result("plain", "pong", solved=False)])
    assert row["solved"] == "0 of 1"


def test_without_results_there_is_no_row():
    assert summary_table(Games(), []) == []


def test_a_length_has_the_unit_of_its_run_and_older_results_counted_epochs():
    assert length_of({"unit": "episode", "episodes": 7, "epochs": 1}) == 7
    assert length_of({"epochs": 5}) == 5
    (row,) = summary_table(Games(), [{**result("plain", "pong", unit="epoch"), "epochs": 5}])
    assert row["epochs"] == "5" and "steps" not in row


@pytest.mark.parametrize(("paper", "cell"), [(None, "85 %"), ("86 %", "85 %\npaper: 86 %")])
def test_a_cell_names_the_paper_only_where_it_reports_something(paper: str | None, cell: str):
    assert beside("85 %", paper) == cell


def test_the_paper_of_a_model_on_a_variant_comes_before_that_of_the_model():
    assert Games().paper_of("plain", "pong")["points"] == "20"
    assert Games().paper_of("coords", "chess")["points"] == "21"
    assert Games().paper_of("plain", "chess") == {}


def test_the_arrays_of_a_result_are_those_in_its_folder(tmp_path):
    np.savez(tmp_path / "maps.npz", test=np.arange(3))
    arrays = maps_of({"folder": str(tmp_path)})
    assert list(arrays) == ["test"]
    np.testing.assert_array_equal(arrays["test"], [0, 1, 2])
