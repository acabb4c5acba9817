"""What the pages of the lessons share: a figure with its alt text, a table, and sliders with a static fallback.

If `MINICOORD_PAGES=static` is set, ipywidgets is missing or there is no notebook to answer, `interact` shows a few
figures one below the other instead of sliders.
"""

from __future__ import annotations

import base64
import html
import io
import os
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

PIXELS_PER_INCH = 144
"""Twice as fine as a page shows it at 72 pixels an inch, so that letters stay sharp on a dense screen."""
SHOWN_PER_INCH = 96
ALMOST_BLACK = 32  # of 255

Draw = Callable[..., Figure]


class Page:
    """A piece of a page: HTML in a notebook, plain text elsewhere."""

    def __init__(self, html: str, text: str) -> None:
        self.html, self.text = html, text

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def show(figure: Figure, alt: str = "", caption: str = "") -> None:
    """Show a figure on the page, with its alt text.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        It is closed afterwards, so that the notebook does not show it a second time.
    alt : str
        What the figure shows, for those who cannot see it; by default the label of the figure (``set_label``).
    caption : str
        A line below the figure.

    Raises
    ------
    ValueError
        If there is no alt text.

    Examples
    --------
    >>> from minicoord.plots.style import new_figure
    >>> show(new_figure(2, 1), alt="an empty figure")
    [figure: an empty figure]
    """
    words = _alt(alt, {}, figure)
    display_piece(Page(picture_html(figure, words, caption), f"[figure: {words}]"))


def table(rows: Sequence[Mapping[str, object]], caption: str = "") -> None:
    """Show rows as a table; its columns are the keys of the first row.

    Columns of numbers, or of text that reads as numbers ("2.00"), are aligned to the right.

    Examples
    --------
    >>> table([{"split": "uniform", "test": 628}, {"split": "quadrant", "test": 729}])
    split     test
    uniform   628
    quadrant  729
    """
    if not rows:
        raise ValueError("table: there are no rows, wanted at least one")
    columns = list(rows[0])
    body = [[_words(row.get(column, "")) for column in columns] for row in rows]
    numbers = [all(map(_is_number, cells)) for cells in zip(*body, strict=True)]
    sides = ["right" if number else "left" for number in numbers]

    def line(cells: Sequence[str], tag: str) -> str:
        parts = (
            f'<{tag} style="text-align:{side}">{html.escape(cell)}</{tag}>'
            for cell, side in zip(cells, sides, strict=True)
        )
        return f"<tr>{''.join(parts)}</tr>"

    head = f'<caption style="text-align:left">{html.escape(caption)}</caption>' if caption else ""
    rest = "".join(line(row, "td") for row in body)
    markup = f"<table>{head}<thead>{line(columns, 'th')}</thead><tbody>{rest}</tbody></table>"
    widths = [max(len(row[k]) for row in [columns, *body]) for k in range(len(columns))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in [columns, *body]]
    display_piece(Page(markup, "\n".join([*([caption] if caption else []), *lines])))


def interact(
    draw: Draw,
    alt: str | Callable[..., str] = "",
    states: Sequence[Mapping[str, Any]] = (),
    **controls: Any,
) -> None:
    """Show a figure that follows sliders, or a few of its states if there is no kernel to answer them.

    Parameters
    ----------
    draw : callable
        ``draw(**values)`` returns a matplotlib figure. It is called whenever a control is moved, so it should take
        less than half a second.
    alt : str or callable
        What the figure shows; a callable gets the values. By default the label of the figure.
    states : sequence of dict
        Values for the figures without sliders, the most telling ones. The sliders start at the first.
    **controls
        For each argument of `draw`: ``(lowest, highest)`` or ``(lowest, highest, step)`` for a slider, a list for a
        choice, True or False for a checkbox.

    Examples
    --------
    >>> from minicoord.plots.style import new_figure
    >>> draw = lambda width: new_figure(width, 1)
    >>> interact(draw, "an empty figure", states=[{"width": 2}, {"width": 3}], width=(1, 5))
    [figure: an empty figure] with width = 2
    [figure: an empty figure] with width = 3
    """
    for state in states:
        if set(state) != set(controls):
            raise ValueError(
                f"interact: a state gives {sorted(state)}, the controls are {sorted(controls)}; both must agree"
            )
    if not states:
        raise ValueError("interact: there are no states, wanted at least one, where the sliders begin")
    if _answers():
        _show_sliders(draw, alt, states[0], controls)
        return
    for state in states:
        values = ", ".join(f"{name} = {_words(value)}" for name, value in state.items())
        figure = draw(**state)
        words = _alt(alt, state, figure)
        display_piece(Page(picture_html(figure, words, values), f"[figure: {words}] with {values}"))
    if os.environ.get("MINICOORD_PAGES") == "static":
        note = "Run this cell yourself to get sliders instead of these figures."
        display_piece(Page(f"<p><em>{note}</em></p>", note))


