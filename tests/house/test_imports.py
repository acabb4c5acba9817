"""Imports go down only: a reader can stop at any floor. No file leads back to itself over others."""

from __future__ import annotations

from pathlib import Path

import pytest
from import_graph import Arrow, Imports, circles

PACKAGE = Path(__file__).resolve().parents[2] / "minicoord"

# From the ground up. The rooms of one floor do not know each other: what two of them need lies on a floor below.
FLOORS = (
    {"system", "dropin"},
    {"kernels"},
    {"reference", "nn"},
    {"train", "datasets"},
    {"plots"},
    {"experiments"},
    {"sweeps", "bench"},
    {"learn"},
    {"app"},
)
HEIGHT = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}

# Inside of experiments/, above the registry of their names: the frame, then what several experiments share, then one
# folder for each experiment. records/ stands anywhere above the frame, as long as no folder leads back to itself.
FRAME, RECORDS = "frame", "records"
SHARED = {"supervised": "what the supervised tasks share", "two_objects": "what GAN and VAE share"}
# The renderer begins with the network that paints, and its figures show that network's coordinates.
BETWEEN_EXPERIMENTS = {("rendering", "classification", "painters")}


def upwards(imports: Imports) -> list[str]:
    """Return the arrows that do not go down, in words. The front door and ``__main__.py`` may name everything."""
    found = []
    for arrow in imports.arrows:
        source, target = _room(arrow.source), _room(arrow.target)
        if source in ("", "__main__") or source == target:
            continue
        if target in ("", "__main__"):
            found.append(f"{arrow}, which stands above all rooms")
        elif source not in HEIGHT or target not in HEIGHT:
            found.append(f"{arrow}, and {source if source not in HEIGHT else target} stands on no floor")
        elif HEIGHT[target] >= HEIGHT[source]:
            found.append(f"{arrow}, which is {'above' if HEIGHT[target] > HEIGHT[source] else 'beside'} it")
    return found


def _room(name: str) -> str:
    return [*name.split("."), ""][1]


def upwards_in_experiments(imports: Imports) -> list[str]:
    """Return the arrows between the folders of experiments/ that do not go down, in words."""
    found = []
    for arrow, source, target in _between_folders(imports):
        if source == target or not source or not target:
            continue  # the files beside the folders, such as the registry, are found by the search for circles
        if source == FRAME:
            found.append(f"{arrow}: the frame knows no other folder")
        elif source in SHARED and target != FRAME:
            found.append(f"{arrow}: {SHARED[source]} knows none of them")
        elif {source, target}.isdisjoint({FRAME, RECORDS, *SHARED}):
            file = arrow.target.split(".")[-1]
            if (source, target, file) not in BETWEEN_EXPERIMENTS:
                found.append(f"{arrow}: experiments do not know each other")
    return found


def circles_in_experiments(imports: Imports) -> list[list[str]]:
    """Return the folders of experiments/ that lead back to themselves."""
    return circles(Arrow(source, 0, target) for _, source, target in _between_folders(imports) if source and target)


def _between_folders(imports: Imports) -> list[tuple[Arrow, str, str]]:
    """Return the arrows inside of experiments/ with the folders they come from and go to; "" for a file beside them."""
    place = f"{imports.root}.experiments"
    folders = {name.split(".")[2] for name in imports.files if name.startswith(f"{place}.") and name.count(".") > 2}

    def folder(name: str) -> str:
        part = [*name.split("."), ""][2]
        return part if part in folders else ""

    inside = [a for a in imports.arrows if all(f"{name}.".startswith(f"{place}.") for name in (a.source, a.target))]
    return [(arrow, folder(arrow.source), folder(arrow.target)) for arrow in inside]


@pytest.fixture(scope="module")
def imports() -> Imports:
    return Imports(PACKAGE)


def test_imports_go_down_only(imports: Imports):
    assert upwards(imports) == []


def test_every_room_stands_on_a_floor(imports: Imports):
    rooms = {_room(name) for name in imports.files} - {"", "__main__"}
    assert rooms == set(HEIGHT)


def test_files_that_are_made_to_be_copied_stand_alone(imports: Imports):
    assert {"minicoord.dropin.torch", "minicoord.dropin.keras", "minicoord.dropin.jax"} <= set(imports.files)
    assert [str(a) for a in imports.arrows if "dropin" in (_room(a.source), _room(a.target))] == []


