"""What lesson pages share: pictures with words for them, tables, and sliders with a plain fallback."""

from __future__ import annotations

import base64
import io
import re
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from minicoord.learn.lessons import page
from minicoord.plots.style import ORANGE, new_figure


class Shell:
    """An IPython with a kernel, which keeps what is displayed."""

    kernel = object()


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> list:
    """What is displayed while the test runs as in a notebook."""
    import IPython.display

    shown: list = []
    places: dict[str, int] = {}

    def display(piece: object, display_id: str = "") -> None:
        places[display_id] = len(shown)
        shown.append(piece)

    def update_display(piece: object, display_id: str) -> None:
        shown[places[display_id]] = piece

    monkeypatch.setattr(page, "_shell", Shell)
    monkeypatch.setattr(IPython.display, "display", display)
    monkeypatch.setattr(IPython.display, "update_display", update_display)
    monkeypatch.delenv("MINICOORD_PAGES", raising=False)
    return shown


def bars(height: float = 1.0, colour: str = ORANGE) -> Figure:
    figure = new_figure(3, 2)
    figure.subplots().bar([0, 1], [height, 2], color=colour)
    return figure


def pixels(markup: str) -> np.ndarray:
    source = re.search(r'src="data:image/png;base64,([^"]+)"', markup)
    assert source
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source[1]))).convert("RGB"))


def test_a_figure_is_an_image_with_alt_text_and_caption(notebook: list):
    page.show(bars(), alt='two bars, the right "higher" one <2>', caption="heights & so on")
    markup = notebook[0]._repr_html_()
    assert 'alt="two bars, the right &quot;higher&quot; one &lt;2&gt;"' in markup
    assert "heights &amp; so on" in markup
    assert pixels(markup).shape == (2 * page.PIXELS_PER_INCH, 3 * page.PIXELS_PER_INCH, 3)


def test_the_label_of_a_figure_is_its_alt_text(notebook: list):
    figure = bars()
    figure.set_label("bars of unequal height")
    page.show(figure)
    assert 'alt="bars of unequal height"' in notebook[0]._repr_html_()


def test_a_picture_without_words_is_refused(notebook: list):
    with pytest.raises(ValueError, match="no words"):
        page.show(bars())


def test_fewer_colours_look_the_same():
    figure = new_figure(4, 4)
    figure.subplots().imshow(np.random.default_rng(0).random((64, 64)), cmap="cividis")
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=page.PIXELS_PER_INCH)
    before = np.asarray(Image.open(data).convert("RGB")).astype(int)
    small = page._fewer_colours(data.getvalue())
    after = np.asarray(Image.open(io.BytesIO(small)).convert("RGB")).astype(int)
    assert len(small) < len(data.getvalue())
    assert np.abs(after - before).mean() < 2


def test_a_rare_colour_survives():
    before = tuple(int(ORANGE[k : k + 2], 16) for k in (1, 3, 5))
    colours = pixels(page.picture_html(bars(), "bars")).reshape(-1, 3).astype(int)
    assert np.abs(colours - before).sum(axis=1).min() <= 6


def test_words_stay_black_beside_many_colours():
    rng = np.random.default_rng(0)
    reds_and_blues = rng.random((2, 40, 40, 1)) * [[[[1, 0.2, 0.2]]], [[[0.2, 0.2, 1]]]]  # (2, H, W, 3)
    figure = new_figure(6, 3)
    for ax, image in zip(figure.subplots(1, 2), 1 - reds_and_blues[:, :, :, ::-1], strict=True):
        ax.imshow(image)
        ax.set(title="some words", xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=page.PIXELS_PER_INCH)
    before = np.asarray(Image.open(data).convert("RGB"))
    after = np.asarray(Image.open(io.BytesIO(page._fewer_colours(data.getvalue()))).convert("RGB"))
    black = (before == 0).all(axis=-1)
    assert black.any() and after[black].max() <= 32


def test_a_figure_of_pyplot_is_closed(notebook: list):
    import matplotlib

    with matplotlib.rc_context({"backend": "agg"}):
        from matplotlib import pyplot

        figure, _ = pyplot.subplots()
        page.show(figure, alt="nothing")
        assert not pyplot.fignum_exists(figure.number)  # pyright: ignore[reportAttributeAccessIssue]


def test_a_table_escapes_and_puts_thousands_apart(notebook: list):
    page.table([{"part": "<train>", "samples": 2407, "share": 0.767538}], caption="quadrant")
    markup = notebook[0]._repr_html_()
    assert "&lt;train&gt;" in markup and ">2,407</td>" in markup and ">0.7675</td>" in markup
    assert repr(notebook[0]).splitlines() == ["quadrant", "part     samples  share", "<train>  2,407    0.7675"]


