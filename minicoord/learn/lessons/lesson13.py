"""What lesson 13 computes beside its text: five actions by hand, networks that are asked, and words about runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord import experiments, load_weights
from minicoord.datasets.worlds.position import RADIUS, PositionWorld
from minicoord.experiments.a2c import losses
from minicoord.experiments.a2c.comparison import runs_on
from minicoord.experiments.a2c.experiment import first_network
from minicoord.experiments.a2c.games import GAMES, OURS
from minicoord.experiments.records.reading import KeptRuns
from minicoord.nn.model import Sequential
from minicoord.plots.style import model_name

Record = Mapping[str, Any]


class Answer(NamedTuple):
    """What a network says of pictures: the probabilities of the actions (N, A), and the value (N,)."""

    policy: NDArray[np.floating]
    value: NDArray[np.floating]


def five_actions(returns: Callable[..., NDArray]) -> list[dict[str, str]]:
    """Return a table of five actions in three episodes: one goes on, one ends and one is cut off with the third."""
    rewards, after = np.zeros((5, 3)), np.full((5, 3), 0.8)
    ended, cut = np.zeros((2, 5, 3), bool)
    rewards[2, 1] = 1
    ended[2, 1] = cut[2, 2] = True
    found = returns(rewards, ended, cut, after, 0.5)  # (5, 3)
    names = ("goes on", "ends", "is cut off")
    rows = []
    for t in range(5):
        row = {"action": str(t + 1)}
        for n, name in enumerate(names):
            marks = " ended" if ended[t, n] else " cut" if cut[t, n] else ""
            row[f"{name}: reward"] = f"{rewards[t, n]:.0f}{marks}"
            row[f"{name}: return"] = f"{found[t, n]:.3g}"
        rows.append(row)
    return rows


def policy_loss(logits: NDArray, actions: NDArray, advantages: NDArray) -> float:
    """Return the loss whose gradient a learner writes."""
    return losses.policy_loss(logits, actions, advantages)[0]


def agent_of(record: Record) -> Sequential:
    """Return the network of a finished run, from the weights in its folder."""
    net = first_network(experiments.get("a2c").plan_of(record))
    load_weights(Path(record["folder"]) / "weights.npz", net)
    return net


def picture(down: int, right: int, control: bool = False, goal: int = 9) -> NDArray[np.float32]:
    """Return a picture of `PositionWorld`, (1, 19, 19, 2).

    Parameters
    ----------
    down, right : int
        Where the dot is, in pixels from its goal.
    control : bool
        True for the version in which position does not matter.
    goal : int
        Row and column of the goal in that version; in the other one it is the middle.
    """
    world = PositionWorld(1, control=control)
    if control:
        world.goal[:] = goal
    world.dot[:] = world.goal + np.array([down, right])
    return world.look()


def asked(net: Sequential, pictures: NDArray[np.float32]) -> Answer:
    """Return what a network says of pictures (N, H, W, C)."""
    heads = net.forward(pictures)
    return Answer(np.exp(losses.log_softmax(heads["policy"])), heads["value"][:, 0])


def field_of(net: Sequential) -> Answer:
    """Return what a network says of all positions of the dot where position matters, row by row: 49 of them."""
    around = range(-RADIUS, RADIUS + 1)
    return asked(net, np.concatenate([picture(down, right) for down in around for right in around]))


def rows(
    runs: Mapping[str, Mapping[str, Record]], predicted: Mapping[str, tuple[float | None, ...]]
) -> list[dict[str, str]]:
    """Return a row of the table of results for each network, beside what a reader predicted.

    Parameters
    ----------
    runs : dict of dict
        By game and network; the games are those of `OURS`.
    predicted : dict
        For each network a guess for each game, in percent, or None.
    """
    titles = {"position": "position matters", "control": "does not matter"}
    found = []
    for model in next(iter(runs.values())):
        row = {"": model_name(model), "parameters": f"{runs[OURS[0]][model]['parameters']:,}"}
        for game, guess in zip(OURS, predicted.get(model, (None, None)), strict=True):
            record = runs[game][model]
            row[titles[game]] = f"{100 * record['metrics']['test_return']:.0f} %"
            row[f"{titles[game]}: training"] = f"{100 * last_return(record):.0f} %"
            row[f"{titles[game]}: predicted"] = "-" if guess is None else f"{guess} %"
        found.append(row)
    return found


def last_return(record: Record) -> float:
    """Return the mean return of the episodes that were over before the last row of the history that has any."""
    values = [
        row["return"] for row in record["history"] if row.get("return") is not None and np.isfinite(row["return"])
    ]
    return float(values[-1]) if values else np.nan


def actions_to(record: Record, level: float) -> int | None:
    """Return after how many actions the training return first reached a level; None if it never did."""
    for row in record["history"]:
        if row.get("return") is not None and row["return"] >= level:
            return int(row["env_steps"])
    return None


def spread_in_words(records: Sequence[Record], level: float = 0.8) -> str:
    """Return in a sentence when several seeds of one network first won so many of their episodes."""
    parts = []
    for record in records:
        reached = actions_to(record, level)
        said = "never" if reached is None else f"after {reached:,} actions"
        parts.append(f"seed {record['seed']} {said}")
    return f"{100 * level:.0f} % of the episodes won for the first time: {', '.join(parts)}"


def on_worlds_of_ours(records: Sequence[Record]) -> list[Record]:
    """Return the recorded runs of a2c on the two versions of `PositionWorld`."""
    return [r for r in records if r["experiment"] == "a2c" and r["variant"] in OURS]


def on_games(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Return the recorded runs of a2c on MinAtar and Atari by game, those with the settings that most of them have."""
    agents = [r for r in records if r["experiment"] == "a2c"]
    return {game: runs for game in GAMES if game not in OURS and (runs := runs_on(agents, game))}


