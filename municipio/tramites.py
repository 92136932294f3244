"""Trámites: what a citizen must bring, pay and wait for, as plain values.

The fields follow the national and municipal catalogue sheets (homoclave, requirements with originals
and copies, cost, time, validity, place, legal basis, documents obtained) and the duty of the Ley
Nacional para Eliminar Trámites Burocráticos to mark what the government already holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from municipio.money import format_mxn

CHANNELS: tuple[str, ...] = ("kiosco", "ventanilla", "en_linea")
"""Where a trámite can be started: this kiosk, a staffed window, or a web page."""

_HOMOCLAVE = re.compile(r"[A-Z]{3}-[TS]-[A-Z0-9]{2,8}-[A-Z0-9]{2,8}-[1-9][0-9]{0,4}")
_ICON = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_KEY = re.compile(r"[a-z][a-z0-9_]*")


class CostKind(StrEnum):
    NONE = "none"
    FIXED = "fixed"
    UMA = "uma"
    VARIABLE = "variable"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing to bring. `originals` and `copies` count sets; both 0 means "show or say it"."""

    name: str
    originals: int
    copies: int
    note: str = ""
    held_by_government: bool = False
    """True when the city itself issued it and may not ask for it again."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What it costs. `uma` is a decimal text ("3.5"); then `amount_centavos` is its value, 0 if unknown."""

    kind: CostKind
    amount_centavos: int = 0
    uma: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Tramite:
    """The whole card of one trámite. `id` is its homoclave, `CITY-T-DEPENDENCY-UNIT-n` in ASCII."""

    id: str
    name: str
    dependency: str
    unit: str
    category: str
    """Id of a life-event `Category`."""
    description: str
    cases: str
    """In which cases it must or may be done."""
    requirements: tuple[Requirement, ...]
    cost: Cost
    time_text: str
    time_days: int | None
    """Business days; 0 = at once; None = the law's default of 10 business days applies."""
    validity: str
    hours: str
    place: str
    phone: str
    legal_basis: tuple[str, ...]
    obtains: tuple[str, ...]
    """Documents that the citizen walks away with."""
    channels: tuple[str, ...]
    online_url: str = ""
    synonyms: tuple[str, ...] = ()
    """The words citizens use for it; search knows them, screens do not show them."""
    consulted: int = 0
    """How often it was consulted in the city's last count."""


@dataclass(frozen=True, slots=True)
class Category:
    """A life event that groups trámites. `icon` is a lucide icon name."""

    id: str
    name: str
    icon: str


CATEGORY_COUNT = 7
"""The catalogue shows exactly seven doors; more would need a scroll."""


def cost_label(cost: Cost, _: Callable[[str], str]) -> str:
    """The few words beside a name: `Sin costo`, `$ 354.00`, `3.5 UMA ($ 410.59)`, `Puede tener un costo`."""
    match cost.kind:
        case CostKind.NONE:
            return _("Sin costo")
        case CostKind.FIXED:
            return format_mxn(cost.amount_centavos)
        case CostKind.UMA:
            label = f"{cost.uma} UMA"
            return (
                f"{label} ({format_mxn(cost.amount_centavos)})" if cost.amount_centavos else label
            )
        case CostKind.VARIABLE:
            return _("Puede tener un costo")


def copies_label(requirement: Requirement, _: Callable[[str], str]) -> str:
    """How many of a paper to bring: `1 original, 2 copias`; empty for one that is only shown or said."""
    counts = (
        (_("1 original"), _("{n} originales"), requirement.originals),
        (_("1 copia"), _("{n} copias"), requirement.copies),
    )
    return ", ".join(one if n == 1 else many.format(n=n) for one, many, n in counts if n)


def category_flaw(category: Category) -> str | None:
    """Why a category cannot be shown, as a short English reason for technicians; None when it can."""
    if not _KEY.fullmatch(category.id):
        return f"category id {category.id!r} is not a lower-case ASCII word"
    if not category.name.strip():
        return f"category {category.id} has no name"
    if not _ICON.fullmatch(category.icon):
        return f"category {category.id}: {category.icon!r} is not a lucide icon name"
    return None


def tramite_flaw(tramite: Tramite, category_ids: frozenset[str]) -> str | None:
    """Why a card cannot be published, as a short English reason for technicians; None when it can."""
    if not _HOMOCLAVE.fullmatch(tramite.id):
        return f"{tramite.id!r} is not a homoclave such as COA-T-TES-ING-1"
    checks: tuple[tuple[bool, str], ...] = (
        (not tramite.name.strip(), "it has no name"),
        (not tramite.dependency.strip(), "it has no dependency"),
        (tramite.category not in category_ids, f"unknown category {tramite.category!r}"),
        (any(c not in CHANNELS for c in tramite.channels), "unknown channel"),
        (not tramite.channels, "no channel: nobody could do it"),
        (any(not r.name.strip() for r in tramite.requirements), "a requirement has no name"),
        (any(r.originals < 0 or r.copies < 0 for r in tramite.requirements), "negative copies"),
        (tramite.time_days is not None and tramite.time_days < 0, "negative time"),
        (tramite.consulted < 0, "negative count of consultations"),
        (not tramite.legal_basis, "no legal basis (not even the one to be confirmed)"),
        (
            bool(tramite.online_url) and not tramite.online_url.startswith("https://"),
            "online_url is not https",
        ),
    )
    reason = next((text for broken, text in checks if broken), None) or _cost_flaw(tramite.cost)
    return None if reason is None else f"{tramite.id}: {reason}"


def _cost_flaw(cost: Cost) -> str | None:
    if cost.amount_centavos < 0:
        return "negative cost"
    if cost.kind is CostKind.FIXED and cost.amount_centavos == 0:
        return "a fixed cost needs amount_centavos"
    if cost.kind is CostKind.UMA:
        try:
            positive = Decimal(cost.uma) > 0
        except InvalidOperation:
            positive = False
        return None if positive else f"{cost.uma!r} is not a number of UMA"
    return f"{cost.kind.value} has no UMA" if cost.uma else None
