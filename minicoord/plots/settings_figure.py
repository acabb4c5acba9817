"""The paper's Figure S2, as far as runs are recorded: which settings of classification do well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from minicoord.plots.inputs import check_results
from minicoord.plots.over_time import MANY, Result, final, marker_of
from minicoord.plots.paper_values import CONV_ACCURACY_UNIFORM
from minicoord.plots.style import REFERENCE_LINE, model_colours, model_name, new_figure, order_models, styled
from minicoord.system.argument_types import check_types
from minicoord.system.counting import counted

NAMES = {
    "c": "channel factor c",
    "fs": "filter size fs",
    "lr": "learning rate",
    "l2": "L2 penalty",
    "batch_size": "batch size",
    "epochs": "epochs",
    "schedule": "schedule",
    "init_scale": "scale of the initial weights",
}
APART = 0.16  # the splits stand this far to each side of a value


@styled
@check_types
def settings_figure(results: Sequence[Result]) -> Figure:
    """Draw the test accuracy of each run at its value of each setting: a row per model, a panel per setting.

    Parameters
    ----------
    results : list of dict
        Each with "model", "variant", "settings" and "metrics" ("test_accuracy", a share from 0 to 1).

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each setting that has two values or more for one model on one split. Short bars are medians. Runs
        that differ in several settings appear in several panels.

    Raises
    ------
    ValueError
        If no setting has two values.
    """
    check_results("settings_figure", results, metrics=True, settings=True)
    models = order_models(r["model"] for r in results)
    varied = {model: _varied([r for r in results if r["model"] == model]) for model in models}
    models = [model for model in models if varied[model]]
    if not models:
        raise ValueError(f"settings_figure: {len(results)} results were given, wanted two that differ in a setting")
    columns = max(len(varied[model]) for model in models)
    splits = list(dict.fromkeys(r["variant"] for r in results))
    colours = model_colours(models)
    figure = new_figure(max(1.2 + 2.4 * columns, 6.4), 0.6 + 2.7 * len(models))
    panels = figure.subplots(len(models), columns, squeeze=False, sharey=True)
    for row, model in enumerate(models):
        some = [r for r in results if r["model"] == model]
        for ax, key in zip(panels[row], varied[model], strict=False):
            _draw(ax, some, key, splits, colours[model])
            if model == "conv":
                ax.axhline(CONV_ACCURACY_UNIFORM, **REFERENCE_LINE)
        for ax in panels[row, len(varied[model]) :]:
            ax.set_axis_off()
        panels[row, 0].set(ylabel="test accuracy (%)", ylim=(-5, 105), yticks=range(0, 101, 25))
        panels[row, 0].set_title(f"{model_name(model)}, {counted(len(some), 'run')}", loc="left", fontweight="bold")
    handles = [
        Line2D([], [], color="black", marker=marker_of(s), markerfacecolor="none", linestyle="", label=f"{s} split")
        for s in splits
    ]
    if "conv" in models:
        label = f"paper, best convolution, uniform: {CONV_ACCURACY_UNIFORM} %"
        handles.append(Line2D([], [], label=label, **REFERENCE_LINE))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _varied(results: Sequence[Result]) -> list[str]:
    """Return the settings that have two values or more on one split."""
    splits = {r["variant"] for r in results}
    values = {key: [{r["settings"].get(key) for r in results if r["variant"] == s} for s in splits] for key in NAMES}
    return [key for key, of_splits in values.items() if max(map(len, of_splits), default=0) > 1]


def _draw(ax: Axes, results: Sequence[Result], key: str, splits: list[str], colour: str) -> None:
    values = sorted({r["settings"].get(key) for r in results}, key=lambda value: (isinstance(value, str), value))
    for k, split in enumerate(splits):
        shift = APART * (2 * k - len(splits) + 1)
        for place, value in enumerate(values):
            some = [r for r in results if r["variant"] == split and r["settings"].get(key) == value]
            ends = [100 * final(r, "test_accuracy") for r in some]
            x = place + shift
            faint = 1.0 if len(ends) < MANY else 0.35
            look: dict[str, Any] = {
                "marker": marker_of(split),
                "markersize": 6,
                "markerfacecolor": "none",
                "linestyle": "",
            }
            ax.plot([x] * len(ends), ends, color=colour, alpha=faint, **look)
            if len(ends) > 1:
                ax.plot([x - 0.12, x + 0.12], [np.nanmedian(ends)] * 2, color="0.7", linewidth=3, zorder=1)
    ax.set(xlim=(-0.6, len(values) - 0.4), xticks=range(len(values)), xlabel=NAMES[key])
    ax.set_xticklabels([f"{value:g}" if isinstance(value, float) else str(value) for value in values])
