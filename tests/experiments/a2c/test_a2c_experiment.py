"""A2C as an experiment: its runs and files, resuming after an interruption, and the greedy evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicoord.datasets.worlds.position import PositionWorld
from minicoord.experiments.a2c.agent import Agent
from minicoord.experiments.a2c.evaluation import play, success_at_random
from minicoord.experiments.a2c.experiment import A2C
from minicoord.experiments.a2c.games import make_world
from minicoord.experiments.a2c.networks import ARMS, network

pytestmark = pytest.mark.compiled
a2c = A2C()
FEW: dict[str, Any] = {"env_steps": 1600, "every": 400, "envs": 8, "test_episodes": 20}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("a2c")
    return a2c.run("coordconv-pool", "control", seed=3, out=out, progress=False, **FEW)


def bits(folder: Path) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """Return all arrays of a run as bytes, and its history without the seconds."""
    arrays = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            arrays |= {f"{path.name}/{key}": file[key].tobytes() for key in file.files if key != "meta"}
    rows = json.loads((folder / "result.json").read_text())["history"]
    return arrays, [{key: value for key, value in row.items() if key != "train_seconds"} for row in rows]


def test_a_run_leaves_its_files_and_its_record(finished: dict[str, Any]):
    folder = Path(finished["folder"])
    assert {"checkpoint.npz", "weights.npz", "maps.npz", "result.json"} <= {path.name for path in folder.iterdir()}
    assert finished["steps"] == 40 and finished["env_steps"] == 1600 and finished["parameters"] == 5349
    assert [row["env_steps"] for row in finished["history"]] == [400, 800, 1200, 1600]
    columns = {"return", "moves", "episodes", "lr", "entropy", "policy_loss", "value_loss", "gradient_norm"}
    assert columns <= finished["history"][0].keys()
    assert 0.2 < finished["yardsticks"]["random_return"] < 0.3 and finished["yardsticks"]["best_return"] == 1
    assert finished["resuming"] == "continues its episodes"
    with np.load(folder / "maps.npz") as maps:
        assert len(maps["returns"]) == len(maps["lengths"]) >= 20
        assert maps["returns"].mean() == finished["metrics"]["test_return"]
        assert maps["front"].shape == maps["front_before"].shape == (5, 5, 4, 16)
        assert not np.array_equal(maps["front"], maps["front_before"])
        assert maps["visits"].sum() == pytest.approx(1)
        assert maps["film"].dtype == np.uint8 and len(maps["film"]) == maps["lengths"][0] + 1
    notes = a2c.notes([finished])
    assert any("actions a second" in line for line in notes) and any("walk at random" in line for line in notes)
    assert a2c.summary_table([finished])[0]["game"] == "control"


def test_a_run_that_is_resumed_ends_with_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    options = {**FEW, "seed": 1, "progress": False}
    straight = a2c.run("conv-dense", "position", out=tmp_path / "straight", **options)
    step, taken = Agent.step, [0]

    def stops(self: Agent) -> dict[str, float]:
        taken[0] += 1
        if taken[0] == 26:  # one of a throwaway trainer, two rows of ten, and in the middle of the third
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(Agent, "step", stops)
    stopped = a2c.run("conv-dense", "position", out=tmp_path / "resumed", **options)
    assert stopped["interrupted"] and stopped["env_steps"] == 800
    monkeypatch.undo()
    resumed = a2c.run("conv-dense", "position", out=tmp_path / "resumed", resume=True, **options)
    assert not resumed["interrupted"] and resumed["steps"] == 40
    assert bits(Path(resumed["folder"])) == bits(Path(straight["folder"]))


def test_figures_and_a_film_are_drawn(finished: dict[str, Any], tmp_path: Path):
    paths = a2c.figures([finished], tmp_path)
    assert {path.name for path in paths} == {
        "learning-curves-control.png",
        "visits-control.png",
        "first-layer-control.png",
        "episode-control-coordconv-pool.gif",
    }
    assert all(path.stat().st_size > 500 for path in paths)


# The evaluation


class ToTheMiddle:
    """A stand-in for a network: it goes up or down, then left or right, to the middle of the canvas."""

    def forward(self, pictures):
        places = np.argwhere(pictures[..., 0] == 1)[:, 1:]  # (N, 2)
        far = 9 - places
        actions = np.where(far[:, 0] < 0, 0, np.where(far[:, 0] > 0, 1, np.where(far[:, 1] < 0, 2, 3)))
        return {"policy": np.eye(4, dtype=np.float32)[actions]}


def test_the_shortest_way_gains_everything():
    played: Any = play(ToTheMiddle(), PositionWorld(5, seed=0), 30)  # pyright: ignore[reportArgumentType]
    assert played.returns.tolist() == [1] * 30
    assert played.lengths.min() >= 1 and played.lengths.max() <= 6
    # Of a way of k moves k pictures are acted on, all of them in the 7 x 7 pixels, and the goal is never among them.
    assert played.visits[6:13, 6:13].sum() == pytest.approx(1) and played.visits[9, 9] == 0
    film = played.film[..., 0].astype(int)
    assert len(film) == played.lengths[0] + 1 and film[-1, 9, 9] == 255 and (film.sum(axis=(1, 2)) == 255).all()


def test_a_film_keeps_no_pictures_of_the_other_episodes(monkeypatch: pytest.MonkeyPatch):
    kept: list[Any] = []
    stack = np.stack

    def keeping(arrays: Any, **how: Any) -> Any:
        kept.extend(picture for picture in arrays if np.shape(picture) == PositionWorld.shape)
        return stack(arrays, **how)

    monkeypatch.setattr(np, "stack", keeping)
    play(ToTheMiddle(), PositionWorld(5, seed=0), 5)  # pyright: ignore[reportArgumentType]
    assert kept and all(picture.base is None or picture.base.size == picture.size for picture in kept)


def test_every_world_plays_equally_many_episodes():
    net = network(PositionWorld.shape, 4, ARMS["conv-pool"], 0)
    played = play(net, PositionWorld(8, seed=1), 20)
    assert len(played.returns) == 24
    assert set(played.returns) <= {0, 1} and (played.lengths[played.returns == 0] == 20).all()
    again = play(net, PositionWorld(8, seed=1), 20)
    assert np.array_equal(played.lengths, again.lengths)


def test_a_walk_at_random_gains_what_is_computed():
    # Two seeds: with one, the first action would go with the first place.
    world, rng = PositionWorld(20_000, seed=0), np.random.default_rng(1)
    first, gained = np.ones(20_000, bool), 0
    for _ in range(20):
        step = world.step(rng.integers(0, 4, 20_000))
        gained += int(step.ended[first].sum())  # of the first episode of each world: later ones may not be over
        first &= ~step.over
    exact = success_at_random()
    assert not first.any() and gained / 20_000 == pytest.approx(exact, abs=0.01)  # the standard error is .003
    rng = np.random.default_rng(1)
    assert max(success_at_random(rng.dirichlet(np.ones(4))) for _ in range(30)) <= exact


def test_an_unknown_game_is_one_sentence():
    with pytest.raises(ValueError, match="there is no game 'positon'; did you mean 'position'"):
        make_world("positon", 1, [0])
    with pytest.raises(ValueError, match="a2c: there is no game 'positon'; did you mean 'position'"):
        a2c.plan("conv-pool", "positon")
