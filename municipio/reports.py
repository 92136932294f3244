"""Citizen reports: the services of the city's attention system (SIAC) and what a filed report must hold.

The caller seals what is personal (phone, description) before it is queued; nothing here stores anything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from municipio.search import fold


def _(msgid: str) -> str:
    """Marks a message for extraction; whoever shows it translates it."""
    return msgid


class SiacState(StrEnum):
    """The four states of a petition in SIAC; values are what the city sends."""

    PENDIENTE = "pendiente"
    DESARROLLO = "desarrollo"
    ATENDIDO = "atendido"
    NO_PROCEDE = "no_procede"


STATE_LABELS: dict[SiacState, str] = {
    SiacState.PENDIENTE: _("Pendiente de atención"),
    SiacState.DESARROLLO: _("En desarrollo"),
    SiacState.ATENDIDO: _("Atendido"),
    SiacState.NO_PROCEDE: _("No procede"),
}
"""msgid of each state, as citizens read it."""

OPEN311_STATUS: dict[SiacState, str] = {
    SiacState.PENDIENTE: "open",
    SiacState.DESARROLLO: "open",
    SiacState.ATENDIDO: "closed",
    SiacState.NO_PROCEDE: "closed",
}
"""Open311 GeoReport v2 status of each state."""


@dataclass(frozen=True, slots=True)
class Service:
    """One kind of problem that the city attends. `icon` is a lucide icon name."""

    code: str
    name: str
    dependency: str
    keywords: tuple[str, ...]
    icon: str


@dataclass(frozen=True, slots=True)
class ReportDraft:
    """What a citizen typed; `check_report` trims it and leaves the phone as ten digits or empty."""

    service_code: str
    colonia: str
    street: str
    between_1: str = ""
    between_2: str = ""
    description: str = ""
    phone: str = ""
    phone_consent: bool = False
    colonia_listed: bool = True
    """Set by `check_report`: False when the colonia is free text that no list knows."""


@dataclass(frozen=True, slots=True)
class ReportProblem:
    """Why a draft cannot be filed: the `ReportDraft` field to go back to, and a msgid in Spanish."""

    field: str
    message_key: str


STREET_MAX = 120
COLONIA_MAX = 80
DESCRIPTION_MAX = 600
DESCRIPTION_MIN = 5

_CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")
_ICON = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SPACES = frozenset({"Cc", "Zl", "Zp"})
_DROPPED = frozenset({"Cf", "Cs", "Co", "Cn"})
"""Direction overrides, lone surrogates and private characters have no place on a paper or a wire."""
_COUNTRY_PREFIX = re.compile(r"^\+?(?:521|52)(?=[0-9]{10}$)")


def check_report(
    draft: ReportDraft, services: Sequence[Service], colonias: Sequence[str] = ()
) -> ReportDraft | ReportProblem:
    """Clean a draft or say what is wrong with the first field that is.

    With `colonias` given, a colonia of the list is spelled as the list spells it (accents and case do
    not matter) and any other is kept as free text with `colonia_listed` False.
    """
    clean = replace(
        draft,
        colonia=_tidy(draft.colonia),
        street=_tidy(draft.street),
        between_1=_tidy(draft.between_1),
        between_2=_tidy(draft.between_2),
        description=_tidy_lines(draft.description),
        phone=draft.phone.strip(),
    )
    problem = _first_problem(clean, services)
    if problem is not None:
        return problem
    listed = _listed(clean.colonia, colonias)
    return replace(
        clean,
        phone=mexican_phone(clean.phone) or "",
        phone_consent=bool(clean.phone) and clean.phone_consent,
        colonia=listed or clean.colonia,
        colonia_listed=listed is not None or not colonias,
    )


def _first_problem(draft: ReportDraft, services: Sequence[Service]) -> ReportProblem | None:
    known = any(s.code == draft.service_code for s in services)
    phone_ok = not draft.phone or mexican_phone(draft.phone) is not None
    rules: tuple[tuple[bool, str, str], ...] = (
        (known, "service_code", _("Elija qué desea reportar.")),
        (bool(draft.colonia), "colonia", _("Elija o escriba la colonia.")),
        (
            len(draft.colonia) <= COLONIA_MAX,
            "colonia",
            _("El nombre de la colonia es demasiado largo."),
        ),
        (bool(draft.street), "street", _("Escriba la calle donde está el problema.")),
        (
            len(draft.street) <= STREET_MAX,
            "street",
            _("El nombre de la calle es demasiado largo."),
        ),
        (
            len(draft.between_1) <= STREET_MAX,
            "between_1",
            _("El nombre de la calle es demasiado largo."),
        ),
        (
            len(draft.between_2) <= STREET_MAX,
            "between_2",
            _("El nombre de la calle es demasiado largo."),
        ),
        (
            len(draft.description) >= DESCRIPTION_MIN,
            "description",
            _("Cuéntenos con unas palabras qué sucede."),
        ),
        (
            len(draft.description) <= DESCRIPTION_MAX,
            "description",
            _("La descripción es demasiado larga; déjela en 600 letras."),
        ),
        (phone_ok, "phone", _("El teléfono debe tener diez dígitos.")),
        (
            not draft.phone or draft.phone_consent,
            "phone_consent",
            _("Para guardar su teléfono necesitamos su permiso. También puede dejarlo vacío."),
        ),
    )
    return next((ReportProblem(field, key) for ok, field, key in rules if not ok), None)


def mexican_phone(text: str) -> str | None:
    """Ten national digits from what people write (dashes, +52, the old 521); None when it is no phone.

    National numbers have ten digits since 3 Aug 2019 and none begins with 0 or 1.
    """
    digits = _COUNTRY_PREFIX.sub("", re.sub(r"[\s().-]", "", text))
    plain = len(digits) == 10 and digits.isascii() and digits.isdigit()
    return digits if plain and digits[0] not in "01" else None


def service_flaw(service: Service) -> str | None:
    """Why a service cannot be offered, as a short English reason; None when it can."""
    if not _CODE.fullmatch(service.code):
        return f"service code {service.code!r} is not a lower-case ASCII word"
    if not service.name.strip() or not service.dependency.strip():
        return f"service {service.code} has no name or no dependency"
    if not _ICON.fullmatch(service.icon):
        return f"service {service.code}: {service.icon!r} is not a lucide icon name"
    return None


def _tidy(text: str) -> str:
    """One line, single spaces, composed accents; no control, invisible or unpaired characters."""
    categories = ((c, unicodedata.category(c)) for c in text)
    visible = "".join(" " if k in _SPACES else c for c, k in categories if k not in _DROPPED)
    return " ".join(unicodedata.normalize("NFC", visible).split())


def _tidy_lines(text: str) -> str:
    lines = (_tidy(line) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _listed(colonia: str, colonias: Sequence[str]) -> str | None:
    wanted = _plain(colonia)
    return next((c for c in colonias if _plain(c) == wanted), None)


def _plain(text: str) -> str:
    return "".join(c for c in fold(text) if c.isalnum())
