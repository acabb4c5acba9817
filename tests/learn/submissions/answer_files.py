"""What the tests of submissions share: answers to one short exercise, and notebooks that hold them."""

from __future__ import annotations

import json
from pathlib import Path

from minicoord.learn.definition.course import get
from minicoord.learn.submissions.answer import verdict_on
from minicoord.learn.submissions.submission import read_submission

SOLVED = get("pixel_index").solution_text()
STUB = get("pixel_index").stub_text()
WRONG = "def pixel_index(x, y, height, width):\n    return y * height + x\n"

TAGS = ["exercise", "pixel_index"]


def notebook(*cells: tuple[str, list[str]]) -> str:
    """Return a notebook of code cells, each with its tags."""
    content = [{"cell_type": "markdown", "source": ["# Title"], "metadata": {}}]
    content += [
        {"cell_type": "code", "source": source.splitlines(keepends=True), "metadata": {"tags": tags}, "outputs": []}
        for source, tags in cells
    ]
    return json.dumps({"cells": content, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def outcome(path: Path) -> str:
    return verdict_on(read_submission(path).answers["pixel_index"]).outcome
