"""A node that never knows the time, and the real city: every fact gets its moment, and the truth is inside.

The node's board starts in 1970 at each boot; facts are recorded hours before the link comes. The city
alone has a clock. What the node sends (counts of its boot, and once a boot what the city said) is enough.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.app import create_app
from central.city import City
from central.context import Central
from central.keys import CityKey
from central.moments_read import TIMES_HEAD, time_rows
from central.nodes import add_node
from central.projections import project
from central.projector import Projector
from central.store import open_store
from central.wiring import demo_perfil
from municipio.clock import Instant, TimeQuality
from municipio.facts import FactDraft, FactType, parse_time
from municipio.usecases.ports import Recorded
from municipio.wire.httpsig import sign_request
from sync.answers import Reply
from sync.clock_check import ClockCheck
from sync.delivery import Delivery
from sync.keys import NodeKey
from sync.ledger import SqliteLedger, open_ledger
from sync.link import LinkFile
from sync.outbox import Outbox
from sync.protocol import Exchange, Pace
from sync.worker import Worker

CITY = City()
BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)
TYPES = (FactType.REPORT_FILED, FactType.TERMS_ACCEPTED, FactType.DEVICE_CHANGED)


class Truth:
    """The world's time, the city's clock, and a board that only counts from its start."""

    def __init__(self) -> None:
        self.passed = timedelta()
        self._boot, self._since = 0, timedelta()

    def restart(self) -> None:
        self.passed += timedelta(minutes=7)
        self._boot, self._since = self._boot + 1, self.passed

    def seconds(self) -> float:
        return self.passed.total_seconds()

    def wall(self) -> datetime:
        return BEGINNING + self.passed

    def now(self) -> Instant:
        self.passed += timedelta(milliseconds=1)
        ms = int((self.passed - self._since).total_seconds() * 1000)
        return Instant(None, TimeQuality.UNKNOWN, f"boot-{self._boot}", ms)


class Street:
    """Carries every request, and takes its time."""

    def __init__(self, central: Central, key: NodeKey, truth: Truth, chance: random.Random) -> None:
        self._client, self._key = create_app(central).test_client(), key
        self._truth, self._chance = truth, chance

    def get(self, path: str) -> Reply:
        return self._carry("GET", path, b"")

    def post_batch(self, node: str, body: bytes) -> Reply:
        return self._carry("POST", f"/v1/nodes/{node}/batches", body)

    def put(self, path: str, body: bytes) -> Reply:
        return self._carry("PUT", path, body)

    def _carry(self, method: str, path: str, body: bytes) -> Reply:
        headers = sign_request(method, path, body, self._key.id, "n", self._key.sign)
        self._truth.passed += timedelta(seconds=self._chance.random() * 3)
        answer = self._client.open(path, method=method, data=body, headers=headers)
        self._truth.passed += timedelta(seconds=self._chance.random() * 3)
        named = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status_code, named, answer.data)


@pytest.mark.parametrize("seed", range(3))
def test_every_fact_of_a_clockless_node_gets_its_moment(tmp_path: Path, seed: int) -> None:
    chance, truth = random.Random(seed), Truth()
    key, city = NodeKey(Ed25519PrivateKey.generate()), CityKey(Ed25519PrivateKey.generate())
    store = open_store(f"sqlite:///{tmp_path}/central.sqlite")
    add_node(store, CITY.inegi, "COA007", key.public, BEGINNING, replace=False)
    projector = Projector(store, CITY, truth.wall)
    central = Central(store, CITY, city, demo_perfil(), "ficha", truth.wall, projector)
    ledger = open_ledger(tmp_path / "ledger.sqlite", truth, "COA007", CITY.inegi)
    assert isinstance(ledger, SqliteLedger)
    street = Street(central, key, truth, chance)
    happened: dict[str, datetime] = {}
    for _ in range(4):
        for _ in range(6):
            truth.passed += timedelta(hours=2 * chance.random())
            done = ledger.record(FactDraft(chance.choice(TYPES), {}))
            assert isinstance(done, Recorded)
            happened[done.fact.id] = truth.wall()
        outbox = Outbox(ledger)
        delivery = Delivery(outbox, "COA007", key, city.public, street)
        worker = Worker(
            ledger, delivery, Exchange(Pace(5, 5, 60), chance.random), LinkFile(tmp_path / "link.json"),
            seconds=truth.seconds, clock_check=ClockCheck(ledger, tmp_path),
        )  # fmt: skip
        for _ in range(200):
            rest_s = worker.step(truth.seconds())
            truth.passed += timedelta(seconds=rest_s)
            if not outbox.waiting():
                break
        assert not outbox.waiting()
        truth.restart()
    project(store, CITY.inegi, CITY.zone, truth.wall())
    lines = [dict(zip(TIMES_HEAD, row, strict=True)) for row in time_rows(store, CITY.inegi)]
    told = {line["id"]: line for line in lines if line["id"] in happened}
    assert told.keys() == happened.keys()
    for id, moment in happened.items():
        line = told[id]
        slack = timedelta(milliseconds=10)
        assert (
            parse_time(line["no_antes"]) - slack <= moment <= parse_time(line["no_despues"]) + slack
        )
        assert float(line["error_s"]) < 60, "seconds, where it was months"
    store.close()
    ledger.close()
