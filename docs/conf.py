"""How Sphinx builds these pages: without network, formulas as MathML, nothing loaded from elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from peakwise import __version__

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

project = "peakwise"
copyright = "the peakwise developers"  # noqa: A001 - Sphinx's name
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "conftest.py"]
# A name in single backticks, as numpydoc writes it, is shown as code.
default_role = "code"

autodoc_typehints = "none"  # the docstrings say the types, in words
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
napoleon_google_docstring = False
napoleon_use_param = False  # else "shape" in "array of shape (n, m)" becomes a link to Patterns.shape
napoleon_use_rtype = False
napoleon_use_ivar = True
add_module_names = False

html_theme = "pydata_sphinx_theme"
html_title = "peakwise"
html_static_path = ["_static"]
html_css_files = ["peakwise.css"]
html_show_sourcelink = False
html_math_renderer = "mathml"
html_theme_options = {
    "show_prev_next": False,
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "pygments_light_style": "tango",
}


# Imported where they are used: the tests import this file, and need not have what builds the pages.


def _inline(writer: HTML5Translator, node: nodes.math) -> None:
    _formula(writer, node, "{}", as_block=False)


def _block(writer: HTML5Translator, node: nodes.math_block) -> None:
    _formula(writer, node, '<div class="formula">{}</div>', as_block=True)


def _formula(writer: HTML5Translator, node: nodes.TextElement, frame: str, *, as_block: bool) -> None:
    from docutils.nodes import SkipNode
    from docutils.utils.math.latex2mathml import tex2mathml

    writer.body.append(frame.format(tex2mathml(node.astext(), as_block=as_block)))
    raise SkipNode


def _without_last_blank_line(_app: Sphinx, _name: str, source: list[str]) -> None:
    """The blank line before a closing fence is for doctest, which would take the fence as output."""
    source[0] = source[0].replace("\n\n```\n", "\n```\n")


def _initials(_app: Sphinx, _what: str, _name: str, _obj: object, _options: object, lines: list[str]) -> None:
    """A line that begins with "H. Wang" is no list of items A., B., C."""
    lines[:] = [re.sub(r"^(\s*)([A-Z])\. ", r"\1\\\2. ", line) for line in lines]


def setup(app: Sphinx) -> None:
    """MathJax would be fetched from a server; browsers draw MathML by themselves."""
    app.connect("source-read", _without_last_blank_line)
    app.connect("autodoc-process-docstring", _initials)
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
