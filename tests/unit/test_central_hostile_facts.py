"""A node may write anything into its facts: no value of it stops the books or breaks a page."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from sqlalchemy import select

from central.app import create_app
from central.city import City
from central.context import Central
from central.ingest import Taken, take_batch
from central.keys import CityKey
from central.moments_read import time_rows
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.projections import project
from central.projector import Projector
from central.schema import folios, heads
from central.store import Store
from central.wiring import demo_perfil
from municipio.clock import Instant, TimeQuality
from municipio.facts import MAX_INTEGER, FactType, Lane
from municipio.wire.batch import Batch, decode_batch

CITY = City()
NOW = datetime(2026, 3, 1, tzinfo=UTC)
WORDS = (
    "folio service_code channel colonia consulted state cause version content filter_list city_time "
    "asked_ms heard_ms device level soc_percent visits minutes mib resumed language liquidacion_id "
    "amount_centavos method clave outcome fact attachments recipient sealed back_to due key ring "
    "targets keys before slot technician action hour since"
)
NAMES = WORDS.split()


def a_value(luck: random.Random, depth: int = 0) -> Any:
    inner = {"A-B": 7, "\x00": 5} if depth else {n: a_value(luck, 1) for n in luck.sample(NAMES, 2)}
    number = luck.randint(-MAX_INTEGER, MAX_INTEGER)
    texts = ("", "a\x00b", "COA007-R1-000001-B", "x" * 5000, "2026-01-01T00:00:00.000Z")
    return luck.choice((*texts, str(luck.randint(0, 10**13)), number, None, True, [], [1], inner))


def an_instant(luck: random.Random) -> Instant:
    quality = luck.choice(list(TimeQuality))
    time = datetime(luck.choice((1, 1970, 2026, 9999)), luck.randint(1, 12), 3, tzinfo=UTC)
    boot = luck.choice(("a", "b", "\x00", "z" * 200))
    ran = luck.choice((0, 1, 10**15 - 1, luck.randint(0, 10**10)))
    return Instant(None if quality is TimeQuality.UNKNOWN else time, quality, boot, ran)


def deliver_anything(store: Store, seed: int) -> NodeSimulator:
    luck, node = random.Random(seed), NodeSimulator(node=f"COA{seed:03d}")
    add_node(store, CITY.inegi, node.node, node.public, NOW, replace=False)
    for type in (*FactType, *FactType):
        data = {name: a_value(luck) for name in luck.sample(NAMES, 12)}
        node.record(type, data, an_instant(luck))
    for lane in Lane:
        batch = decode_batch(node.batch(lane))
        assert isinstance(batch, Batch)
        assert isinstance(take_batch(store, CITY.inegi, batch, NOW), Taken)
    return node


def client_of(store: Store) -> FlaskClient:
    key = CityKey(Ed25519PrivateKey.generate())
    projector = Projector(store, CITY, lambda: NOW)
    central = Central(store, CITY, key, demo_perfil(), "ficha", lambda: NOW, projector)
    return create_app(central).test_client()


def test_whatever_a_node_writes_is_counted_and_shown(store: Store) -> None:
    seeds = range(1, 9)
    for seed in seeds:
        deliver_anything(store, seed)
    project(store, CITY.inegi, CITY.zone, NOW)
    with store.begin() as connection:
        stuck = connection.execute(select(heads.c.node, heads.c.lane).where(heads.c.failures > 0))
        assert stuck.all() == []
        known = connection.scalars(select(folios.c.folio)).all()
    assert sum(1 for _ in time_rows(store, CITY.inegi)) == len(seeds) * 2 * len(FactType)
    client = client_of(store)
    pages = [f"/flota/COA{seed:03d}?token=ficha" for seed in seeds]
    pages += ["/?token=ficha", "/flota?token=ficha", "/indicadores?token=ficha&mes=2026-02"]
    pages += ["/open311/v2/requests.xml", "/indicadores.csv?token=ficha&mes=2026-02"]
    pages += [f"/expediente?token=ficha&folio={folio}" for folio in known[:40]]
    pages += [f"/f/{folio}" for folio in known[:40]]
    broken = {page: s for page in pages if (s := client.get(page).status_code) >= 500}
    assert broken == {}
