"""Markdown as HTML, by markdown-it, and as the blocks of which it consists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from markdown_it import MarkdownIt

LINK_TO_A_FILE = re.compile(r"(?<!!)\[([^\]]*)\]\((?![a-z]+:)[^)]*\)")
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')*]{0,3}\s+(?=[A-Z0-9*`\"(\[])")
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|vs|al|cf)\.$")


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable("table")


def as_html(text: str, *, links_to_files: bool = False) -> str:
    r"""Return Markdown as HTML.

    Parameters
    ----------
    text : str
    links_to_files : bool
        Whether links to other files stay links. If not, their words stay: the page may be read anywhere.

    Examples
    --------
    >>> as_html("**Why** is [it](a.md) so?")
    '<p><strong>Why</strong> is it so?</p>\n'
    """
    return _parser().render(text if links_to_files else LINK_TO_A_FILE.sub(r"\1", text))


def blocks_of(text: str) -> Iterator[str]:
    """Yield the blocks of a text: headings, paragraphs, lists, tables, code, and ``<details>`` as a whole."""
    block: list[str] = []
    inside = 0
    for line in [*text.split("\n"), ""]:
        inside += line.count("<details") - line.count("</details>")
        heading = line.startswith("#") and not inside
        if block and not inside and (not line.strip() or heading):
            yield "\n".join(block)
            block = []
        if line.strip() or inside:
            block.append(line)
        if heading:
            yield "\n".join(block)
            block = []
    if block:
        yield "\n".join(block)


def sentences_of(paragraph: str) -> list[str]:
    """Return the sentences of a paragraph; emphasis that spans several keeps them together.

    Examples
    --------
    >>> sentences_of("It is .5 here. **Two. Together.** The end.")
    ['It is .5 here.', '**Two. Together.**', 'The end.']
    """
    parts = SENTENCE_END.split(" ".join(paragraph.split()))
    ends = [found.group().rstrip() for found in SENTENCE_END.finditer(" ".join(paragraph.split()))] + [""]
    sentences: list[str] = []
    for part, end in zip(parts, ends, strict=True):
        part += end
        if sentences and (_is_open(sentences[-1]) or ABBREVIATION.search(sentences[-1])):
            sentences[-1] += f" {part}"
        else:
            sentences.append(part)
    return sentences


def _is_open(text: str) -> bool:
    return text.count("**") % 2 == 1 or text.count("`") % 2 == 1 or text.count("(") > text.count(")")


def lead(paragraph: str, characters: int = 230) -> str:
    """Return the first sentences of a paragraph, at least one, of not more than so many characters if possible."""
    found = ""
    for sentence in sentences_of(paragraph):
        if found and len(found) + len(sentence) > characters:
            break
        found = f"{found} {sentence}".strip()
    return found
