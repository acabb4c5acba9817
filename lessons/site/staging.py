"""The folder that Sphinx reads: the pages of the repository, copied, with what only the site needs.

Pages keep their place, so that their links to each other lead where they did. Links to Python files lead to a page that
shows the file; a link to a folder leads to its README, or becomes plain text.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

SITE = Path(__file__).resolve().parent
ROOT = SITE.parents[1]

COPIED = (
    *("*.md", "LICENSE", "CITATION.cff"),
    *("lessons/*.md", "lessons/[0-9]*.ipynb", "lessons/results/*", "lessons/teaching/**/*", "lessons/site/*.md"),
    "minicoord/**/*.md",
)
"""What is copied, as patterns below the root; notebooks as they are committed."""

BELOW = {
    "README.md": (),
    "CONTRIBUTING.md": ("/README", "/CHANGELOG", "/SECURITY", "/lessons/site/README", "/minicoord/**/*", "/code/**"),
    "lessons/README.md": ("[0-9]*",),
    "lessons/TEACHING.md": ("teaching/**",),
    "lessons/results/README.md": ("figures",),
}
"""The pages that the navigation shows below a page, as patterns."""

FENCE = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def stage(folder: Path) -> None:
    """Copy everything that the site is made of into an empty folder, links as the site needs them."""
    for pattern in COPIED:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file():
                _copy(path, folder / path.relative_to(ROOT))
    shutil.copytree(SITE / "pages", folder, dirs_exist_ok=True)
    shutil.copytree(SITE / "playground", folder / "_static" / "playground")
    shown: set[str] = set()
    for page in sorted(folder.rglob("*.md")):
        where = page.relative_to(folder).as_posix()
        text = relinked(page.read_text(encoding="utf-8"), where, shown.add)
        page.write_text(text + _navigation(where, folder), encoding="utf-8")
    for path in sorted(shown):
        write_code_page(folder, path)


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, target)


def relinked(text: str, where: str, show: Callable[[str], object]) -> str:
    """Return a page with its links as the site needs them; code blocks stay as they are.

    Parameters
    ----------
    text : str
        Markdown.
    where : str
        The path of the page below the root.
    show : callable
        Gets the path below the root of each Python file that is linked to.
    """
    here = PurePosixPath(where).parent

    def relink(match: re.Match[str]) -> str:
        words, link, anchor = match[1], match[2], match[3] or ""
        if re.match(r"[a-z]+:", link):
            return match[0]
        path = os.path.normpath(here / link).replace(os.sep, "/")
        if (ROOT / path).is_dir():
            inside = f"{path}/README.md"
            return f"[{words}]({_relative(inside, here)})" if (ROOT / inside).is_file() else words
        if path.endswith(".py") and (ROOT / path).is_file():
            show(path)
            return f"[{words}]({_relative(code_page(path), here)}{anchor})"
        return match[0]

    parts = FENCE.split(text)
    return "".join(part if FENCE.fullmatch(part) else LINK.sub(relink, part) for part in parts)


def _relative(path: str, here: PurePosixPath) -> str:
    return os.path.relpath(path, here).replace(os.sep, "/")


def code_page(path: str) -> str:
    """Return the page that shows a Python file: ``code/minicoord/nn/model.md`` for ``minicoord/nn/model.py``."""
    return f"code/{path.removesuffix('.py')}.md"


def write_code_page(folder: Path, path: str) -> None:
    """Copy a Python file, and write the page that shows it."""
    _copy(ROOT / path, folder / "code" / path)
    lines = (
        f"# {path}",
        "",
        f"```{{literalinclude}} {PurePosixPath(path).name}",
        ":language: python",
        ":linenos:",
        "```",
        "",
    )
    (folder / code_page(path)).write_text("\n".join(lines), encoding="utf-8")


def _navigation(where: str, folder: Path) -> str:
    """Return a hidden table of contents for the pages below this one, or nothing."""
    entries = BELOW.get(where, ())
    if "teaching/**" in entries and not (folder / "lessons" / "teaching").is_dir():
        return ""
    return toctree(entries) if entries else ""


def toctree(entries: tuple[str, ...] | list[str]) -> str:
    """Return a hidden table of contents in MyST; an entry may be a pattern."""
    return "\n".join(["", "```{toctree}", ":hidden:", ":glob:", "", *entries, "```", ""])
