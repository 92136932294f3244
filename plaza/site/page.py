"""`nuevo-sitio.html`: one file that makes plaza.toml in any browser, without a network and without us.

Made from the same keys that judge a file, so that page and node never disagree.
"""

from __future__ import annotations

import html
import json
from importlib.resources import files

from municipio.site_file.form import spec_document

PAGE_NAME = "nuevo-sitio.html"


def offline_page(version: str) -> str:
    """The whole page as text."""
    folder = files("plaza.site")
    parts = {
        "@STYLE@": folder.joinpath("nuevo-sitio.css").read_text("utf-8"),
        "@SPEC@": _script_safe(json.dumps(spec_document(), ensure_ascii=False)),
        "@SCRIPT@": folder.joinpath("nuevo-sitio.js").read_text("utf-8"),
        "@VERSION@": html.escape(version),
    }
    page = folder.joinpath(PAGE_NAME).read_text("utf-8")
    for mark, text in parts.items():
        page = page.replace(mark, text)
    return page


def read_me() -> bytes:
    """LEEME.txt as any Windows shows it right: with a mark and CRLF."""
    text = files("plaza.site").joinpath("LEEME.txt").read_text("utf-8")
    return b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()


def _script_safe(text: str) -> str:
    """Nothing in a JSON text may end the element that holds it."""
    return text.replace("<", "\\u003c")
