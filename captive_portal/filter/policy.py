"""What one site filters: the `[filter]` section of its file, checked. No I/O, no clock reads.

    categories   what never resolves here: adult, gambling, malware, phishing, drugs, violence, doh-vpn
    hours        { gambling = ["lun-vie 07:00-15:00"] }: outside them that category resolves
    safesearch   true: Google, Bing, DuckDuckGo, Ecosia and Pixabay answer with their own safe mode
    youtube      "off", "moderate" or "strict": its restricted mode, apart from the searchers'
    allow        names that always resolve here (and everything below them)
    block        names that never resolve here (and everything below them)

The city's own allow-list is inside the list file and wins over everything here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from captive_portal.filter.names import NameProblem, parse_name
from captive_portal.hours import OpenHours, parse_hours
from captive_portal.sections import SectionProblem, Wrong, fields

MAX_NAMES = 500


class Category(StrEnum):
    """What a listed name is about. The values are written inside list files."""

    ADULT = "adult"
    DOH_VPN = "doh-vpn"
    DRUGS = "drugs"
    GAMBLING = "gambling"
    MALWARE = "malware"
    PHISHING = "phishing"
    VIOLENCE = "violence"


class Youtube(StrEnum):
    OFF = "off"
    MODERATE = "moderate"
    STRICT = "strict"


ALWAYS = frozenset({Category.MALWARE, Category.PHISHING})
"""Blocked at every hour: harm to a visitor's device has no timetable."""


@dataclass(frozen=True, slots=True)
class FilterPolicy:
    """A checked `[filter]` section. The defaults suit a plaza where children walk by."""

    categories: frozenset[Category] = frozenset(Category)
    hours: Mapping[Category, OpenHours] = field(default_factory=dict)
    """Only categories that are not blocked the whole week."""
    safesearch: bool = True
    youtube: Youtube = Youtube.OFF
    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()

    def blocked_at(self, local: datetime | None) -> frozenset[Category]:
        """Categories that do not resolve at that local time; None is a clock that nobody believes."""
        if local is None:
            return self.categories
        return frozenset(
            c for c in self.categories if c not in self.hours or self.hours[c].is_open(local)
        )


def parse_policy(doc: Mapping[str, object]) -> FilterPolicy | SectionProblem:
    """Check a whole section; what it does not name has the default."""
    try:
        policy = FilterPolicy(**fields(doc, _CHECKS, "filter"))
        _check_together(policy)
    except Wrong as e:
        return e.problem
    return policy


def _check_together(policy: FilterPolicy) -> None:
    for category in policy.hours:
        if category in ALWAYS:
            raise Wrong(f"hours.{category}", "is blocked at every hour and can have none")
        if category not in policy.categories:
            raise Wrong(f"hours.{category}", "has hours but is not in «categories»")
    both = sorted(set(policy.allow) & set(policy.block))
    if both:
        raise Wrong("block", f"«{both[0]}» is also in «allow»")


def _category(text: object) -> Category:
    if not isinstance(text, str) or text not in list(Category):
        raise ValueError(f"{text!r} is not a category; there are {', '.join(Category)}")
    return Category(text)


def _categories(value: object) -> frozenset[Category]:
    if not isinstance(value, list):
        raise ValueError('must be a list of categories, such as ["adult", "malware"]')
    return frozenset(map(_category, value))


def _hours(value: object) -> dict[Category, OpenHours]:
    if not isinstance(value, Mapping):
        raise ValueError('must be a table, such as { gambling = ["lun-vie 07:00-15:00"] }')
    return {_category(key): _ranges(key, ranges) for key, ranges in value.items()}


def _ranges(key: object, value: object) -> OpenHours:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
        raise ValueError(f'{key}: must be hours, such as ["lun-vie 07:00-15:00"]')
    return parse_hours(texts)


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _youtube(value: object) -> Youtube:
    if not isinstance(value, str) or value not in list(Youtube):
        raise ValueError(f"must be one of {', '.join(Youtube)}")
    return Youtube(value)


def _names(*, broad: bool) -> Callable[[object], tuple[str, ...]]:
    def check(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or len(value) > MAX_NAMES:
            raise ValueError(f"must be a list of at most {MAX_NAMES} names")
        names = []
        for text in value:
            given = text if isinstance(text, str) else ""
            name = parse_name(given, broad=broad)
            if isinstance(name, NameProblem):
                raise ValueError(f"{text!r}: {name.value}")
            names.append(name)
        return tuple(dict.fromkeys(names))

    return check


_CHECKS: dict[str, Callable[[object], Any]] = {
    "categories": _categories,
    "hours": _hours,
    "safesearch": _switch,
    "youtube": _youtube,
    "allow": _names(broad=True),
    "block": _names(broad=False),
}
