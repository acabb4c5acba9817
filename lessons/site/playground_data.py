"""The networks of the playground, written as JavaScript from the weights in lessons/results.

    python lessons/site/playground_data.py FOLDER

FOLDER gets ``catalog.js``, with the networks in words and the training places of each split, and a file for each
network, ``networks/NAME.js``: its layers, and its weights as base64. A page that was opened from a file cannot fetch
data; it can load a script.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets import not_so_clevr, split as split_data
from minicoord.experiments.records.half_weights import trainer_of
from minicoord.experiments.records.reading import KeptRuns, Record, best, run_name
from minicoord.nn.composites.base import Composite
from minicoord.nn.layers.activations import ReLU, Softmax, Tanh
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.batchnorm import BatchNorm2D
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.coordinates import Tile
from minicoord.nn.layers.dense import Dense
from minicoord.nn.layers.pooling import GlobalAvgPool, GlobalMaxPool, MaxPool2D
from minicoord.nn.layers.shape import Flatten, Reshape
from minicoord.nn.layers.tiled_coordconv import TiledCoordConv2D
from minicoord.nn.layers.transposed import ConvTranspose2D
from minicoord.system.files import write_atomically
from minicoord.system.paths import lessons_folder
from minicoord.system.places import make_folder

SPLITS = ("quadrant", "uniform")
TITLES = {
    "classification": {"conv": "Convolution", "coordconv": "CoordConv"},
    "regression": {
        "conv-fc": "Convolution and dense layers",
        "conv-full": "Convolution alone",
        "coordconv": "CoordConv",
    },
    "rendering": {"conv": "Convolution", "coordconv": "CoordConv"},
}
"""The networks of each task with splits, in the order in which the page shows them."""

GENERATORS = {"conv": "Convolutional generator", "coordconv": "CoordConv generator"}
"""The networks of the GAN: of its two, only the generator is on the page."""

RECIPE = "stable"
"""With which the generators were trained; with the official one they collapse."""


class Blob:
    """The arrays of a network, one after the other, as little-endian bytes."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, array: NDArray) -> dict[str, Any]:
        """Append an array, as float16 if that keeps its values and else as float32; return where it is."""
        half = array.astype(np.float16)
        kept = half if np.array_equal(half.astype(array.dtype), array) else array.astype(np.float32)
        place = {"type": kept.dtype.name, "start": len(self.data), "length": kept.size}
        self.data += kept.astype(kept.dtype.newbyteorder("<")).tobytes()
        return place


def chosen_runs(kept: KeptRuns) -> dict[str, Record]:
    """Return the best run of each network and split whose weights are kept, by names such as rendering-conv-uniform.

    A network whose weights are not kept is left out. Generators have names such as gan-conv.
    """
    found = {}
    for experiment, titles in TITLES.items():
        for model in titles:
            for split in SPLITS:
                wanted = (experiment, model, split)
                runs = [r for r in kept.records if (r["experiment"], r["model"], r["variant"]) == wanted]
                runs = [r for r in runs if not r["settings"].get("raw_input") and kept.weights(r) is not None]
                if runs:
                    found["-".join(wanted)] = best(runs)
    return found | chosen_generators(kept)


def chosen_generators(kept: KeptRuns) -> dict[str, Record]:
    """Return the best run of each generator, both of the same number of steps, the largest there is; or nothing."""
    runs = [r for r in kept.records if r["experiment"] == "gan" and r["variant"] == RECIPE and r["model"] in GENERATORS]
    runs = [r for r in runs if r["settings"].get("photos") is None and kept.weights(r) is not None]
    for steps in sorted({r["settings"]["steps"] for r in runs}, reverse=True):
        found = {
            model: [r for r in runs if (r["model"], r["settings"]["steps"]) == (model, steps)] for model in GENERATORS
        }
        if all(found.values()):
            return {f"gan-{model}": best(some) for model, some in found.items()}
    return {}


def network_on_the_page(record: Record, kept: KeptRuns) -> Composite:
    """Return the network of a run with its kept weights; of a GAN, the generator."""
    networks = trainer_of(record, kept.weights(record)).networks
    return networks["generator"] if "generator" in networks else next(iter(networks.values()))


def layers_of(network: Composite, blob: Blob) -> list[dict[str, Any]]:
    """Return the layers of a network as ``playground/layers.js`` builds them; their arrays go to `blob`.

    Raises
    ------
    ValueError
        If there is a layer that the playground does not know, or one with another padding than "same".
    """
    return [described(layer, blob) for layer in _plain(network)]


def _plain(network: Composite) -> Iterator[Layer]:
    """Yield the layers in the order in which they run, also of networks that consist of networks."""
    for layer in network.layers:  # type: ignore[attr-defined]
        if isinstance(layer, Composite):
            yield from _plain(layer)
        else:
            yield layer


