"""What an installed minicoord must be able to do, with nothing but its own dependencies: `.ci/release` runs this."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

warnings.filterwarnings("error", module="minicoord")

import numba  # noqa: E402
import numpy as np  # noqa: E402

import minicoord  # noqa: E402
from minicoord.datasets import not_so_clevr, split  # noqa: E402

SECONDS = 600


def command(*words: str) -> str:
    """Run the command `minicoord` of this environment, and return what it prints."""
    program = Path(sys.executable).with_name("minicoord")
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, f"minicoord {' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


def train_a_little() -> None:
    """Train the network of the README for an epoch, on a quarter of the samples."""
    rng = np.random.default_rng(0)
    data = not_so_clevr()
    layers = [
        minicoord.Tile(64, 64),
        minicoord.CoordConv2D(2, 32, kernel_size=1, activation="relu", rng=rng),
        minicoord.Conv2D(32, 1, kernel_size=1, rng=rng),
    ]
    model, train = minicoord.Sequential(layers), split(data, "quadrant").train[::4]
    history = minicoord.fit(
        model,
        minicoord.softmax_cross_entropy,
        minicoord.Adam(0.005),
        data.inputs(train),
        data.labels[train],
        epochs=2,
        batch_size=16,
        seed=0,
        progress=False,
    )
    first, last = history["train_loss"]
    assert last < first, f"the loss went from {first:.3f} to {last:.3f}"


def check_gradients() -> None:
    """Compare the gradients of a small network of several kinds of layers with differences."""
    rng = np.random.default_rng(0)
    layers = [
        minicoord.CoordConv2D(2, 4, 3, stride=2, rng=rng, dtype=np.float64, with_r=True),
        minicoord.BatchNorm2D(4, dtype=np.float64),
        minicoord.ConvTranspose2D(4, 3, 3, rng=rng, dtype=np.float64),
    ]
    report = minicoord.gradcheck(minicoord.Sequential(layers), rng.normal(size=(2, 5, 7, 2)))
    assert report.ok, str(report)


def use_the_commands() -> None:
    """Start the commands that a newcomer starts."""
    assert command("--version").strip() == f"minicoord {minicoord.__version__}"
    assert "classification" in command("list")
    assert "im2col" in command("learn", "list")
    command("doctor")
    with tempfile.TemporaryDirectory() as folder:
        command("lessons", str(Path(folder) / "course"))
        assert (Path(folder) / "course" / "00_start_here.ipynb").is_file()
        command("lessons", str(Path(folder) / "teacher"), "--teacher")
        assert list((Path(folder) / "teacher").rglob("*.html"))


def main() -> None:
    """Do all of it."""
    assert Path(minicoord.__file__).is_relative_to(sys.prefix), minicoord.__file__
    assert len(minicoord.shipped_images("mnist").train)
    train_a_little()
    check_gradients()
    use_the_commands()
    print(f"works: minicoord {minicoord.__version__}, NumPy {np.__version__}, Numba {numba.__version__}")


if __name__ == "__main__":
    main()
