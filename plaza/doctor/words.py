"""The doctor's sentences in the languages that it speaks; the catalogues are read here alone."""

from __future__ import annotations

import gettext
from importlib.resources import files
from pathlib import Path

from plaza.doctor.finding import Gettext

SPANISH, ENGLISH = "es_MX", "en"
LANGUAGES = (SPANISH, ENGLISH)


def words(code: str = SPANISH) -> Gettext:
    """Texts of `plaza`, and those that `municipio` has for devices. A missing catalogue is an OSError."""
    own = gettext.translation("plaza", Path(str(files("plaza"))) / "strings", [code])
    own.add_fallback(
        gettext.translation("municipio", Path(str(files("municipio"))) / "strings", [code])
    )
    return own.gettext
