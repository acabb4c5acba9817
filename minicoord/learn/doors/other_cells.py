"""What an answer in a notebook takes from other cells, where it would be missing when the cell runs on its own."""

from __future__ import annotations

import linecache
import os
from typing import Any

from minicoord.learn.submissions.cells import without_jupyter
from minicoord.learn.submissions.free_names import free_names, imports_of


def names_of_other_cells(function: Any) -> list[str]:
    """Return the names that the cell of a function uses, that other cells define, and not by an import statement.

    Outside of Jupyter, which keeps the text of its cells, there are none.
    """
    file = getattr(getattr(function, "__code__", None), "co_filename", "")
    variables = getattr(function, "__globals__", {})
    cells = variables.get("In")
    if not isinstance(cells, list) or os.path.exists(file):
        return []
    names = free_names(without_jupyter("".join(linecache.getlines(file)))) & set(variables)
    sources = [without_jupyter(cell) for cell in cells if isinstance(cell, str)]
    return sorted(name for name in names if not imports_of({name}, sources))
