"""The parts of the site that need neither Sphinx nor a browser: its checks, its links, the playground's data."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from site_tools import ROOT, SITE, module

from minicoord.datasets import not_so_clevr, split
from minicoord.experiments.records.figures import Drawn, RecordFigure
from minicoord.experiments.records.reading import KeptRuns
from minicoord.nn.layers.batchnorm import BatchNorm2D
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.coordinates import Tile
from minicoord.nn.layers.tiled_coordconv import TiledCoordConv2D
from minicoord.nn.layers.upsample import Upsample2D
from minicoord.nn.model import Sequential
from minicoord.plots.style import new_figure

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

checks, data, staging = module("site_checks"), module("playground_data"), module("staging")


# The checks of built pages


def site_of(tmp_path: Path, **pages: str) -> Path:
    for name, body in pages.items():
        path = tmp_path / f"{name.replace('__', '/')}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<html><body>{body}</body></html>", encoding="utf-8")
    return tmp_path


def test_a_site_without_faults(tmp_path: Path):
    (tmp_path / "a.png").touch()
    (tmp_path / "a.css").write_text("b { background: url(a.png) }", encoding="utf-8")
    site = site_of(
        tmp_path,
        index='<a href="deep/page.html#there">x</a><a href="https://arxiv.org/abs/1807.03247">paper</a>'
        '<img src="a.png" alt="words"><img src="data:,A" alt="words"><link rel="stylesheet" href="a.css">',
        deep__page='<h2 id="there"></h2><a href="../index.html">up</a><a href="#there">here</a>',
    )
    assert checks.faults(site) == []


@pytest.mark.parametrize(
    "body, fault",
    [
        ('<a href="gone.html">x</a>', "index.html: gone.html leads nowhere"),
        ('<a href="../other.html">x</a>', "index.html: ../other.html leads nowhere"),
        ('<a href="#gone">x</a>', "index.html: #gone leads to no place in its page"),
        ('<a href="/index.html">x</a>', "index.html: /index.html is not relative, and wrong under a sub-path"),
        ('<img src="gone.png" alt="words">', "index.html: gone.png leads nowhere"),
        ('<img src="data:,A" alt=" ">', "index.html: the image data:,A has no alt text"),
        ('<script src="https://cdn.example/a.js"></script>', "index.html: loads https://cdn.example/a.js"),
        ('<link rel="preload" href="//cdn.example/a.woff2">', "index.html: loads //cdn.example/a.woff2"),
        ("<style>@import 'https://cdn.example/a.css'</style>", "index.html: loads https://cdn.example/a.css"),
        ('<p style="background:url(https://cdn.example/a.png)">', "index.html: loads https://cdn.example/a.png"),
    ],
)
def test_a_planted_fault_is_found(tmp_path: Path, body: str, fault: str):
    assert checks.faults(site_of(tmp_path, index=body)) == [fault]


def test_a_style_sheet_that_loads_from_elsewhere_is_found(tmp_path: Path):
    (tmp_path / "a.css").write_text("@font-face { src: url('https://cdn.example/a.woff2') }", encoding="utf-8")
    assert checks.faults(site_of(tmp_path, index="")) == ["a.css: loads https://cdn.example/a.woff2"]


def test_an_empty_folder_is_no_site(tmp_path: Path):
    assert checks.faults(tmp_path) == [f"there is no page in {tmp_path}"]


# The pages as Sphinx gets them


def test_links_are_changed_where_the_site_needs_it():
    shown: list[str] = []
    text = (
        "[`a`](../minicoord/nn/model.py) [b](results/README.md#speed) [c](solutions) [d](results) <https://a.b/c>\n"
        "[e](https://a.b/c.py) [f](#here) [g](gone.py)\n```\n[h](../minicoord/nn/model.py)\n```\n"
    )
    wanted = (
        "[`a`](../code/minicoord/nn/model.md) [b](results/README.md#speed) c [d](results/README.md) <https://a.b/c>\n"
        "[e](https://a.b/c.py) [f](#here) [g](gone.py)\n```\n[h](../minicoord/nn/model.py)\n```\n"
    )
    assert staging.relinked(text, "lessons/README.md", shown.append) == wanted
    assert shown == ["minicoord/nn/model.py"]


def test_every_page_notebook_and_record_is_staged_as_it_is(tmp_path: Path):
    staging.stage(tmp_path)
    for pattern in ("lessons/[0-9]*.ipynb", "lessons/results/*.json", "lessons/results/*.png"):
        found = sorted(ROOT.glob(pattern))
        assert found, pattern
        for path in found:
            assert (tmp_path / path.relative_to(ROOT)).read_bytes() == path.read_bytes()
    for page in (*ROOT.glob("*.md"), *(ROOT / "minicoord").rglob("*.md")):
        assert (tmp_path / page.relative_to(ROOT)).is_file()
    assert (tmp_path / "code/minicoord/reference/convolution.md").is_file()


# The playground's data


def layers_of(*layers: object) -> list[dict[str, object]]:
    return data.layers_of(Sequential(layers), data.Blob())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "layer, words",
    [
        (Upsample2D(2), "does not know the layer Upsample2D"),
        (Conv2D(1, 1, 3, padding="valid", rng=0), "knows padding 'same'"),
        (CoordConv2D(1, 1, 3, with_r=True, rng=0), "without r"),
        (TiledCoordConv2D(2, 1, 3, 4, with_r=True, rng=0), "coordinates without r"),
    ],
)
def test_a_layer_that_the_page_cannot_compute_is_refused(layer: object, words: str):
    with pytest.raises(ValueError, match=words):
        layers_of(layer)


def test_networks_of_networks_become_one_list():
    inner = Sequential([Conv2D(2, 4, 1, rng=0, activation="relu"), Conv2D(4, 1, 3, stride=2, rng=0)])
    found = layers_of(Tile(5, 7), inner)
    assert [layer["kind"] for layer in found] == ["Tile", "Conv2D", "Conv2D"]
    assert [layer.get("relu") for layer in found] == [None, True, False]
    assert (found[2]["kernel"], found[2]["stride"]) == ((3, 3), (2, 2))


def test_arrays_keep_their_values_in_as_few_bytes_as_possible():
    blob = data.Blob()
    halves, others = np.array([0.5, -1.25, 6e-8], np.float16).astype(np.float32), np.array([0.1, 1e-20], np.float32)
    places = [blob.add(halves), blob.add(others)]
    assert places == [
        {"type": "float16", "start": 0, "length": 3},
        {"type": "float32", "start": 6, "length": 2},
    ]
    assert np.array_equal(np.frombuffer(bytes(blob.data[:6]), "<f2"), halves)
    assert np.array_equal(np.frombuffer(bytes(blob.data[6:]), "<f4"), others)


def test_batch_normalisation_is_one_subtraction_and_one_product():
    layer, rng = BatchNorm2D(3), np.random.default_rng(0)
    for array in (*layer.params.values(), *layer.state.values()):
        array[:] = rng.uniform(0.5, 2, 3)
    x = rng.normal(size=(1, 2, 2, 3)).astype(np.float32)
    arrays = data._arrays(layer)
    y = (x - arrays["mean"]) * arrays["scale"] + arrays["shift"]
    wanted = layer.params["gamma"] * (x - layer.state["running_mean"]) / np.sqrt(layer.state["running_var"] + layer.eps)
    assert np.allclose(y, wanted + layer.params["beta"], atol=1e-6)


@pytest.mark.parametrize("name", ["quadrant", "uniform"])
def test_the_trained_places_are_those_of_the_split(name: str):
    bits = np.unpackbits(np.frombuffer(base64.b64decode(data.trained_places(name)), np.uint8)).reshape(64, 64)
    samples = not_so_clevr()
    wanted = samples.one_hot(split(samples, name).train).sum(axis=(0, 3))  # (H, W)
    assert np.array_equal(bits, wanted)


def test_the_data_hold_every_network_whose_weights_are_kept(tmp_path: Path):
    entries = data.write_playground(tmp_path)
    models = [f"{task}-{model}" for task, titles in data.TITLES.items() for model in titles]
    wanted = {f"{model}-{part}" for model in models for part in data.SPLITS} | {"gan-conv", "gan-coordconv"}
    assert {entry["name"] for entry in entries} == wanted
    text = (tmp_path / "catalog.js").read_text(encoding="utf-8")
    assert json.loads(text.partition("catalog: ")[2].removesuffix(" };\n"))["networks"] == entries
    for entry in entries:
        text = (tmp_path / "networks" / f"{entry['name']}.js").read_text(encoding="utf-8")
        network = json.loads(text.partition(" = ")[2].rstrip(";\n"))
        sizes = {"float16": 2, "float32": 4}
        arrays = [place for layer in network["layers"] for place in layer.get("arrays", {}).values()]
        assert sum(sizes[p["type"]] * p["length"] for p in arrays) == len(base64.b64decode(network["weights"]))


class Kept:
    """Runs of a GAN by (model, recipe, steps, coverage), with weights but for those of which coverage is 1."""

    def __init__(self, *runs: tuple[str, str, int, float]) -> None:
        self.records = [
            {
                "experiment": "gan",
                "model": model,
                "variant": recipe,
                "metrics": {"coverage": coverage},
                "settings": {"steps": steps, "photos": None},
            }
            for model, recipe, steps, coverage in runs
        ]

    def weights(self, record: dict[str, Any]) -> dict[str, Any] | None:
        return None if record["metrics"]["coverage"] == 1 else {}


def test_the_generators_are_the_best_of_equal_and_longest_training():
    kept = Kept(
        ("conv", "stable", 3000, 0.9),
        ("coordconv", "stable", 3000, 0.9),
        ("conv", "stable", 6000, 0.1),
        ("conv", "stable", 6000, 0.4),
        ("coordconv", "stable", 6000, 0.5),
        ("coordconv", "stable", 6000, 1),
        ("coordconv", "stable", 9000, 0.9),
        ("conv", "official", 9000, 0.9),
    )
    chosen = data.chosen_generators(kept)
    assert chosen == {"gan-conv": kept.records[3], "gan-coordconv": kept.records[4]}
    assert data.chosen_generators(Kept(("conv", "stable", 10, 0.1), ("coordconv", "stable", 20, 0.1))) == {}


# The scripts of the playground


@pytest.mark.parametrize("path", sorted((SITE / "playground").glob("*.js")), ids=lambda path: path.name)
def test_the_scripts_load_nothing_and_are_no_modules(path: Path):
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"https?://|\bfetch\(|XMLHttpRequest|^\s*(?:import|export)\b", text, re.MULTILINE) == []


def test_a_folder_that_is_no_site_is_left_as_it_is(tmp_path: Path):
    build = module("build")
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(build.SiteError, match="is not a site"):
        build.build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


# The page of figures


def test_a_figure_is_described_by_its_label_or_by_its_line_and_titles(tmp_path: Path):
    pages = module("figure_pages")
    drawn = new_figure(6, 3)
    drawn.subplots(1, 2)[1].set_title('the "right"\none #2')
    figure = RecordFigure("a line: two panels", lambda kept: Drawn(drawn, "two runs"))
    (tmp_path / "figures").mkdir()
    text = pages.section("figure-4", figure, KeptRuns(tmp_path), tmp_path)
    assert ':alt: "A line: two panels. Panels: the \\"right\\" one #2."' in text
    assert "*Drawn from: two runs.*" in text and (tmp_path / "figures" / "figure-4.png").is_file()
    drawn.set_label("in words")
    assert pages.words_of(figure, drawn) == "in words"


# Binder


def test_binder_installs_the_lessons_with_a_python_that_they_support():
    folder = ROOT / ".binder"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (wanted,) = (folder / "requirements.txt").read_text(encoding="utf-8").split()
    assert re.fullmatch(r"\.\[(\w+)\]", wanted)[1] in project["optional-dependencies"]  # type: ignore[index]
    python = (folder / "runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")
    assert f"Programming Language :: Python :: {python}" in project["classifiers"]


def test_what_binder_runs_copies_the_lessons(tmp_path: Path):
    bash, commands = shutil.which("bash"), Path(sys.executable).parent
    if bash is None or not (commands / "minicoord").exists():
        pytest.skip("bash or the command minicoord is missing")
    environment = os.environ | {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    script = ROOT / ".binder" / "postBuild"
    done = subprocess.run([bash, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    wanted = {path.name for path in (ROOT / "lessons").glob("[0-9]*.ipynb")}
    assert {path.name for path in (tmp_path / "course").iterdir()} == wanted
    assert os.access(script, os.X_OK)
