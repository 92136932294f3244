"""Two boxes with one card's content, at the real city: both futures arrive, none is lost, it is noticed."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from central.app import create_app
from central.city import City
from central.context import Central
from central.keys import CityKey
from central.nodes import add_node, list_nodes
from central.projector import Projector
from central.staff import stored_facts
from central.store import open_store
from central.wiring import demo_perfil
from municipio.clock import Instant, TimeQuality
from municipio.facts import RECOVERED, FactDraft, FactType, decode_fact, encode_fact
from municipio.usecases.ports import Recorded
from municipio.wire.httpsig import sign_request
from sync.answers import Refused, Reply
from sync.delivery import Delivery
from sync.keys import NodeKey
from sync.ledger import SqliteLedger, open_ledger
from sync.link import LinkFile
from sync.outbox import Outbox
from sync.protocol import Exchange, Pace
from sync.verify import verify_ledger
from sync.worker import Worker

CITY = City()
NOW = datetime(2026, 1, 20, 18, tzinfo=UTC)


class Now:
    def now(self) -> Instant:
        return Instant(NOW, TimeQuality.SYNCED, "boot", 1)


class Wire:
    """Implements `sync.delivery.Carrier` over the city's WSGI."""

    def __init__(self, client: FlaskClient, key: NodeKey) -> None:
        self._client, self._key, self._count = client, key, 0

    def get(self, path: str) -> Reply | Refused:
        return self._carry("GET", path, b"")

    def post_batch(self, node: str, body: bytes) -> Reply | Refused:
        return self._carry("POST", f"/v1/nodes/{node}/batches", body)

    def put(self, path: str, body: bytes) -> Reply | Refused:
        return self._carry("PUT", path, body)

    def _carry(self, method: str, path: str, body: bytes) -> Reply:
        self._count += 1
        signed = sign_request(method, path, body, self._key.id, f"n{self._count}", self._key.sign)
        answer = self._client.open(path, method=method, data=body, headers=signed)
        return Reply(
            answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.data
        )


class Box:
    def __init__(self, folder: Path, key: NodeKey, city: CityKey, client: FlaskClient) -> None:
        opened = open_ledger(folder / "ledger.sqlite", Now(), "COA007", "30039")
        assert isinstance(opened, SqliteLedger)
        self.ledger, self.outbox, self.now = opened, Outbox(opened), 1000.0
        self.told: list[bytes] = []
        delivery = Delivery(self.outbox, "COA007", key, city.public, Wire(client, key))
        exchange = Exchange(Pace(5, 5, 60), lambda: 0.5)
        self.worker = Worker(
            opened, delivery, exchange, LinkFile(folder / "link.json"), seconds=lambda: self.now
        )

    def record(self, who: str, count: int) -> None:
        for n in range(count):
            done = self.ledger.record(FactDraft(FactType.REPORT_FILED, {"who": who, "n": n}))
            assert isinstance(done, Recorded)
            self.told.append(encode_fact(done.fact))

    def run(self, hours: float = 1.0) -> None:
        until = self.now + 3600 * hours
        while self.now < until and self.outbox.waiting():
            self.now += self.worker.step(self.now) + 0.01


def test_both_futures_of_a_cloned_card_reach_the_city(tmp_path: Path) -> None:
    key, city = NodeKey(Ed25519PrivateKey.generate()), CityKey(Ed25519PrivateKey.generate())
    store = open_store(f"sqlite:///{tmp_path}/central.sqlite")
    add_node(store, CITY.inegi, "COA007", key.public, NOW, replace=False)
    projector = Projector(store, CITY, lambda: NOW)
    told = Central(store, CITY, city, demo_perfil(), "ficha", lambda: NOW, projector)
    client = create_app(told).test_client()
    (tmp_path / "one").mkdir()
    first = Box(tmp_path / "one", key, city, client)
    first.record("both", 3)
    first.run()
    first.ledger.close()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    first = Box(tmp_path / "one", key, city, client)
    second = Box(tmp_path / "two", key, city, client)
    promised: set[bytes] = set()
    for box, who in (
        (first, "first"),
        (second, "second"),
        (first, "first again"),
        (second, "again"),
    ):
        box.record(who, 4)
        box.run()
        promised |= set(box.told)
    for box in (first, second):
        box.run(24)
        assert box.outbox.waiting() == 0
        assert verify_ledger(box.ledger).problems == ()
        box.ledger.close()
    found = stored_facts(store, CITY.inegi, "", "")
    held = {raw.encode() if isinstance(raw, str) else raw for raw in found}
    for raw in set(held):
        fact = decode_fact(raw)
        if fact.type in RECOVERED.values():
            held.add(fact.data["fact"].encode())
    assert promised <= held
    assert list_nodes(store, CITY.inegi)[0].state != "active", "the staff are told of two futures"
    store.close()


def test_a_copy_that_only_hears_how_much_the_city_has_knows_that_it_is_one(tmp_path: Path) -> None:
    """What it sends is right and old; the answer names facts that it never wrote."""
    key, city = NodeKey(Ed25519PrivateKey.generate()), CityKey(Ed25519PrivateKey.generate())
    store = open_store(f"sqlite:///{tmp_path}/central.sqlite")
    add_node(store, CITY.inegi, "COA007", key.public, NOW, replace=False)
    projector = Projector(store, CITY, lambda: NOW)
    told = Central(store, CITY, city, demo_perfil(), "ficha", lambda: NOW, projector)
    client = create_app(told).test_client()
    (tmp_path / "one").mkdir()
    first = Box(tmp_path / "one", key, city, client)
    first.record("both", 1)
    first.ledger.close()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    first = Box(tmp_path / "one", key, city, client)
    first.record("first", 2)
    first.run()
    second = Box(tmp_path / "two", key, city, client)
    second.run()
    assert second.outbox.waiting() == 0
    assert second.outbox.epoch() == 2, "no folio of the other card is given again"
    for box in (first, second):
        box.ledger.close()
    store.close()
