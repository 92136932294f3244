"""What a node told the world, and when: each line with the number of disk requests completed by then.

The number is read when the line arrives, so it is never too small: a cut after it must keep the promise.
A line that was cut short, or that is none, is dropped: nobody could rely on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Promise:
    """One line; `by` is how many requests the disk had completed when it was heard."""

    by: int
    line: dict[str, Any]


@dataclass(slots=True)
class Listener:
    """Feeds on the bytes of a serial port; `now` says how many requests are in the log."""

    now: Callable[[], int]
    heard: list[Promise] = field(default_factory=list)
    _held: bytes = b""

    def __call__(self, data: bytes) -> None:
        *whole, self._held = (self._held + data).split(b"\n")
        by = self.now() if whole else 0
        for raw in whole:
            try:
                line = json.loads(raw)
            except ValueError:
                continue
            if isinstance(line, dict):
                self.heard.append(Promise(by, line))


@dataclass(slots=True)
class Expected:
    """What must be on a disk: facts by their hash, rows by their name, and how far each payment was."""

    facts: dict[str, str] = field(default_factory=dict)
    movements: set[str] = field(default_factory=set)
    folios: set[str] = field(default_factory=set)
    papers: set[str] = field(default_factory=set)
    payments: dict[str, str] = field(default_factory=dict)
    later: dict[str, set[str]] = field(default_factory=dict)
    """By payment, the states that were told only after the cut: it may have reached those too."""

    @property
    def count(self) -> int:
        named = (self.facts, self.movements, self.folios, self.papers, self.payments)
        return sum(len(kind) for kind in named)


def expected(promises: Iterable[Promise], cut_at: int) -> Expected:
    """What a cut when `cut_at` requests were completed must leave."""
    found = Expected()
    for promise in promises:
        line = promise.line
        for key, state in line.get("payments", ()):
            if promise.by <= cut_at:
                found.payments[key] = state
            else:
                found.later.setdefault(key, set()).add(state)
        if promise.by > cut_at:
            continue
        if "fact" in line:
            found.facts[line["fact"]] = line["hash"]
        found.movements |= set(line.get("movements", ()))
        found.folios |= set(line.get("folios", ()))
        found.papers |= set(line.get("papers", ()))
    return found
