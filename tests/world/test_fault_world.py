"""A node and the real city with everything between them going wrong: every fact arrives once, in order.

The wire drops, repeats, delays past later requests, cuts answers and lets strangers answer; the city is
killed at any line of its code and starts again, its disk is full, both clocks jump by years, the node's
disk is full. Time is virtual, so hours of street take seconds. `PLAZA_FAULT_SEEDS` asks for more worlds,
from `PLAZA_FAULT_FIRST` on.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

import central
from central.app import create_app
from central.attachments import read_attachment
from central.city import City
from central.context import Central
from central.keys import CityKey
from central.nodes import add_node
from central.projections import project
from central.projector import Projector
from central.schema import folios
from central.staff import stored_facts
from central.store import Store, open_store
from central.wiring import demo_perfil
from municipio.clock import Instant, TimeQuality
from municipio.facts import FactDraft, FactType, decode_fact, encode_fact
from municipio.usecases.ports import AttachmentRef, NotRecorded, NotRecordedCause, Recorded
from municipio.wire.httpsig import sign_request
from sync.answers import Refused, Reply, Trouble
from sync.attachments import AttachmentStore
from sync.delivery import Delivery
from sync.keys import NodeKey
from sync.ledger import SqliteLedger, open_ledger
from sync.link import LinkFile
from sync.outbox import Outbox
from sync.protocol import Exchange, Pace
from sync.uploads import Uploads
from sync.verify import verify_ledger
from sync.worker import Worker

SEEDS = int(os.environ.get("PLAZA_FAULT_SEEDS", "10"))
FIRST = int(os.environ.get("PLAZA_FAULT_FIRST", "0"))
CITY = City()
CENTRAL_CODE = str(Path(central.__file__).parent)
START = datetime(2026, 1, 20, 18, tzinfo=UTC)
TYPES = [
    FactType.PAYMENT_TAKEN,
    FactType.REPORT_FILED,
    FactType.TERMS_ACCEPTED,
    FactType.DEVICE_CHANGED,
]


class Killed(BaseException):
    """The city's process ends here."""


class JumpingClock:
    """A wall clock that nobody can rely on; the order inside a boot holds."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._ms = 0
        self.jump = timedelta(0)

    def now(self) -> Instant:
        self._ms += 1
        quality = self._chance.choice(list(TimeQuality))
        return Instant(START + self.jump, quality, "boot", self._ms)

    def maybe_jump(self) -> None:
        if self._chance.random() < 0.05:
            self.jump = timedelta(days=self._chance.randrange(-4000, 4000))


class Town:
    """The real city on a file, which may be killed and started again."""

    def __init__(self, folder: Path, chance: random.Random, node: NodeKey) -> None:
        self._url = f"sqlite:///{folder}/central.sqlite"
        self.chance = chance
        self.key = CityKey(Ed25519PrivateKey.generate())
        self.clock = JumpingClock(chance)
        self._perfil = demo_perfil()
        self.start()
        add_node(self.store, CITY.inegi, "COA007", node.public, START, replace=False)

    def start(self) -> None:
        self.store: Store = open_store(self._url)

        def now() -> datetime:
            return START + self.clock.jump

        projector = Projector(self.store, CITY, now)
        told = Central(self.store, CITY, self.key, self._perfil, "ficha", now, projector)
        self.client: FlaskClient = create_app(told).test_client()

    def restart(self) -> None:
        self.store.close()
        self.start()

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        answer = self.client.open(path, method=method, data=body, headers=headers)
        named = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status_code, named, answer.data)

    def ask_and_die(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        """Killed at a random line of the city's own code, or after its answer was lost."""
        left = self.chance.randrange(400)

        def trace(frame: FrameType, event: str, _: Any) -> Callable[..., Any] | None:
            nonlocal left
            name = frame.f_code.co_filename
            if not name.startswith(CENTRAL_CODE) or name.endswith("store.py"):
                return None  # the lock of a dead process is the kernel's to give back
            if event == "line":
                left -= 1
                if left < 0:
                    raise Killed
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            self.ask(method, path, body, headers)
        except Killed:
            pass
        finally:
            sys.settrace(before)
        self.restart()

    def fill_disk(self, full: bool) -> None:
        with self.store.begin() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            limit = pages if full else 1_000_000
            connection.exec_driver_sql(f"PRAGMA max_page_count={limit}")


