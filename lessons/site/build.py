"""Build the site: the lessons, the results, the API and the playground, as pages that need no server.

    pip install -e ".[site]"
    python lessons/site/build.py               writes lessons/site/html; open index.html there
    python lessons/site/build.py --out DIR     writes DIR, which must be new, empty or an earlier site

Notebooks are shown as they are committed and never run. A warning of Sphinx, a link that leads nowhere, an image
without alt text, or anything loaded from elsewhere is an error; an earlier site then stays as it was.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

SITE = Path(__file__).resolve().parent
OUT = SITE / "html"
MARK = "objects.inv"  # which Sphinx writes into every site

sys.path[:0] = [str(SITE.parents[1])]  # the checkout's minicoord, also where another is installed


class SiteError(Exception):
    """Why the site was not built, in one sentence."""


def build(out: Path) -> None:
    """Build the site into a folder, and replace the site that is there.

    Raises
    ------
    SiteError
        If the folder holds something other than a site, Sphinx is missing or warns, or a check finds a fault.
    """
    if out.exists() and not (out.is_dir() and ((out / MARK).is_file() or not any(out.iterdir()))):
        raise SiteError(f"{out} is not a site, wanted a folder that is new, empty or an earlier site")
    try:
        from sphinx.cmd.build import build_main
    except ImportError:
        raise SiteError('Sphinx is missing; pip install -e ".[site]"') from None
    from api_pages import write_api
    from figure_pages import write_figures
    from playground_data import write_playground
    from site_checks import faults
    from staging import stage

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        pages, html = Path(folder) / "pages", Path(folder) / "html"
        pages.mkdir()
        stage(pages)
        write_api(pages / "api")
        write_figures(pages / "lessons" / "results")
        write_playground(pages / "_static" / "playground")
        places = ("-c", str(SITE), "-d", str(Path(folder) / "doctrees"), "-D", f"html_static_path={pages / '_static'}")
        options = ("-q", "-W", "--keep-going", "-j", "auto", *places)
        if build_main([*options, str(pages), str(html)]):
            raise SiteError("Sphinx warned; every warning above is an error")
        (html / ".nojekyll").touch()  # GitHub Pages would leave out the folders whose names begin with "_"
        found = faults(html)
        if found:
            raise SiteError("\n  ".join([f"{len(found)} faults in the built pages:", *found]))
        if out.exists():
            shutil.rmtree(out)
        shutil.move(html, out)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description="Build the site.")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="where to put it; %(default)s by default")
    out = parser.parse_args(arguments).out
    os.environ.setdefault("MPLBACKEND", "Agg")
    try:
        build(out)
    except SiteError as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    count, size = 0, 0
    for path in out.rglob("*"):
        count, size = count + (path.suffix == ".html"), size + path.stat().st_size
    print(f"{count} pages, {size / 1e6:.0f} MB; open {out / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