def test_no_file_leads_back_to_itself(imports: Imports):
    assert circles(imports.arrows) == []


def test_the_folders_of_the_experiments_stand_above_each_other(imports: Imports):
    assert upwards_in_experiments(imports) == []


def test_no_folder_of_the_experiments_leads_back_to_itself(imports: Imports):
    found = circles_in_experiments(imports)
    folders = {folder for group in found for folder in group}
    between = [str(a) for a, *ends in _between_folders(imports) if ends[0] != ends[1] and folders.issuperset(ends)]
    assert found == [], "\n".join(between)


def test_the_reader_of_imports_sees_them(imports: Imports):
    seen = {(arrow.source, arrow.target) for arrow in imports.arrows}
    assert ("minicoord.train.fit", "minicoord.nn.model") in seen
    assert ("minicoord.bench.worker", "minicoord.bench.pytorch") in seen, "inside a function, by its package"
    assert ("minicoord.bench.worker", "minicoord.kernels.backend.threading_layer") in seen, "as minicoord.set_threads"
    assert len(seen) > 500


DOOR = '__version__ = "0"\n_MODULE_OF = {"Layer": "nn.layers", "fit": "train.fit"}\nfrom minicoord.app import cli\n'


def planted(folder: Path, files: dict[str, str]) -> Imports:
    """Write a package of this house with one file in each room, and these files; return its imports."""
    package = folder / "minicoord"
    rooms = {f"{room}/__init__.py": "" for room in HEIGHT}
    more = {"nn/layers.py": "", "train/fit.py": "", "app/cli.py": "", "kernels/conv.py": ""}
    for name, text in {"__init__.py": DOOR, **rooms, **more, **files}.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text, encoding="utf-8")
    return Imports(package)


def test_a_house_that_keeps_the_rule(tmp_path: Path):
    imports = planted(
        tmp_path,
        {
            "__main__.py": "from minicoord.app.cli import main",
            "bench/__main__.py": "from minicoord.bench import command",
            "bench/command.py": "import minicoord\nminicoord.fit(minicoord.__version__)",
            "nn/model.py": "from minicoord import __version__\nfrom minicoord.kernels.conv import conv",
            "app/more.py": "from minicoord import Layer, experiments\nfrom minicoord.learn import anything",
        },
    )
    assert upwards(imports) == []
    assert circles(imports.arrows) == []
    assert len(imports.arrows) == 7


@pytest.mark.parametrize(
    "file, text, words",
    [
        (
            "kernels/a.py",
            "from minicoord.nn.layers import Layer",
            "kernels.a:1 imports minicoord.nn.layers, which is ab",
        ),
        ("kernels/a.py", "import minicoord.nn.layers", "imports minicoord.nn.layers, which is above"),
        ("kernels/a.py", "from minicoord.nn import layers", "imports minicoord.nn.layers, which is above"),
        ("kernels/a.py", "from minicoord import nn", "imports minicoord.nn, which is above"),
        ("kernels/a.py", "from minicoord import Layer", "imports minicoord.nn.layers, which is above"),
        ("kernels/a.py", "import minicoord\nminicoord.Layer()", "a:2 imports minicoord.nn.layers, which is above"),
        (
            "kernels/a.py",
            "import minicoord\nminicoord.nn.layers.f()",
            "a:2 imports minicoord.nn.layers, which is above",
        ),
        ("kernels/a.py", "from ..nn import layers", "imports minicoord.nn.layers, which is above"),
        ("kernels/__init__.py", "from ..nn.layers import Layer", "kernels:1 imports minicoord.nn.layers, which is abo"),
        ("kernels/a.py", "def f():\n    from minicoord.nn import layers", "a:2 imports minicoord.nn.layers, which is"),
        ("kernels/a.py", "if TYPE_CHECKING:\n    import minicoord.nn.layers", "a:2 imports minicoord.nn.layers, which"),
        ("kernels/a.py", 'import_module("minicoord.nn.layers")', "imports minicoord.nn.layers, which is above"),
        ("bench/__main__.py", "from minicoord.app.cli import main", "imports minicoord.app.cli, which is above"),
        ("nn/a.py", "from minicoord.reference import conv2d", "imports minicoord.reference, which is beside it"),
        ("datasets/a.py", "from minicoord import fit", "imports minicoord.train.fit, which is beside it"),
        ("sweeps/a.py", "import minicoord.bench", "imports minicoord.bench, which is beside it"),
        ("app/a.py", "from minicoord import anything", "imports minicoord, which stands above all rooms"),
        ("app/a.py", "from minicoord.attic import b", "imports minicoord.attic, and attic stands on no floor"),
    ],
)
def test_a_planted_arrow_upwards_is_found(tmp_path: Path, file: str, text: str, words: str):
    more = {"attic/__init__.py": ""} if "attic" in text else {}
    (found,) = upwards(planted(tmp_path, {**more, file: text}))
    assert found.startswith("minicoord.") and words in found