class Wire:
    """Implements `sync.delivery.Carrier` over the city's WSGI, and spoils what it likes."""

    def __init__(self, town: Town, key: NodeKey, chance: random.Random) -> None:
        self.town, self._key, self._chance = town, key, chance
        self.is_bad = True
        self.is_down = False
        self.requests = 0
        self._late: list[tuple[str, str, bytes, dict[str, str]]] = []

    def get(self, path: str) -> Reply | Refused:
        return self._carry("GET", path, b"")

    def post_batch(self, node: str, body: bytes) -> Reply | Refused:
        return self._carry("POST", f"/v1/nodes/{node}/batches", body)

    def put(self, path: str, body: bytes) -> Reply | Refused:
        return self._carry("PUT", path, body)

    def _carry(self, method: str, path: str, body: bytes) -> Reply | Refused:
        self.requests += 1
        nonce = f"n{self.requests}"
        headers = sign_request(method, path, body, self._key.id, nonce, self._key.sign)
        request = (method, path, body, headers)
        if self.is_down:
            return Refused(Trouble.OFFLINE, "no route")
        if not self.is_bad:
            return self.town.ask(*request)
        fate = self._chance.choice([
            "well", "well", "well", "well", "lost", "answer lost", "twice", "late", "cut",
            "half-closed", "stranger", "killed", "full", "slow",
        ])  # fmt: skip
        return self._spoil(fate, request)

    def _spoil(self, fate: str, request: tuple[str, str, bytes, dict[str, str]]) -> Reply | Refused:
        if fate in _NEVER_ASKED:
            if fate == "late":
                self._late.append(request)
            if fate == "killed":
                self.town.ask_and_die(*request)
            return _NEVER_ASKED[fate]
        if fate == "full":
            self.town.fill_disk(True)
        reply = self.town.ask(*request)
        if fate == "full":
            self.town.fill_disk(False)
        if fate == "twice":
            reply = self.town.ask(*request)
        if self._late and self._chance.random() < 0.5:
            self.town.ask(*self._late.pop(self._chance.randrange(len(self._late))))
        if fate == "cut":
            return Reply(reply.status, reply.headers, reply.body[: len(reply.body) // 2])
        return _ANSWER_GONE.get(fate, reply)


_NEVER_ASKED: dict[str, Reply | Refused] = {
    "lost": Refused(Trouble.OFFLINE, "lost"),
    "late": Refused(Trouble.TIMEOUT, "no answer in time"),
    "killed": Refused(Trouble.OFFLINE, "connection reset"),
    "stranger": Reply(200, {}, b"<html>Bienvenido al hotel</html>"),
}
_ANSWER_GONE: dict[str, Reply | Refused] = {
    "answer lost": Refused(Trouble.TIMEOUT, "no answer in time"),
    "slow": Refused(Trouble.TIMEOUT, "no answer in time"),
    "half-closed": Refused(Trouble.BAD_ANSWER, "peer closed connection without a complete answer"),
}


class World:
    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.folder = folder
        self.key = NodeKey(Ed25519PrivateKey.generate())
        self.town = Town(folder, self.chance, self.key)
        self.wire = Wire(self.town, self.key, self.chance)
        self.clock = JumpingClock(self.chance)
        self.now = 1000.0
        self.told: list[bytes] = []
        self.photos: dict[str, bytes] = {}
        self.start()

    def start(self) -> None:
        opened = open_ledger(self.folder / "ledger.sqlite", self.clock, "COA007", "30039")
        assert isinstance(opened, SqliteLedger), opened
        self.ledger = opened
        self.uploads = Uploads(opened, AttachmentStore(self.folder / "attachments"))
        self.outbox = Outbox(opened)
        delivery = Delivery(
            self.outbox, "COA007", self.key, self.town.key.public, self.wire, self.uploads
        )
        exchange = Exchange(Pace(5, 5, 1800), self.chance.random, attempts=self.outbox.attempts())
        exchange.begin(self.now)
        self.worker = Worker(
            opened,
            delivery,
            exchange,
            LinkFile(self.folder / "link.json"),
            seconds=lambda: self.now,
        )

    def restart(self) -> None:
        self.ledger.close()
        self.start()

    def record(self, data: dict[str, Any] | None = None) -> None:
        kind = FactType.REPORT_FILED if data else self.chance.choice(TYPES)
        done = self.ledger.record(FactDraft(kind, data or {"n": len(self.told)}))
        assert isinstance(done, Recorded), done
        self.told.append(encode_fact(done.fact))

    def photograph(self) -> None:
        sealed = self.chance.randbytes(self.chance.randrange(1, 400_000))
        ref = self.uploads.store.put(sealed, "image/jpeg")
        assert isinstance(ref, AttachmentRef)
        self.photos[ref.sha256] = sealed
        self.record({"attachments": [ref.document()]})

    def record_on_a_full_disk(self) -> None:
        """Says that nothing was stored, and nothing is."""
        with self.ledger.reading() as db:
            before = db.pragma("max_page_count", db.pragma("page_count"))
        answer = self.ledger.record(FactDraft(FactType.REPORT_FILED, {"big": "x" * 40_000}))
        assert isinstance(answer, NotRecorded)
        assert answer.cause is NotRecordedCause.DISK_FULL
        with self.ledger.reading() as db:
            db.pragma("max_page_count", max(before, 1_000_000))

    def step(self) -> None:
        self.now += self.worker.step(self.now) + 0.01

    def settle(self) -> None:
        self.wire.is_bad = False
        for _ in range(3000):
            if not self.outbox.waiting() and not self.uploads.waiting():
                return
            self.step()
        raise AssertionError("the queue does not drain")

    def close(self) -> None:
        self.ledger.close()
        self.town.store.close()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_every_fact_is_at_the_city_once_whatever_the_street_does(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, seed)
    for _ in range(120):
        world.clock.maybe_jump()
        world.town.clock.maybe_jump()
        deed = world.chance.random()
        if deed < 0.3:
            world.record()
        elif deed < 0.32:
            world.photograph()
        elif deed < 0.34:
            world.record_on_a_full_disk()
        elif deed < 0.38:
            world.restart()
        elif deed < 0.4:
            world.town.restart()
        else:
            world.step()
    world.settle()
    found = stored_facts(world.town.store, CITY.inegi, "", "")
    held = [raw.encode() if isinstance(raw, str) else raw for raw in found]
    assert sorted(held) == sorted(world.told)
    assert verify_ledger(world.ledger).problems == ()
    assert world.outbox.epoch() == 1
    for sha256, sealed in world.photos.items():
        assert read_attachment(world.town.store, CITY.inegi, sha256) == sealed
    project(world.town.store, CITY.inegi, CITY.zone, START)
    reports = sum(decode_fact(raw).type is FactType.REPORT_FILED for raw in world.told)
    with world.town.store.begin() as connection:
        rows = connection.execute(folios.select().where(folios.c.kind == "reporte")).all()
    assert len(rows) == reports
    world.close()


def test_a_night_without_a_link_costs_few_requests_and_the_morning_none(tmp_path: Path) -> None:
    world = World(tmp_path, 1)
    world.wire.is_bad = False
    for _ in range(20):
        world.record()
    world.wire.is_down = True
    per_hour: list[int] = []
    for _ in range(6):
        before, until = world.wire.requests, world.now + 3600
        while world.now < until:
            world.step()
        per_hour.append(world.wire.requests - before)
    assert max(per_hour) <= 160, per_hour
    assert max(per_hour[1:]) <= 125, per_hour
    world.wire.is_down = False
    back = world.now
    world.settle()
    assert world.now - back <= 75, "at once, when the link is back"
    world.close()


def test_a_city_that_only_answers_errors_is_asked_less_and_less(tmp_path: Path) -> None:
    world = World(tmp_path, 2)
    world.wire.is_bad = False
    for _ in range(5):
        world.record()
    world.step()
    batches = 0

    class Broken(Wire):
        def post_batch(self, node: str, body: bytes) -> Reply | Refused:
            nonlocal batches
            batches += 1
            return Reply(500, {}, b"")

    broken = Broken(world.town, world.key, world.chance)
    broken.is_bad = False
    world.wire = broken
    world.restart()
    until = world.now + 2 * 3600
    while world.now < until:
        world.step()
    assert batches <= 40, "fewer and fewer the longer it lasts"
    world.close()
