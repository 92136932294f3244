"""Which language to speak: the address says it (`/es/`, `/en/`), otherwise the browser's preference."""

from __future__ import annotations

import gettext
from pathlib import Path

from werkzeug.datastructures import LanguageAccept

import municipio
from captive_portal.ports import LANGUAGES, Translate

_LOCALES = {"es": "es_MX", "en": "en"}


def load_translations() -> dict[str, Translate]:
    """The portal's catalogues, one function per language; the city's own words come from `municipio`.

    Raises OSError when the portal's catalogue of a language is missing.
    """
    return {language: _load(locale).gettext for language, locale in _LOCALES.items()}


def _load(locale: str) -> gettext.NullTranslations:
    room = Path(__file__).parent
    words = gettext.translation(
        "captive_portal", localedir=str(room / "strings"), languages=[locale]
    )
    city = Path(municipio.__file__).parent / "strings"
    words.add_fallback(
        gettext.translation("municipio", localedir=str(city), languages=[locale], fallback=True)
    )
    return words


def preferred(accepted: LanguageAccept, spoken: tuple[str, ...] = LANGUAGES) -> str:
    """The first of the site's languages unless the browser asks for another one of them before it."""
    return accepted.best_match(spoken, default=spoken[0]) or spoken[0]
