"""Moving pictures on a page: a GIF, which moves without a kernel and is kept with the notebook."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.figure import Figure

from minicoord.learn.lessons import page

PIXELS_PER_INCH = 110
COLOURS = 48
"""Colours of the whole film; figures have few, and one palette for all frames keeps the file small."""


def play(
    draw: Callable[[Any], Figure], moments: Sequence[Any], alt: str, seconds: float = 1.0, last: float = 3.0
) -> None:
    """Show figures one after the other, over and over; the reader folds the picture to stop it.

    Parameters
    ----------
    draw : callable
        ``draw(moment)`` returns a matplotlib figure; all of them have the same size.
    moments : sequence
        What `draw` gets, one for each frame.
    alt : str
        What the frames show, for those who cannot see them.
    seconds, last : float
        How long each frame and the last one stay.

    Raises
    ------
    ValueError
        If there are no moments or no words, or the figures differ in size.

    Examples
    --------
    >>> from minicoord.plots.style import new_figure
    >>> play(lambda width: new_figure(2, 1), [1, 2], "two empty figures")
    [moving picture, 2 frames: two empty figures]
    """
    if not moments:
        raise ValueError("play: there are no moments, wanted at least one frame")
    if not alt:
        raise ValueError("play: the picture has no words for those who do not see it; give alt")
    figures = [draw(moment) for moment in moments]
    source = base64.b64encode(gif(figures, seconds, last)).decode("ascii")
    words, width = html.escape(alt, quote=True), round(figures[0].get_figwidth() * page.SHOWN_PER_INCH)
    image = f'<img src="data:image/gif;base64,{source}" alt="{words}" width="{width}" style="max-width:100%">'
    summary = f"<summary>A moving picture, {len(figures)} frames. Fold it to stop it.</summary>"
    text = f"[moving picture, {len(figures)} frames: {alt}]"
    page.display_piece(page.Page(f"<details open>{summary}{image}</details>", text))


def gif(figures: Sequence[Figure], seconds: float, last: float) -> bytes:
    """Return the figures as an animated GIF that starts over without end."""
    from PIL import Image

    frames = []
    for figure in figures:
        data = io.BytesIO()
        figure.savefig(data, format="png", dpi=PIXELS_PER_INCH)
        page.close(figure)
        with Image.open(data) as image:
            frames.append(image.convert("RGB"))
    width, height = frames[0].size
    if any(frame.size != (width, height) for frame in frames):
        raise ValueError(f"play: the figures have the sizes {sorted({f.size for f in frames})}, wanted one size")
    strip = Image.new("RGB", (width, height * len(frames)))
    for k, frame in enumerate(frames):
        strip.paste(frame, (0, k * height))
    palette = strip.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    drawn = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    milliseconds = [*[round(1000 * seconds)] * (len(drawn) - 1), round(1000 * last)]
    data = io.BytesIO()
    drawn[0].save(data, format="gif", save_all=True, append_images=drawn[1:], duration=milliseconds, loop=0)
    return data.getvalue()
