"""What lesson 10 computes beside its text: a scramble undone by hand, and its words about live and recorded runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicoord import experiments, load_weights
from minicoord.datasets.digit_fields import FieldOfDigits
from minicoord.experiments.detection.anchors import SIZES
from minicoord.experiments.detection.comparison import relative_change
from minicoord.experiments.detection.detector import Detector
from minicoord.experiments.detection.networks import region_proposal_network
from minicoord.experiments.detection.settings import COORDS
from minicoord.kernels.boxes import box_iou
from minicoord.nn.model import Sequential

Record = Mapping[str, Any]

PAPER = 0.24
"""The relative change of the test IOU that the paper reports."""

NEAR = 0.1
"""A relative change of less is called no difference to speak of, between two runs of one seed."""

BOX_LAYER, SCORE_LAYER = "5.box.1", "5.score.0"
"""The last layers of the two branches of a region proposal network."""

SAME_SIZE = {5: 1, 6: 8, 7: 4, 8: 8}
"""Scrambled anchors that are the same box at every position, and the right anchor of the same height and width."""

SILENT = 1000.0
"""A margin of the logits that no trained network reaches."""


def detector_of(record: Record) -> Detector:
    """Return the trained detector of a finished run, from the weights in its folder."""
    settings: Any = experiments.get("detection").settings_of(record)
    net = region_proposal_network(COORDS[record["model"]], record["variant"], rng=0)
    load_weights(Path(record["folder"]) / "weights.npz", net)
    return Detector(net, record["variant"], settings.official_anchors, settings.clip, settings.rank_by)


def with_scrambled_anchors(trained: Detector) -> Detector:
    """Return a detector with the network of another one, whose anchors are scrambled as in the released code."""
    return Detector(trained.net, "valid", official_anchors=True)


def undone_by_hand(trained: Detector) -> Detector:
    """Return a detector with scrambled anchors that gives the boxes which a trained one with right anchors gives.

    Four of the scrambled anchors are the same box (i, j, h, w) at every position of the map. Each takes the weights of
    the right anchor of its size, and in addition those that count how far its centre is from the position: the
    position's row is middle + half * (coordinate i), so that (row - i) / h takes one weight of coordinate i and a bias.
    The five other anchors are silent.

    Parameters
    ----------
    trained : Detector
        With coordinates before the last layer of its box branch, and with right anchors.
    """
    net = region_proposal_network(COORDS["coordconv"], "valid", rng=0)
    weights = {name: array.copy() for name, array in trained.net.params.items()}
    detector = Detector(net, "valid", official_anchors=True)
    scrambled = detector.anchors.reshape(*detector.map_size, len(SIZES), 4)
    right = trained.anchors.reshape(scrambled.shape)
    middle, half = right[:, :, 0, :2].mean(axis=(0, 1)), np.ptp(right[:, :, 0, :2], axis=(0, 1)) / 2  # row, column
    from_w, from_b = trained.net.params[f"{BOX_LAYER}.w"], trained.net.params[f"{BOX_LAYER}.b"]
    score_w, score_b = trained.net.params[f"{SCORE_LAYER}.w"], trained.net.params[f"{SCORE_LAYER}.b"]
    w, b = weights[f"{BOX_LAYER}.w"], weights[f"{BOX_LAYER}.b"]
    weights[f"{SCORE_LAYER}.b"][0::2] = -SILENT
    weights[f"{SCORE_LAYER}.b"][1::2] = 0
    for slot, source in SAME_SIZE.items():
        to, of = slice(4 * slot, 4 * slot + 4), slice(4 * source, 4 * source + 4)
        w[..., to], b[to] = from_w[..., of], from_b[of]
        anchor = scrambled[0, 0, slot]  # (4,): the same at every position
        for axis in (0, 1):  # rows, columns; their coordinates are the last two inputs of the layer
            w[0, 0, axis - 2, 4 * slot + axis] += half[axis] / anchor[2 + axis]
            b[4 * slot + axis] += (middle[axis] - anchor[axis]) / anchor[2 + axis]
        to, of = slice(2 * slot, 2 * slot + 2), slice(2 * source, 2 * source + 2)
        weights[f"{SCORE_LAYER}.w"][..., to] = score_w[..., of]
        weights[f"{SCORE_LAYER}.b"][to] = score_b[of]
    _set(net, weights)
    return detector


def _set(net: Sequential, weights: Mapping[str, np.ndarray]) -> None:
    for name, array in net.params.items():
        np.copyto(array, weights[name])


def shared_heads(trained: Detector, data: FieldOfDigits) -> list[dict[str, str]]:
    """Return how far the best linear head, one for all positions, is off the digits, for two anchors of one size.

    For each digit the position of the map is taken whose right anchors meet it best. From the 32 numbers that the box
    branch has there before its last layer, with and without the position's row and column, least squares find the
    distance from an anchor to the digit on half of the images; the other half says how far off that is.

    Parameters
    ----------
    trained : Detector
        With right anchors.
    data : FieldOfDigits

    Returns
    -------
    list of dict of str
        A row of a table for right anchor 1 and one for scrambled anchor 5, both of 20 x 20 pixels.
    """
    layers: list[Any] = list(trained.net.layers)
    first = layers[-1].heads["box"].layers[0]
    maps = first.forward(Sequential(layers[:-1]).forward(data.images))  # (N, rows, columns, 32)
    features = maps.reshape(len(data), -1, maps.shape[-1]).astype(np.float64)
    best = box_iou(data.boxes.reshape(-1, 4), trained.anchors).argmax(axis=1).reshape(len(data), -1)  # (N, D)
    position = best // len(SIZES)
    seen = np.take_along_axis(features, position[..., None], axis=1)  # (N, D, 32)
    place = trained.anchors[position * len(SIZES), :2]  # (N, D, 2), in pixels
    found = []
    for name, anchors, which in (
        ("right anchor 1, centred on its position", trained.anchors, 1),
        ("scrambled anchor 5, at (25, 15) always", with_scrambled_anchors(trained).anchors, 5),
    ):
        wanted = data.boxes[..., :2] - anchors[position * len(SIZES) + which, :2]  # (N, D, 2), in pixels
        found.append(
            {
                "distance to the digit from": name,
                "what is seen": f"{_least_squares(seen, wanted):.1f} px off",
                "what is seen, i and j": f"{_least_squares(np.concatenate([seen, place], 2), wanted):.1f} px off",
            }
        )
    return found


def _least_squares(given: np.ndarray, wanted: np.ndarray) -> float:
    """Return the mean distance between the answers of the best linear map and those wanted, on the second half."""
    half = len(given) // 2
    rows = np.concatenate([given, np.ones((*given.shape[:2], 1))], axis=2)  # (N, D, numbers)
    x, y = (array[:half].reshape(-1, array.shape[-1]) for array in (rows, wanted))
    head = np.linalg.lstsq(x, y, rcond=None)[0]
    return float(np.hypot(*np.moveaxis(rows[half:] @ head - wanted[half:], -1, 0)).mean())


def share_outside(detector: Detector, data: FieldOfDigits) -> float:
    """Return the share of kept boxes whose centre lies outside the image, where training never judges a box."""
    centres = np.concatenate([image.boxes[:, :2] for image in detector.detect(data.images, data.boxes)])
    return float(((centres < 0) | (centres >= detector.size)).any(axis=1).mean())


def change(records: Mapping[str, Record]) -> float:
    """Return the relative change of the test IOU from the run of ``conv`` to that of ``coordconv``."""
    before, after = (records[model]["metrics"]["test_iou"] for model in ("conv", "coordconv"))
    return after / before - 1


def change_in_words(records: Mapping[str, Record]) -> str:
    """Return in a sentence by how much coordinates changed the test IOU between two runs of one seed."""
    found = change(records)
    if abs(found) < NEAR:
        said = "no difference to speak of"
    elif found > 0:
        said = "coordinates help" if found < PAPER else "coordinates help a lot"
    else:
        said = "coordinates harm"
    return f"test IOU with coordinates relative to that without: {100 * found:+.0f} %, {said}"


def rows(records: Mapping[str, Record], data: FieldOfDigits | None = None) -> list[dict[str, str]]:
    """Return a row of the table of results for each run, and one for random boxes.

    With `data`, the last column has the share of kept boxes of these images that lie outside.
    """
    found = [
        {
            "": name,
            "mean best IOU": f"{record['metrics']['test_iou']:.3f}",
            "recall at .5": f"{100 * record['metrics']['test_recall_50']:.0f} %",
            "recall at .7": f"{100 * record['metrics']['test_recall_70']:.0f} %",
            "AP50": f"{record['metrics']['test_ap_50']:.3f}",
            "AP": f"{record['metrics']['test_ap']:.3f}",
        }
        for name, record in records.items()
    ]
    if data is not None:
        for row, record in zip(found, records.values(), strict=True):
            row["outside the image"] = f"{100 * share_outside(detector_of(record), data):.0f} %"
    marks = next(iter(records.values()))["yardsticks"]
    random = {"": "ten random boxes", "mean best IOU": f"{marks['random_iou']:.3f}"}
    return [*found, {**random, "recall at .5": f"{100 * marks['random_recall_50']:.0f} %"}]


def seeds_by_setting(records: Sequence[Record]) -> dict[str, dict[str, dict[int, float]]]:
    """Return the test IOU of recorded runs: for each setting, each network and each seed.

    A setting is named by what differs from the preset "paper" with padding "valid"; only settings with runs of both
    networks are returned, and of those the seeds that both have.
    """
    detection = experiments.get("detection")
    found: dict[str, dict[str, dict[int, float]]] = {}
    for record in records:
        iou = record["metrics"].get("test_iou")
        if record["experiment"] != "detection" or record["model"] not in detection.models or iou is None:
            continue
        differences = dict(detection.differences(record))
        if record["variant"] != "valid":
            differences["padding"] = record["variant"]
        name = ", ".join(_in_words(*item) for item in differences.items()) or "as in the preset"
        if record["preset"] != "paper":
            name = f"preset {record['preset']}, {name}"
        found.setdefault(name, {}).setdefault(record["model"], {})[record["seed"]] = float(iou)
    both = {}
    for name, models in found.items():
        seeds = sorted(models.get("conv", {}).keys() & models.get("coordconv", {}).keys())
        if seeds:
            both[name] = {model: {seed: models[model][seed] for seed in seeds} for model in ("conv", "coordconv")}
    return both


def _in_words(key: str, value: Any) -> str:
    if key == "official_anchors":
        return "scrambled anchors" if value else "right anchors"
    if key == "images":
        return f"{value:,} images"
    if key == "lr":
        return f"learning rate {value:g}"
    if key == "scattered":
        return f"{value} digits on the field"
    if key == "stick_out":
        return "digits may stick out" if value else "no digit sticks out"
    if key == "clip":
        return "boxes clipped" if value else "boxes not clipped"
    words = key.replace("_", " ")
    return f"{value} {words}" if isinstance(value, int) and not isinstance(value, bool) else f"{words} {value}"


def kept_rows(settings: Mapping[str, Mapping[str, Mapping[int, float]]]) -> list[dict[str, str]]:
    """Return a row of the table of recorded runs for each setting of `seeds_by_setting`."""
    found = []
    for name, models in settings.items():
        before, after = (list(models[model].values()) for model in ("conv", "coordconv"))
        share, low, high = relative_change(before, after)
        better = sum(b > a for a, b in zip(before, after, strict=True))
        found.append(
            {
                "setting": name,
                "convolution": f"{np.mean(before):.3f}",
                "CoordConv": f"{np.mean(after):.3f}",
                "change": f"{100 * share:+.1f} %",
                "95 % interval": f"{100 * low:+.1f} to {100 * high:+.1f} %" if len(before) > 1 else "",
                "CoordConv ahead": f"{better} of {len(before)} seeds",
            }
        )
    return found


def kept_in_words(settings: Mapping[str, Mapping[str, Mapping[int, float]]]) -> str:
    """Return what recorded runs say of right and of scrambled anchors, or that there are none."""
    if not settings:
        return (
            "No run of detection is recorded in this copy, so the one seed above is all that it shows.\n"
            "To make more: minicoord sweep detection --grid depends"
        )
    lines = []
    for words, wanted in (("right", False), ("scrambled", True)):
        changes = [
            relative_change(list(models["conv"].values()), list(models["coordconv"].values()))[0]
            for name, models in settings.items()
            if ("scrambled anchors" in name) == wanted
        ]
        if changes:
            some = "setting" if len(changes) == 1 else "settings"
            lines.append(
                f"{words} anchors, {len(changes)} {some}: test IOU {100 * min(changes):+.0f} to "
                f"{100 * max(changes):+.0f} % with coordinates"
            )
    return "\n".join([*lines, "the paper: +24 %"])
