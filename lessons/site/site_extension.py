"""What the site adds to Sphinx: formulas as MathML, and docstrings as they are meant.

MathML is drawn by every browser without a script or a font from elsewhere. And the docstrings of minicoord are written
for a reader of code: a drawing is an indented block, a star is a star. `as_meant` says so to Sphinx.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

KEPT = re.compile(r"``.+?``|`[^`]+`(?:__?)?|\*\*?\w(?:[^*]*?[^*\s])?\*\*?(?!\w)", re.DOTALL)
"""Inline markup: literals, names, and words with emphasis."""


def as_meant(lines: list[str], is_module: bool) -> list[str]:
    """Return a docstring as reStructuredText that shows what its author sees.

    Stars and bars that are no markup are escaped. In the docstring of a module an indented paragraph is a drawing or a
    formula, so it becomes a literal block.

    Parameters
    ----------
    lines : list of str
        The docstring, without the indentation of the code around it.
    is_module : bool
        Whether it is that of a module, which has no sections whose text is indented.
    """
    found: list[str] = []
    literal = False  # whether the paragraph before announced, or was, a literal block
    for paragraph in _paragraphs(lines):
        indented = paragraph[0].startswith("  ")
        if indented and is_module and not literal:
            found += ["::", ""]
            literal = True
        literal = literal and indented
        plain = literal or paragraph[0].lstrip().startswith(">>>")
        found += [*(paragraph if plain else _escaped(paragraph)), ""]
        literal = literal or paragraph[-1].endswith("::")
    return found


def _paragraphs(lines: list[str]) -> list[list[str]]:
    text = "\n".join(lines).strip("\n")
    return [part.split("\n") for part in re.split(r"\n\s*\n", text) if part.strip()]


def _escaped(paragraph: list[str]) -> list[str]:
    text, end, parts = "\n".join(paragraph), 0, []
    for match in KEPT.finditer(text):
        parts += [_stars(text[end : match.start()]), re.sub(r"^`` +| +``$", "``", match[0])]
        end = match.end()
    return "".join([*parts, _stars(text[end:])]).split("\n")


def _stars(text: str) -> str:
    return re.sub(r"(?<!\\)[*|]", r"\\\g<0>", text)


def _docstring(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    lines[:] = as_meant(lines, what == "module")


def _skip(app: Sphinx, what: str, name: str, thing: object, skip: bool, options: object) -> bool | None:
    """Leave out what a class inherits from another package: its docstring is written for that package's pages."""
    module = getattr(thing, "__module__", None) or "minicoord"
    return True if what == "class" and not module.startswith("minicoord") else None


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _block(self: Any, node: nodes.math_block) -> None:
    self.body.append(tex2mathml(node.astext(), as_block=True))
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer of formulas, and what is done to docstrings before napoleon reads them."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("autodoc-process-docstring", _docstring, priority=400)
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
