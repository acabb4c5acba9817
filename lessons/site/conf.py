"""The configuration of Sphinx for the site; lessons/site/build.py starts it."""

from __future__ import annotations

import sys
from pathlib import Path

SITE = Path(__file__).resolve().parent
sys.path[:0] = [str(SITE), str(SITE.parents[1])]  # the extension beside this file, and the checkout, for autodoc

import minicoord  # noqa: E402

project = "minicoord"
author = "minicoord contributors"
version = release = minicoord.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "site_extension"]
root_doc = "index"
exclude_patterns = ["code/**/*.py"]
default_role = "py:obj"  # `Conv2D` in a docstring leads to Conv2D, and any other word is code

suppress_warnings = ["ref.python"]  # a word that is the name of several things leads to one of them

nb_execution_mode = "off"  # notebooks are shown as they are committed
nb_merge_streams = True
myst_enable_extensions = ["html_image", "dollarmath"]
myst_heading_anchors = 4

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 90
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_param = False  # "rows, columns : int" are two names, not a type and a name
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = "minicoord"
html_favicon = "pages/_static/icon.svg"
html_css_files = ["site.css"]
html_copy_source = False
html_show_search_summary = False  # it would fetch pages, which a browser refuses where the site was opened from a file
html_show_sourcelink = False
html_show_sphinx = False
html_math_renderer = "mathml"
html_theme_options = {
    "logo": {"text": "minicoord"},
    "header_links_before_dropdown": 7,
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "primary_sidebar_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "navigation_with_keys": False,
    "show_toc_level": 2,
}
html_context = {"default_mode": "auto"}
html_sidebars = {"index": [], "playground": []}
copyright = "minicoord contributors, MIT licence"
