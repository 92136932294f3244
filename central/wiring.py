"""The one place that makes real objects for central: database, keys, clock, application."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from flask import Flask

from central.app import create_app
from central.city import City
from central.context import Central
from central.keys import load_city_key, load_recipients
from central.open311_door import load_door
from central.projector import Projector
from central.store import Store, open_store
from municipio.predial import Perfil, parse_perfil


def utc_now() -> datetime:
    return datetime.now(UTC)


def demo_perfil() -> Perfil:
    """The perfil hacendario of the demonstration city; a real city brings its own."""
    text = resources.files("central").joinpath("demo_perfil.toml").read_text(encoding="utf-8")
    return parse_perfil(tomllib.loads(text))


@dataclass(frozen=True)
class Program:
    """The application, what works beside it, and the database; `close` ends both in order."""

    app: Flask
    projector: Projector
    store: Store

    def close(self) -> None:
        self.projector.close()
        self.store.close()


def build(
    db: str, keys: Path, staff_token: str, city: City, repository: Path | None = None
) -> Program:
    """The program on a real database; the caller closes it. Raises StoreError, KeysError."""
    key = load_city_key(keys)
    recipients = load_recipients(keys) if (keys / "recipients.json").exists() else {}
    store = open_store(db)
    projector = Projector(store, city, utc_now)
    perfil = demo_perfil()
    central = Central(
        store,
        city,
        key,
        perfil,
        staff_token,
        utc_now,
        projector,
        repository=repository,
        recipients=recipients,
        door=load_door(city, keys),
    )
    return Program(create_app(central), projector, store)
