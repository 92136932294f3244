"""What every part of a running central is given: values and doors, made once in `wiring`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from flask import Flask, current_app

from central.city import City
from central.keys import CityKey
from central.open311_door import Door
from central.projector import Projector
from central.rates import NODE_RATE, OPEN_RATE, STRANGER_RATE, Buckets
from central.store import Store
from municipio.predial import Perfil

EXTENSION = "plaza-central"


@dataclass(frozen=True)
class Central:
    """`now` reads the server's clock as timezone-aware UTC; an empty staff token closes that page."""

    store: Store
    city: City
    key: CityKey
    perfil: Perfil
    staff_token: str
    now: Callable[[], datetime]
    projector: Projector
    next_contact_s: int = 0
    repository: Path | None = None
    node_rate: Buckets = field(default_factory=lambda: Buckets(NODE_RATE, time.monotonic))
    recipients: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Age public keys of the offices, which alone open what citizens sealed to them."""
    stranger_rate: Buckets = field(default_factory=lambda: Buckets(STRANGER_RATE, time.monotonic))

    open_rate: Buckets = field(default_factory=lambda: Buckets(OPEN_RATE, time.monotonic))
    door: Door | None = None
    """Open311 takes requests when it is there."""

    def today(self) -> date:
        """The civil date in the city's zone."""
        return self.now().astimezone(self.city.zone).date()


def attach(app: Flask, central: Central) -> None:
    app.extensions[EXTENSION] = central


def central() -> Central:
    """The Central of the request being served."""
    found: Central = current_app.extensions[EXTENSION]
    return found
