"""Sections of a site's file: each key is known and its value judged, or the problem says which and why."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

_T = TypeVar("_T")
Check = Callable[[Any], Any]
"""Makes a value of what the file says; ValueError says why not."""


@dataclass(frozen=True, slots=True)
class SectionProblem:
    """Why a section cannot be used. `key` is below the section, such as `hours.adult` of `[filter]`."""

    key: str
    message: str
    nearest: str = ""


class Wrong(Exception):
    """Unwinds a parse; becomes a problem before anybody outside sees it."""

    def __init__(self, key: str, message: str, nearest: str = "") -> None:
        super().__init__(message)
        self.problem = SectionProblem(key, message, nearest)


def fields(
    doc: Mapping[str, object], known: Mapping[str, Check], section: str, under: str = ""
) -> dict[str, Any]:
    """Every value of a table, judged. `under` is the table's place below the section, such as `staff.`.

    Raises Wrong.
    """
    found: dict[str, Any] = {}
    for key, value in doc.items():
        check = pick(known, str(key), under, section=f"{section}.")
        found[key] = judged(check, value, f"{under}{key}")
    return found


def pick(
    known: Mapping[str, _T], key: str, under: str, *, section: str = "", also: tuple[str, ...] = ()
) -> _T:
    """What is known of a key; `also` are names that would be right too. Raises Wrong, naming the nearest."""
    if key not in known:
        near = difflib.get_close_matches(key, [*known, *also], n=1, cutoff=0.5)
        nearest = f"{section}{under}{near[0]}" if near else ""
        raise Wrong(f"{under}{key}", "unknown key", nearest)
    return known[key]


def judged(check: Check, value: object, key: str) -> Any:
    """Raises Wrong."""
    try:
        return check(value)
    except ValueError as e:
        raise Wrong(key, str(e)) from None