def films_of_games(
    kept: KeptRuns, games: Mapping[str, Sequence[Record]], model: str = "coordconv-dense"
) -> dict[str, NDArray[np.uint8]]:
    """Return a film (frames, H, W, C) of each game, of the first run of a network whose arrays are kept."""
    films: dict[str, NDArray[np.uint8]] = {}
    for game, runs in games.items():
        kept_maps = (kept.maps(run) for run in runs if run["model"] == model)
        maps = next((maps for maps in kept_maps if maps is not None), None)
        if maps is not None:
            films[game] = maps["film"]
    return films


def recorded_in_words(records: Sequence[Record]) -> str:
    """Return how many runs on the two worlds of ours are recorded, or that there are none."""
    runs = on_worlds_of_ours(records)
    if not runs:
        return (
            "No run of a2c is recorded in this copy, so the seeds above are all that it shows.\n"
            "To make more: minicoord sweep a2c --grid places"
        )
    seeds = sorted({r["seed"] for r in runs})
    if len(seeds) == 1:
        return f"{len(runs)} recorded runs of seed {seeds[0]} alone, which says nothing of chance"
    return f"{len(runs)} recorded runs, seeds {seeds[0]} to {seeds[-1]}"


def games_in_words(records: Sequence[Record]) -> str:
    """Return what is recorded of MinAtar and Atari: a line for each game and network; or which command makes it."""
    games = on_games(records)
    if not games:
        return (
            "No run on MinAtar or Atari is recorded in this copy; this makes one:\n"
            "minicoord run a2c --game minatar-breakout --preset published"
        )
    lines = []
    for game, runs in games.items():
        for model in dict.fromkeys(r["model"] for r in runs):
            returns = [r["metrics"]["test_return"] for r in runs if r["model"] == model]
            band = f"{np.median(returns):.1f} ({min(returns):.1f} to {max(returns):.1f}), {len(returns)} seeds"
            lines.append(f"{game}, {model_name(model)}: return {band}")
    return "\n".join(lines)
