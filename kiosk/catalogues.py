"""Reads the kiosk's and the rules' message catalogues; the only place of the kiosk that does."""

from __future__ import annotations

import gettext
from importlib.resources import files
from pathlib import Path

from kiosk.language import ENGLISH, SPANISH, Translate, Words

DOMAINS = (("kiosk", "kiosk"), ("municipio", "municipio"))
"""(package, domain) in the order in which a msgid is looked up."""


def load_words(codes: tuple[str, ...] = (SPANISH, ENGLISH)) -> Words:
    """`_` for every text of the kiosk, its papers and the rules. A missing catalogue is an OSError."""
    return Words({code: _load(code) for code in codes})


def _load(code: str) -> Translate:
    first: gettext.NullTranslations | None = None
    for package, domain in DOMAINS:
        folder = Path(str(files(package))) / "strings"
        found = gettext.translation(domain, folder, [code])
        if first is None:
            first = found
        else:
            first.add_fallback(found)
    assert first is not None
    return first.gettext
