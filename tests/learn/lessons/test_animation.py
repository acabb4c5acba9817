"""Moving pictures: a small GIF that runs for ever, with words, and with the frames that were drawn."""

from __future__ import annotations

import base64
import io
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from minicoord.learn.lessons import animation, page
from minicoord.plots.style import BLUE, VERMILLION, new_figure

LESSONS = Path(__file__).resolve().parents[3] / "lessons"
GIF = re.compile(r'src="data:image/gif;base64,([^"]+)" alt="([^"]+)"')


def bars(height: float) -> Figure:
    figure = new_figure(3, 2)
    ax = figure.subplots()
    ax.bar([0, 1], [height, 2], color=[VERMILLION, BLUE])
    ax.set_ylim(0, 4)
    return figure


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[page.Page]:
    pieces: list[page.Page] = []
    monkeypatch.setattr(page, "display_piece", pieces.append)
    return pieces


def frames(markup: str) -> list[np.ndarray]:
    found = GIF.search(markup)
    assert found
    image = Image.open(io.BytesIO(base64.b64decode(found[1])))
    pictures = []
    for k in range(getattr(image, "n_frames", 1)):
        image.seek(k)
        pictures.append(np.asarray(image.convert("RGB")).astype(int))
    return pictures


def test_every_moment_is_a_frame_with_its_own_picture(shown: list[page.Page]):
    animation.play(bars, [1.0, 2.0, 3.0], "a bar that grows <slowly>")
    markup = shown[0].html
    pictures = frames(markup)
    assert len(pictures) == 3 and 'alt="a bar that grows &lt;slowly&gt;"' in markup
    assert pictures[0].shape == (2 * animation.PIXELS_PER_INCH, 3 * animation.PIXELS_PER_INCH, 3)
    colour = np.array([int(VERMILLION[k : k + 2], 16) for k in (1, 3, 5)])
    red = [(np.abs(picture - colour).sum(axis=2) < 12).sum() for picture in pictures]
    assert red[1] == pytest.approx(2 * red[0], rel=0.05) and red[2] == pytest.approx(3 * red[0], rel=0.05)
    assert shown[0].text == "[moving picture, 3 frames: a bar that grows <slowly>]"


def test_it_starts_over_without_end_and_the_last_frame_stays_longest(shown: list[page.Page]):
    animation.play(bars, [1.0, 2.0], "a bar that grows", seconds=0.5, last=2.0)
    found = GIF.search(shown[0].html)
    assert found
    image = Image.open(io.BytesIO(base64.b64decode(found[1])))
    assert image.info["loop"] == 0 and image.info["duration"] == 500
    image.seek(1)
    assert image.info["duration"] == 2000


def test_it_can_be_folded_away(shown: list[page.Page]):
    animation.play(bars, [1.0, 2.0], "a bar that grows")
    assert shown[0].html.startswith("<details open><summary>") and shown[0].html.endswith("</details>")


def test_no_frame_no_words_or_frames_of_two_sizes_are_refused(shown: list[page.Page]):
    with pytest.raises(ValueError, match="no moments"):
        animation.play(bars, [], "nothing")
    with pytest.raises(ValueError, match="no words"):
        animation.play(bars, [1.0], "")
    with pytest.raises(ValueError, match="wanted one size"):
        animation.play(lambda width: new_figure(width, 1), [1, 2], "figures that grow")
    assert shown == []


@pytest.mark.parametrize("notebook, count", [("02_convolution", 7), ("03_backprop", 5), ("04_the_failure", 13)])
def test_the_moving_pictures_of_the_lessons_move_and_are_small(notebook: str, count: int):
    read = nbformat.read(LESSONS / f"{notebook}.ipynb", as_version=4)
    markup = "".join(
        output.data["text/html"]
        for cell in read.cells
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    )
    found = GIF.findall(markup)
    assert len(found) == 1 and len(found[0][1]) > 100
    assert len(found[0][0]) < 500_000
    pictures = frames(markup)
    assert len(pictures) == count
    assert all(not np.array_equal(a, b) for a, b in pairwise(pictures))
