"""The terms and the integral privacy notice, readable before anything is accepted, and off line."""

from __future__ import annotations

from itertools import groupby

from flask import Blueprint
from flask.typing import ResponseReturnValue

from captive_portal.views import LANG, page, ports, translator

legal = Blueprint("legal", __name__)


@legal.get(f"/{LANG}/terminos")
def terms(lang: str) -> ResponseReturnValue:
    return _text(lang, "body")


@legal.get(f"/{LANG}/privacidad")
def privacy(lang: str) -> ResponseReturnValue:
    return _text(lang, "notice_full")


def _text(lang: str, part: str) -> ResponseReturnValue:
    _ = translator()
    terms = ports().catalogue.terms(lang)
    if terms is None:
        title = _("Este texto no está disponible")
        return page("notice.html", 503, title=title, text=_("Sin términos no abrimos el internet."))
    title = terms.title if part == "body" else _("Aviso de privacidad integral")
    body = terms.body if part == "body" else terms.notice_full
    return page("legal.html", title=title, blocks=blocks(body), terms=terms)


def blocks(text: str) -> list[list[str]]:
    """Paragraphs and lists: lines that begin with `- ` and stand together are one list, others a text."""
    found: list[list[str]] = []
    for part in text.split("\n\n"):
        lines = part.strip().splitlines()
        found += [list(group) for _, group in groupby(lines, lambda line: line.startswith("- "))]
    return found