def test_a_planted_circle_is_found_also_through_a_function_and_a_door(tmp_path: Path):
    files = {
        "nn/a.py": "from minicoord.nn.b import x",
        "nn/b.py": "def f():\n    from minicoord.nn import c",
        "nn/c.py": "if TYPE_CHECKING:\n    from . import a",
        "nn/d.py": "from minicoord.nn import a",
        "nn/layers.py": "from minicoord.nn.e import x",
        "nn/e.py": "from minicoord import Layer",
    }
    found = circles(planted(tmp_path, files).arrows)
    assert found == [["minicoord.nn.e", "minicoord.nn.layers"], ["minicoord.nn.a", "minicoord.nn.b", "minicoord.nn.c"]]


def test_two_circles_that_share_a_file_are_one(tmp_path: Path):
    files = {"nn/a.py": "from . import b, c", "nn/b.py": "from . import a", "nn/c.py": "from . import a"}
    assert circles(planted(tmp_path, files).arrows) == [["minicoord.nn.a", "minicoord.nn.b", "minicoord.nn.c"]]


EXPERIMENTS = {
    f"experiments/{name}/{file}": ""
    for name in ("frame", "supervised", "two_objects", "records", "classification", "rendering", "vae")
    for file in ("__init__.py", "a.py", "painters.py")
}


def test_experiments_that_keep_the_rule(tmp_path: Path):
    files = {
        "experiments/__init__.py": "from minicoord.experiments.frame import a",
        "experiments/supervised/a.py": "from minicoord import experiments\nfrom minicoord.experiments.frame import a",
        "experiments/vae/a.py": "from minicoord.experiments.frame.a import x\n"
        "from minicoord.experiments.two_objects.a import x",
        "experiments/rendering/a.py": "from minicoord.experiments.supervised import a\n"
        "from minicoord.experiments.classification.painters import x",
        "experiments/records/a.py": "from minicoord.experiments.vae.a import x\nimport minicoord.experiments.frame",
    }
    imports = planted(tmp_path, {**EXPERIMENTS, **files})
    assert upwards_in_experiments(imports) == []
    assert circles_in_experiments(imports) == []
    assert circles(imports.arrows) == []


@pytest.mark.parametrize(
    "source, target, words",
    [
        ("frame.a", "vae.a", "the frame knows no other folder"),
        ("frame.a", "supervised.a", "the frame knows no other folder"),
        ("frame.a", "records.a", "the frame knows no other folder"),
        ("supervised.a", "classification.a", "what the supervised tasks share knows none of them"),
        ("supervised.a", "records.a", "what the supervised tasks share knows none of them"),
        ("two_objects.a", "vae.a", "what GAN and VAE share knows none of them"),
        ("vae.a", "classification.a", "experiments do not know each other"),
        ("rendering.a", "classification.a", "experiments do not know each other"),
        ("vae.a", "classification.painters", "experiments do not know each other"),
        ("classification.a", "rendering.painters", "experiments do not know each other"),
    ],
)
def test_a_planted_arrow_between_experiments_is_found(tmp_path: Path, source: str, target: str, words: str):
    file = f"experiments/{source.replace('.', '/')}.py"
    imports = planted(tmp_path, {**EXPERIMENTS, file: f"from minicoord.experiments.{target} import x"})
    (found,) = upwards_in_experiments(imports)
    assert found == f"minicoord.experiments.{source}:1 imports minicoord.experiments.{target}: {words}"
    assert upwards(imports) == []


def test_a_planted_circle_of_folders_is_found(tmp_path: Path):
    files = {
        "experiments/vae/a.py": "from minicoord.experiments.records import a",
        "experiments/records/painters.py": "from minicoord.experiments.vae import painters",
    }
    imports = planted(tmp_path, {**EXPERIMENTS, **files})
    assert circles(imports.arrows) == []
    assert circles_in_experiments(imports) == [["records", "vae"]]
