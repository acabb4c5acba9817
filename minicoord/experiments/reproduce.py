"""What was recorded of the paper's experiments, beside what the paper reports: one table, and one run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from minicoord import experiments
from minicoord.experiments.kept_runs import Record, load_records
from minicoord.experiments.supervised import Preset

__all__ = ["Record", "grouped", "load_records", "markdown", "rerun", "table"]


def grouped(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Return the records of each setting, whatever the seed, under a name for it.

    The name is ``experiment/preset/model-split``; where settings differ within it, what differs from the first comes
    behind.

    Examples
    --------
    >>> settings = {"epochs": 6, "lr": 0.01}
    >>> first = {"experiment": "classification", "preset": "quick", "model": "conv", "split": "uniform"}
    >>> names = grouped([{**first, "settings": settings}, {**first, "settings": {**settings, "lr": 0.1}}])
    >>> list(names)
    ['classification/quick/conv-uniform', 'classification/quick/conv-uniform-lr=0.1']
    """
    groups: dict[str, list[Record]] = {}
    firsts: dict[str, Mapping[str, Any]] = {}
    for record in records:
        name = f"{record['experiment']}/{record['preset']}/{record['model']}-{record['split']}"
        if record.get("raw_input"):
            name += "-raw"
        settings = record["settings"]
        first = firsts.setdefault(name, settings)
        name += "".join(f"-{key}={settings[key]}" for key in sorted(settings) if settings[key] != first.get(key))
        groups.setdefault(name, []).append(record)
    return groups


def table(records: Sequence[Record]) -> list[dict[str, str]]:
    """Return one row for each setting: its name, paper against recorded, how many seeds, and the command behind it."""
    rows = []
    for name, some in grouped(records).items():
        (summary,) = experiments.get(some[0]["experiment"]).summary_table(list(map(dict, some)))
        tested = next(key for key in summary if key.startswith("test "))
        measured, _, paper = summary[tested].partition("\npaper: ")
        commands = list(dict.fromkeys(str(r["command"]) for r in some))
        others = f" (and {len(commands) - 1} more)" if len(commands) > 1 else ""
        rows.append(
            {
                "run": name,
                "measure": tested,
                "paper": paper or "-",
                "recorded": measured,
                "solved": f"{sum(bool(r['solved']) for r in some)} of {len(some)} seeds",
                "command": commands[0] + others,
                "commit": str(some[0]["commit"])[:7],
            }
        )
    return rows


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """Return a table of rows in Markdown.

    Examples
    --------
    >>> print(markdown([{"run": "a", "paper": "86 %"}]))
    | run | paper |
    |---|---|
    | a | 86 % |
    """
    if not rows:
        return ""
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns), *([row[c] for c in columns] for row in rows)]
    return "\n".join(f"|{'|'.join(line)}|" if line[0] == "---" else f"| {' | '.join(line)} |" for line in lines)


def rerun(name: str, records: Sequence[Record], out: Path) -> list[dict[str, str]]:
    """Run the first seed of a setting again, and return each metric recorded and now.

    Raises
    ------
    ValueError
        If no record has that name; the message offers the nearest.
    """
    groups = grouped(records)
    if name not in groups:
        raise ValueError(f"there is no record {name!r}; {experiments.suggestion(name, groups)}")
    record = groups[name][0]
    known = {field.name for field in fields(Preset)}
    changes = {key: value for key, value in record["settings"].items() if key in known}
    now = experiments.get(record["experiment"]).run(
        record["model"],
        record["split"],
        preset=record["preset"],
        seed=record["seed"],
        out=out,
        raw_input=bool(record.get("raw_input")),
        **changes,
    )
    metrics = record["metrics"]
    return [{"metric": key, "recorded": f"{metrics[key]:.6g}", "now": f"{now['metrics'][key]:.6g}"} for key in metrics]