def _show_sliders(
    draw: Draw, alt: str | Callable[..., str], start: Mapping[str, Any], controls: Mapping[str, Any]
) -> None:
    """Show a control for each argument of `draw`, and below them the figure that follows.

    The figure is a separate output, not a widget: a notebook does not keep widgets, so a page that is opened again
    has no sliders until its cells are run, but it still has the figure.
    """
    import ipywidgets
    from IPython.display import display, update_display

    identity = uuid.uuid4().hex
    widgets = {name: _control(name, kind, start[name]) for name, kind in controls.items()}

    def follow(_: object) -> None:
        values = {name: widget.value for name, widget in widgets.items()}
        update_display(_picture(draw, alt, values), display_id=identity)

    for widget in widgets.values():
        widget.observe(follow, names="value")
    display(ipywidgets.VBox(list(widgets.values())))
    display(_picture(draw, alt, start), display_id=identity)


def _picture(draw: Draw, alt: str | Callable[..., str], values: Mapping[str, Any]) -> Page:
    """Return what `draw` makes of these values; errors are shown, because otherwise they would end up in a log."""
    try:
        figure = draw(**values)
        words = _alt(alt, values, figure)
        return Page(picture_html(figure, words), f"[figure: {words}]")
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        return Page(f"<pre>{html.escape(told)}</pre>", told)


def _control(name: str, kind: Any, start: Any) -> Any:
    """Return the widget for one argument."""
    import ipywidgets

    style = {"description_width": "initial"}
    if isinstance(kind, bool):
        return ipywidgets.Checkbox(value=start, description=name, style=style, indent=False)
    if isinstance(kind, list):
        return ipywidgets.ToggleButtons(options=kind, value=start, description=name, style=style)
    low, high, *step = kind
    whole = all(isinstance(number, int) for number in kind)
    slider = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    size = step[0] if step else (1 if whole else (high - low) / 20)
    return slider(
        value=start, min=low, max=high, step=size, description=name, style=style, layout={"width": "32em"},
        continuous_update=False,
    )  # fmt: skip


def _answers() -> bool:
    """Return whether sliders would be answered: in a notebook with ipywidgets, and not while pages are built."""
    if os.environ.get("MINICOORD_PAGES") == "static":
        return False
    shell = _shell()
    if shell is None or not hasattr(shell, "kernel"):
        return False
    try:
        import ipywidgets  # noqa: F401
    except ImportError:
        return False
    return True


def _shell() -> Any:
    """Return the running IPython, or None."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def display_piece(piece: Any) -> None:
    """Show a piece on the page, or print its text if there is no page."""
    if _shell() is None:
        print(piece)
        return
    from IPython.display import display

    display(piece)


def picture_html(figure: Figure, alt: str, caption: str = "") -> str:
    """Return a figure as self-contained HTML: the image is embedded."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=PIXELS_PER_INCH)
    width = round(figure.get_figwidth() * SHOWN_PER_INCH)
    close(figure)
    source = base64.b64encode(_fewer_colours(data.getvalue())).decode("ascii")
    words = html.escape(alt, quote=True)
    image = f'<img src="data:image/png;base64,{source}" alt="{words}" width="{width}" style="max-width:100%">'
    return f"<div>{image}</div>" + (f"<p>{html.escape(caption)}</p>" if caption else "")


def _fewer_colours(png: bytes) -> bytes:
    """Return the image with at most 256 colours, about a third as large."""
    from PIL import Image

    smaller = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        full = image.convert("RGB")
    fewer = partial(full.quantize, 256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    plain = fewer()
    black = (np.asarray(full) == 0).all(axis=-1)  # (H, W): words, which beside many reds and blues turn purple
    if black.any() and np.asarray(plain.convert("RGB"))[black].max() > ALMOST_BLACK:
        plain = fewer(kmeans=1)  # slower
    plain.save(smaller, format="png", optimize=True)
    return min(smaller.getvalue(), png, key=len)


def close(figure: Figure) -> None:
    """Close a pyplot figure, because pyplot keeps and shows every open one; figures made without it need nothing."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)


def _alt(alt: str | Callable[..., str], values: Mapping[str, Any], figure: Figure) -> str:
    """Return the alt text of a figure: the given one, or the label of the figure."""
    words = alt if isinstance(alt, str) else alt(**values)
    words = words or str(figure.get_label())
    if not words:
        raise ValueError("the picture has no words for those who do not see it; give alt, or the figure a label")
    return words


def _words(value: object) -> str:
    """Return a value as a page shows it: with thousands separators, floats with four digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_number(words: str) -> bool:
    try:
        float(words.replace(",", ""))
    except ValueError:
        return words == ""
    return True
