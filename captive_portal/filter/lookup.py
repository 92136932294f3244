"""Why a name does not resolve here: what a block page and a technician ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from captive_portal.filter.policy import Category


@dataclass(frozen=True, slots=True)
class Blocked:
    """`category` is the gravest of those that apply; None when the site itself names it.

    `since` is the date of the list that first held it; None when nobody knows.
    """

    category: Category | None
    since: date | None
    name: str
    """The listed name: the one asked for or a parent of it."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Nothing of the lists or of the site forbids the name."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No list can be read: only the walled garden resolves. `detail` is for the technician."""

    detail: str


Answer = Blocked | Allowed | Unreadable