def test_numbers_stand_at_the_right_and_words_at_the_left(notebook: list):
    page.table(
        [{"step": "a", "ms": "2.00", "L2": 0.001, "batch": 16}, {"step": "b", "ms": "41.5", "L2": 1e-5, "batch": 8}]
    )
    sides = [cell.split('"')[0] for cell in notebook[0]._repr_html_().split("text-align:")[1:]]
    assert sides == ["left", "right", "right", "right"] * 3


def test_a_table_without_rows_is_refused():
    with pytest.raises(ValueError, match="no rows"):
        page.table([])


def test_sliders_move_the_picture(notebook: list):
    asked = []

    def draw(height: float, colour: str) -> Figure:
        asked.append((height, colour))
        return bars(height, colour)

    states = [{"height": 1.0, "colour": "red"}, {"height": 2.0, "colour": "red"}]
    page.interact(draw, lambda height, colour: f"{height} {colour}", states, height=(0.0, 4.0), colour=["red", "blue"])
    height, colour = notebook[0].children
    first = notebook[1]._repr_html_()
    assert asked == [(1.0, "red")] and 'alt="1.0 red"' in first
    height.value = 3.0
    colour.value = "blue"
    assert asked[1:] == [(3.0, "red"), (3.0, "blue")]
    assert len(notebook) == 2 and 'alt="3.0 blue"' in notebook[1]._repr_html_()
    assert not np.array_equal(pixels(first), pixels(notebook[1]._repr_html_()))


def test_the_picture_below_sliders_outlives_them(notebook: list):
    """A notebook keeps what is shown as HTML, and forgets widgets."""
    page.interact(bars, "bars", [{"height": 1}], height=(0, 4))
    page.interact(bars, "other bars", [{"height": 2}], height=(0, 4))
    kept = [piece._repr_html_() for piece in notebook if hasattr(piece, "_repr_html_")]
    assert len(kept) == 2
    notebook[0].children[0].value = 4
    after = [piece._repr_html_() for piece in notebook if hasattr(piece, "_repr_html_")]
    assert after[0] != kept[0] and after[1] == kept[1], "the sliders of one picture moved another"


def test_whole_numbers_get_whole_steps_and_truth_a_box(notebook: list):
    page.interact(lambda k, on: bars(k), "bars", [{"k": 2, "on": True}], k=(1, 5), on=True)
    k, on = notebook[0].children
    assert (k.value, k.min, k.max, k.step) == (2, 1, 5, 1) and on.value is True


def test_an_error_while_drawing_is_shown_in_place_of_the_picture(notebook: list):
    def draw(k: int) -> Figure:
        if k > 1:
            raise ValueError("k is <too> large")
        return bars()

    page.interact(draw, "bars", [{"k": 1}], k=(1, 3))
    (k,) = notebook[0].children
    k.value = 2
    assert "ValueError: k is &lt;too&gt; large" in notebook[1]._repr_html_()
    k.value = 1
    assert "<img" in notebook[1]._repr_html_()


@pytest.mark.parametrize("reason", ["static", "no ipywidgets"])
def test_without_sliders_every_state_is_a_picture(notebook: list, monkeypatch: pytest.MonkeyPatch, reason: str):
    if reason == "static":
        monkeypatch.setenv("MINICOORD_PAGES", "static")
    else:
        monkeypatch.setitem(sys.modules, "ipywidgets", None)
    page.interact(bars, "bars", [{"height": 1}, {"height": 3}], height=(0, 4))
    markup = [piece._repr_html_() for piece in notebook]
    assert "height = 1" in markup[0] and "height = 3" in markup[1]
    assert not np.array_equal(pixels(markup[0]), pixels(markup[1]))
    assert ("Run this cell" in markup[-1]) == (reason == "static")


def test_outside_a_notebook_words_are_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(page, "_shell", lambda: None)
    page.interact(bars, "two bars", [{"height": 1}], height=(0, 4))
    assert capsys.readouterr().out == "[figure: two bars] with height = 1\n"


@pytest.mark.parametrize(
    ("states", "message"), [([], "no states"), ([{"h": 1}], r"a state gives \['h'\], the controls are \['height'\]")]
)
def test_states_that_do_not_fit_are_refused(states: list, message: str):
    with pytest.raises(ValueError, match=message):
        page.interact(bars, "bars", states, height=(0, 4))
