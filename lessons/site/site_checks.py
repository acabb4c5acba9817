"""What must hold for every page of the built site.

Links and images lead somewhere, also to a place within a page; every image has an alt text; every address is relative,
so that the site works from a file and under a sub-path; nothing is loaded from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = dict.fromkeys(("img", "script", "iframe", "source", "video", "audio", "embed"), "src") | {"object": "data"}
NOT_LOADED = {"canonical", "next", "prev", "search", "index", "author", "license"}  # kinds of <link> that only name
ELSEWHERE = re.compile(r"(?:@import\s+|url\()\s*[\"']?((?:https?:)?//[^\"')\s]+)")


class Page(HTMLParser):
    """What a page loads, links to, shows and can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.without_alt: list[str] = []
        self.ids: set[str] = set()
        self.elsewhere = ELSEWHERE.findall(" ".join(re.findall(r"<style.*?</style>|style=\"[^\"]*\"", text, re.DOTALL)))
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag in LOADED and LOADED[tag] in found:
            self.loads.append(found[LOADED[tag]])
        elif tag == "link" and not NOT_LOADED & set(found.get("rel", "").split()):
            self.loads.append(found.get("href", ""))
        elif tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "img" and not found.get("alt", "").strip():
            self.without_alt.append(found.get("src", "")[:80])


def faults(site: Path) -> list[str]:
    """Return in words what is wrong with the pages and style sheets of a built site; nothing if all is well."""
    site = site.resolve()
    files = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]  # there lie templates
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in files}
    found = [f"there is no page in {site}"] if not pages else []
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        found += [f"{name}: {fault}" for fault in _faults_of(path, page, pages, site)]
    for path in sorted(site.rglob("*.css")):
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(site).as_posix()}: loads {a}" for a in ELSEWHERE.findall(text)]
    return found


def _faults_of(path: Path, page: Page, pages: dict[Path, Page], site: Path) -> Iterator[str]:
    for address in page.elsewhere:
        yield f"loads {address}"
    for source in page.without_alt:
        yield f"the image {source} has no alt text"
    for address in page.loads:
        if not address.startswith("data:"):
            if urlsplit(address).scheme or address.startswith("//"):
                yield f"loads {address}"
            else:
                yield from _broken(path, address, pages, site)
    for address in dict.fromkeys(page.links):
        if not urlsplit(address).scheme and not address.startswith("//"):
            yield from _broken(path, address, pages, site)


def _broken(path: Path, address: str, pages: dict[Path, Page], site: Path) -> Iterator[str]:
    """Yield what is wrong with an address within the site."""
    parts = urlsplit(address)
    if parts.path.startswith("/"):
        yield f"{address} is not relative, and wrong under a sub-path"
        return
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if site not in target.parents or not target.is_file():
        yield f"{address} leads nowhere"
    elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
        yield f"{address} leads to no place in its page"