def described(layer: Layer, blob: Blob) -> dict[str, Any]:
    """Return one layer in plain data; see `layers_of`."""
    kind = type(layer)
    facts: dict[str, Any] = {"kind": kind.__name__}
    if isinstance(layer, Conv2D) and kind in (Conv2D, CoordConv2D, ConvTranspose2D):
        if layer.padding != "same" or getattr(layer, "with_r", False):
            raise ValueError(f"{layer.name}: the playground knows padding 'same' without r, got {layer.config()}")
        facts |= {"kernel": layer.kernel_size, "stride": layer.stride, "relu": layer.relu}
    elif isinstance(layer, BatchNorm2D):
        facts["relu"] = layer.relu
    elif isinstance(layer, TiledCoordConv2D):
        if layer.with_r:
            raise ValueError(f"{layer.name}: the playground knows coordinates without r, got {layer.config()}")
        facts |= {"height": layer.height, "width": layer.width, "relu": layer.relu}
    elif isinstance(layer, Tile):
        facts |= {"height": layer.height, "width": layer.width}
    elif isinstance(layer, Reshape):
        facts["shape"] = layer.shape
    elif isinstance(layer, MaxPool2D):
        facts["kernel"] = layer.kernel_size
    elif not isinstance(layer, (Dense, Flatten, GlobalAvgPool, GlobalMaxPool, ReLU, Softmax, Tanh)):
        raise ValueError(f"the playground does not know the layer {layer.name}, add it to layers.js")
    arrays = _arrays(layer)
    if arrays:
        facts["arrays"] = {name: blob.add(array) for name, array in arrays.items()}
    return facts


def _arrays(layer: Layer) -> dict[str, NDArray]:
    """Return the arrays of a layer; batch normalisation as mean, scale and shift, with its running statistics."""
    if not isinstance(layer, BatchNorm2D):
        return dict(layer.params)
    deviation = np.sqrt(layer.state["running_var"].astype(np.float64) + layer.eps)  # (channels,)
    scale = layer.params["gamma"] / deviation
    return {"mean": layer.state["running_mean"], "scale": scale, "shift": layer.params["beta"]}


def entry(name: str, record: Record, network: Composite) -> dict[str, Any]:
    """Return what the page says about a network."""
    experiment, model = record["experiment"], record["model"]
    facts = {"name": name, "experiment": experiment, "model": model, "run": run_name(record)}
    if experiment == "gan":
        parameters = sum(array.size for array in network.params.values())  # the record counts both networks
        return facts | {"title": GENERATORS[model], "parameters": parameters, "z": record["settings"]["z"]}
    return facts | {
        "split": record["variant"],
        "title": TITLES[experiment][model],
        "parameters": record["parameters"],
    }


def trained_places(split: str) -> str:
    """Return, as base64, a bit for each pixel (row * 64 + column): was it a centre of the training set?"""
    data = not_so_clevr()
    bits = np.zeros(data.canvas[0] * data.canvas[1], bool)
    bits[data.labels[split_data(data, split).train]] = True
    return base64.b64encode(np.packbits(bits).tobytes()).decode("ascii")


def write_playground(folder: Path, records: Path | None = None) -> list[dict[str, Any]]:
    """Write the catalogue and the networks into a folder; return the entries of the catalogue.

    Parameters
    ----------
    folder : path
        Created if it is missing.
    records : path, optional
        A folder of records; by default ``lessons/results``.

    Raises
    ------
    ValueError
        If a network has a layer that the playground does not know.
    """
    kept = KeptRuns(records or lessons_folder() / "results")
    make_folder(folder / "networks")
    entries = []
    for name, record in chosen_runs(kept).items():
        blob = Blob()
        net = network_on_the_page(record, kept)
        layers = layers_of(net, blob)
        weights = base64.b64encode(bytes(blob.data)).decode("ascii")
        network = json.dumps({"layers": layers, "weights": weights})
        _write(folder / "networks" / f"{name}.js", f"minicoord.networks[{json.dumps(name)}] = {network};\n")
        entries.append(entry(name, record, net))
    catalog = {"networks": entries, "trained": {split: trained_places(split) for split in SPLITS}}
    _write(folder / "catalog.js", f"window.minicoord = {{ networks: {{}}, catalog: {json.dumps(catalog)} }};\n")
    return entries


def _write(path: Path, text: str) -> None:
    with write_atomically(path, "w") as file:
        file.write(text)


def main(arguments: Sequence[str]) -> int:
    """Write the data into the folder that is named."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    for line in write_playground(Path(arguments[0])):
        print(f"{line['name']}: {line['run']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
