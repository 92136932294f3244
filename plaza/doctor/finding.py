"""A finding: one thing that was looked at, how it is, and what a person does about it. Pure.

`what` and `to_do` are Spanish sentences and msgids of the catalogue `plaza`; figures go into them by
name (`values`), so that a translation can move them. A finding never holds personal data: it is shown
on the technician's screen, sent to the city and put into support bundles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """From best to worst but for UNKNOWN, which is never taken for OK."""

    OK = "ok"
    NOTICE = "notice"
    """Worth knowing; nobody has to come for it today."""
    UNKNOWN = "unknown"
    TROUBLE = "trouble"


class Area(StrEnum):
    """In the order in which a technician reads them."""

    HARDWARE = "hardware"
    SERVICES = "services"
    NETWORK = "network"
    RADIO = "radio"
    CONTACT = "contact"
    QUEUE = "queue"
    DISK = "disk"
    CLOCK = "clock"
    FILTER = "filter"
    CONTENT = "content"
    ENERGY = "energy"
    VERSIONS = "versions"
    UPDATES = "updates"
    SITE = "site"


class Said(str):
    """A value that is itself a msgid: the name of a device, of a service."""

    __slots__ = ()


Value = str | int
Gettext = Callable[[str], str]


def N_(message: str) -> str:
    """Marks a sentence for the catalogues; it is translated where it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Finding:
    """`to_do` is empty only where there is nothing to do."""

    area: Area
    state: State
    what: str
    to_do: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.to_do or self.state is State.OK, f"{self.what!r} leaves the technician alone"

    def what_in(self, _: Gettext) -> str:
        return _(self.what).format_map(_worded(self.values, _))

    def to_do_in(self, _: Gettext) -> str:
        return _(self.to_do).format_map(_worded(self.values, _)) if self.to_do else ""


def _worded(values: Mapping[str, Value], _: Gettext) -> dict[str, Value]:
    return {name: _(value) if isinstance(value, Said) else value for name, value in values.items()}


def ok(area: Area, what: str, **values: Value) -> Finding:
    return Finding(area, State.OK, what, "", values)


def notice(area: Area, what: str, to_do: str, **values: Value) -> Finding:
    return Finding(area, State.NOTICE, what, to_do, values)


def trouble(area: Area, what: str, to_do: str, **values: Value) -> Finding:
    return Finding(area, State.TROUBLE, what, to_do, values)


def unknown(area: Area, what: str, to_do: str, **values: Value) -> Finding:
    return Finding(area, State.UNKNOWN, what, to_do, values)


_RANK = {State.OK: 0, State.NOTICE: 1, State.UNKNOWN: 2, State.TROUBLE: 3}


def worst(findings: Iterable[Finding]) -> State:
    """OK when there is nothing to judge."""
    return max((f.state for f in findings), key=_RANK.__getitem__, default=State.OK)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By area as technicians read them, the worst of each area first."""
    areas = list(Area)
    return tuple(sorted(findings, key=lambda f: (areas.index(f.area), -_RANK[f.state])))
