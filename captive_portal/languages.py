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


def preferred(accepted: LanguageAccept) -> str:
    """`en` only for who asks for English before Spanish; Spanish is the default of the place."""
    return accepted.best_match(LANGUAGES, default="es") or "es"
