"""A page of Markdown as one self-contained HTML page that prints."""

from __future__ import annotations

import html
import re

from minicoord.learn.teaching.markdown import as_html
from minicoord.learn.teaching.notebooks import plain_words

STYLE = """
body { font: 15px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: #1b1b1b; background: #fff;
  max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; } h2 { font-size: 1.25rem; margin-top: 1.8rem; } h3 { font-size: 1.05rem; }
h1, h2, h3, h4 { break-after: avoid; } li, tr, pre, blockquote, details { break-inside: avoid; }
table { border-collapse: collapse; width: 100%; } th, td { border-bottom: 1px solid #c4c8cc; padding: .3rem .6rem;
  text-align: left; vertical-align: top; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .88em; }
pre { background: #f2f4f5; padding: .6rem .8rem; white-space: pre-wrap; }
blockquote { margin: .5rem 0; padding: .1rem 1rem; border-left: 4px solid #0072b2; background: #f5f8fb; }
a { color: #005a8c; }
@page { size: A4; margin: 15mm; }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 10.5pt; line-height: 1.38; }
  a { color: inherit; } }
"""
ONE_PAGE = """
@page { margin: 11mm 12mm; }
@media print { body { font-size: 8.6pt; line-height: 1.26; } h1 { font-size: 14pt; margin: 0 0 4pt; }
  h2 { font-size: 10.5pt; margin: 6pt 0 2pt; } p, ul, ol, table, pre { margin: 2pt 0; } th, td { padding: 1.5pt 5pt; }
  pre { padding: 3pt 6pt; } }
"""
LINK_TO_A_PAGE = re.compile(r"(\[[^\]]*\]\()([\w./-]+)\.md(#[\w-]*)?\)")


def print_page(markdown: str, *, on_one_page: bool = False) -> str:
    """Return a page of Markdown as an HTML page; links to other pages of Markdown lead to the pages made of these.

    Parameters
    ----------
    markdown : str
        It begins with a heading, which becomes the title.
    on_one_page : bool
        Whether it is set so small that a page and a half of Markdown prints on one sheet of A4.
    """
    title = html.escape(plain_words(next(iter(markdown.splitlines()), "").lstrip("# ")))
    body = as_html(LINK_TO_A_PAGE.sub(r"\1\2.html\3)", markdown), links_to_files=True)
    style = STYLE + (ONE_PAGE if on_one_page else "")
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{style}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
