"""The page with all figures that are drawn from the records, as ``minicoord figures`` draws them."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.figure import Figure

from minicoord.experiments.records.figures import MissingRecordsError, RecordFigure, all_figures
from minicoord.experiments.records.reading import KeptRuns
from minicoord.plots import save_figure
from minicoord.system.paths import lessons_folder

HEAD = """# All figures

The figures of the paper, of its authors' blog, and ours, as `minicoord figures` draws them from the records. Below each
stand the runs that it shows. "figure" and a number is a figure of the paper, "blog" one of its authors' blog.

"""


def write_figures(folder: Path) -> list[str]:
    """Draw every figure into ``folder/figures`` and write ``folder/figures.md``; return the names of those drawn."""
    kept = KeptRuns(lessons_folder() / "results")
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    drawn, parts = [], [HEAD]
    for name, figure in all_figures().items():
        try:
            parts.append(section(name, figure, kept, folder))
            drawn.append(name)
        except MissingRecordsError as error:
            parts.append(f"## {name}\n\n{_sentence(figure.line)}\n\nNot drawn: {error}.\n")
    (folder / "figures.md").write_text("\n".join(parts), encoding="utf-8")
    return drawn


def section(name: str, figure: RecordFigure, kept: KeptRuns, folder: Path) -> str:
    """Draw a figure, and return its part of the page."""
    drawn = figure.draw(kept)
    alt = words_of(figure, drawn.figure)
    path = save_figure(drawn.figure, folder / "figures" / f"{name}.png")
    image = [
        "```{image} " + f"figures/{path.name}",
        f":alt: {json.dumps(alt, ensure_ascii=False)}",
        ":width: 100%",
        "```",
    ]
    return "\n".join([f"## {name}", "", _sentence(figure.line), "", *image, "", f"*Drawn from: {drawn.source}.*", ""])


def words_of(figure: RecordFigure, drawn: Figure) -> str:
    """Return what a figure shows, for those who cannot see it: its label, or else its line and the titles in it."""
    label = " ".join(str(drawn.get_label()).split())
    if label:
        return label
    titles = dict.fromkeys(" ".join(ax.get_title().split()) for ax in drawn.axes)
    panels = "; ".join(title for title in titles if title)
    return f"{_sentence(figure.line)} Panels: {panels}." if panels else _sentence(figure.line)


def _sentence(line: str) -> str:
    return f"{line[:1].upper()}{line[1:]}."
