"""The wheel, installed in an empty environment and used outside the checkout; nothing is downloaded."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import minicoord

ROOT = Path(__file__).resolve().parents[2]


def run(*command: object, cwd: Path) -> str:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_", "COV_"))}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of a fresh environment that has the wheel, and borrows its dependencies from ours."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, with_pip=False)
    paths = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    scripts = folder / Path(paths["scripts"]).name
    python = scripts / Path(sys.executable).name
    (wheel,) = built.glob("*.whl")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    # Only now, as pip would take a minicoord in our environment for the one that is wanted. The fresh environment's
    # own folder stays in front.
    site_packages = next(p for p in folder.rglob("site-packages") if p.is_dir())
    ours = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    (site_packages / "borrowed.pth").write_text("\n".join(ours) + "\n", encoding="utf-8")
    return scripts


def test_the_installed_command_works_outside_the_checkout(installed: Path, tmp_path: Path):
    assert run(installed / "minicoord", "--version", cwd=tmp_path) == f"minicoord {minicoord.__version__}"


def test_the_installed_package_finds_its_lessons(installed: Path, tmp_path: Path):
    code = "import minicoord; print(minicoord.__file__); print(minicoord.lessons_folder())"
    package, lessons = run(installed / "python", "-I", "-c", code, cwd=tmp_path).splitlines()
    assert ROOT not in Path(package).parents
    assert Path(lessons) == Path(package).parent / "_lessons"
    assert (Path(lessons) / "README.md").is_file()


def test_the_installed_command_copies_the_lessons(installed: Path, tmp_path: Path):
    run(installed / "minicoord", "lessons", tmp_path / "course", cwd=tmp_path)
    wanted = {path.name for path in (ROOT / "lessons").glob("[0-9][0-9]*_*.ipynb")}
    assert wanted == {path.name for path in (tmp_path / "course").iterdir()} != set()


def test_pytest_tests_answers_with_the_installed_package(installed: Path, tmp_path: Path):
    answer = "def pixel_index(x, y, height, width):\n    return y * width + x\n"
    (tmp_path / "answers.py").write_text(answer, encoding="utf-8")
    options = ("-p", "no:cacheprovider", "--pyargs", "minicoord.learn", "--work", tmp_path, "-k", "lesson00")
    assert "1 passed" in run(installed / "python", "-m", "pytest", *options, cwd=tmp_path)


def test_the_plugin_for_pytest_imports_nothing_of_minicoord(installed: Path, tmp_path: Path):
    code = "import sys, _minicoord_pytest; print([name for name in sys.modules if name.startswith('minicoord')])"
    assert run(installed / "python", "-I", "-c", code, cwd=tmp_path) == "[]"


def test_the_installed_package_computes(installed: Path, tmp_path: Path):
    code = "import numpy as np, minicoord; print(minicoord.AddCoords().forward(np.zeros((1, 2, 3, 1), 'f4')).shape)"
    assert run(installed / "python", "-I", "-c", code, cwd=tmp_path) == "(1, 2, 3, 3)"


def test_the_wheel_holds_the_package_and_nothing_else(built: Path):
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"minicoord", "_minicoord_pytest.py"}
    assert "minicoord/py.typed" in names
    assert not [name for name in names if "__pycache__" in name or ".ipynb_checkpoints" in name]
    lessons = [name.removeprefix("minicoord/_lessons/") for name in names if name.startswith("minicoord/_lessons/")]
    assert "00_start_here.ipynb" in lessons and "solutions/00_start_here.ipynb" in lessons
    assert not [name for name in lessons if name.startswith("sources/") or name.endswith(".py")]


def test_the_wheel_holds_the_images_with_their_licences(built: Path):
    (wheel,) = built.glob("*.whl")
    folder = ROOT / "minicoord/datasets/images"
    wanted = {f"minicoord/datasets/images/{path.name}" for path in folder.glob("*.xz")}
    assert len(wanted) == 8
    assert {*wanted, "minicoord/datasets/images/LICENSES.md"} <= set(zipfile.ZipFile(wheel).namelist())


def test_the_installed_package_has_its_images(installed: Path, tmp_path: Path):
    code = "from minicoord import shipped_images; print(len(shipped_images('fashion-mnist').train))"
    assert run(installed / "python", "-I", "-c", code, cwd=tmp_path) == "6000"


def test_the_source_archive_holds_what_the_tests_need(built: Path):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "tests/app/test_packaging.py", "lessons/README.md"} <= names
    assert {"lessons/build.py", "lessons/sources/00_start_here.py", "lessons/solutions/00_start_here.ipynb"} <= names
