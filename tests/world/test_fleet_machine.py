"""Several nodes and one city, and hypothesis looking for the order of mishaps that loses or doubles a fact.

The link lies, repeats, delays and reorders; the city dies between its commit and its answer; cards are
cloned and rolled back, whole or the ledger alone; clocks jump by ten years; sticks go round while the
network carries the same facts. Ledger, worker, wire formats, stick and city (on SQLite) are the real
ones, only the transport and time are not. `PLAZA_FLEET_EXAMPLES` asks for more histories.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import tempfile
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from central.app import create_app
from central.attachments import read_attachment
from central.carrier import Desk, import_stick
from central.city import City
from central.context import Central
from central.keys import CityKey
from central.nodes import NodeState, add_node, list_nodes, set_state
from central.projections import project
from central.projector import Projector
from central.rates import Buckets, Rate
from central.schema import folios
from central.staff import stored_facts
from central.store import open_store
from central.wiring import demo_perfil
from municipio.clock import Instant, TimeQuality
from municipio.facts import (
    RECOVERED,
    ZERO_HASH,
    Fact,
    FactDraft,
    FactType,
    Lane,
    decode_fact,
    encode_fact,
    fact_hash,
)
from municipio.usecases.ports import AttachmentRef, Recorded
from municipio.wire.ack import Ack, encode_ack
from municipio.wire.httpsig import sign_request
from sync.answers import Refused, Reply, Trouble
from sync.attachments import AttachmentStore
from sync.carrier import NodeSide, export_to, import_from
from sync.datadir import DataDir
from sync.delivery import Delivery
from sync.keys import NodeKey
from sync.ledger import SqliteLedger, open_ledger
from sync.link import LinkFile
from sync.outbox import Outbox
from sync.protocol import Exchange, Pace
from sync.uploads import Uploads
from sync.verify import verify_ledger
from sync.worker import Worker

EXAMPLES = int(os.environ.get("PLAZA_FLEET_EXAMPLES", "25"))
STEPS = int(os.environ.get("PLAZA_FLEET_STEPS", "40"))
MEMORY = next((p for p in ("/dev/shm",) if os.access(p, os.W_OK)), None)
CITY = City()
PERFIL = demo_perfil()
START = datetime(2026, 1, 20, 18, tzinfo=UTC)
TEN_YEARS = 3653
CODES = ("COA007", "COA008", "COA009")
MAX_BOXES = 5
TYPES = (
    FactType.PAYMENT_TAKEN,
    FactType.REPORT_FILED,
    FactType.TERMS_ACCEPTED,
    FactType.DEVICE_CHANGED,
)
FATES = (
    "well", "well", "well", "lost", "answer lost", "twice", "late", "cut", "crashed", "busy",
    "stranger", "other city", "old answer",
)  # fmt: skip
STRANGER = Reply(200, {}, b"<html>Bienvenido al hotel</html>")
ENDLESS = Buckets(Rate(burst=1e9, per_s=1e9), time.monotonic)
"""Time is virtual: hours of requests come within seconds of the city's own clock."""
OTHER_CITY = CityKey(Ed25519PrivateKey.generate())

Request = tuple[str, str, bytes, dict[str, str]]


@cache
def key_of(code: str) -> NodeKey:
    return NodeKey(Ed25519PrivateKey.from_private_bytes(code.encode().ljust(32)))


@cache
def empty_city() -> bytes:
    """An empty city's database, made once: its migrations take longer than a history."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "central.sqlite"
        store = open_store(f"sqlite:///{file}")
        for code in CODES:
            add_node(store, CITY.inegi, code, key_of(code).public, START, replace=False)
        store.close()
        return file.read_bytes()


class Jumping:
    """A wall clock that jumps; the order inside the boot holds."""

    def __init__(self) -> None:
        self._ms = 0
        self.days = 0
        self.quality = TimeQuality.SYNCED

    def now(self) -> Instant:
        self._ms += 1
        return Instant(self.wall(), self.quality, "boot", self._ms)

    def wall(self) -> datetime:
        return START + timedelta(days=self.days)


class Town:
    """The real city on a file, which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._url = f"sqlite:///{folder}/central.sqlite"
        (folder / "central.sqlite").write_bytes(empty_city())
        self.key = CityKey(Ed25519PrivateKey.from_private_bytes(b"city".ljust(32)))
        self.clock = Jumping()
        self.late: deque[Request] = deque(maxlen=6)
        self.answers: deque[Reply] = deque(maxlen=6)
        self.start()

    def start(self) -> None:
        self.store = open_store(self._url)
        projector = Projector(self.store, CITY, self.clock.wall)
        told = Central(
            self.store, CITY, self.key, PERFIL, "ficha", self.clock.wall, projector,
            node_rate=ENDLESS,
        )  # fmt: skip
        self.client = create_app(told).test_client()

    def restart(self) -> None:
        self.store.close()
        self.start()

    def ask(self, request: Request) -> Reply:
        method, path, body, headers = request
        answer = self.client.open(path, method=method, data=body, headers=headers)
        named = {name.lower(): value for name, value in answer.headers.items()}
        reply = Reply(answer.status_code, named, answer.data)
        self.answers.append(reply)
        return reply

    def held(self) -> dict[str, bytes]:
        """Bytes by id of every fact that arrived, by itself or inside a recovered one."""
        found: dict[str, bytes] = {}
        for raw in stored_facts(self.store, CITY.inegi, "", ""):
            fact = decode_fact(bytes(raw))
            whole = fact.data["fact"].encode() if is_wrapper(fact) else bytes(raw)
            inner = decode_fact(whole)
            assert found.setdefault(inner.id, whole) == whole, "one id, two contents"
        return found


def is_wrapper(fact: Fact) -> bool:
    return fact.type in RECOVERED.values()


class Link:
    """Implements `sync.delivery.Carrier`; each request meets the next fate, or goes well."""

    def __init__(self, town: Town, key: NodeKey) -> None:
        self.town, self._key = town, key
        self.fates: deque[str] = deque()

    def get(self, path: str) -> Reply | Refused:
        return self._carry("GET", path, b"")

    def post_batch(self, node: str, body: bytes) -> Reply | Refused:
        return self._carry("POST", f"/v1/nodes/{node}/batches", body)

    def put(self, path: str, body: bytes) -> Reply | Refused:
        return self._carry("PUT", path, body)

    def _carry(self, method: str, path: str, body: bytes) -> Reply | Refused:
        headers = sign_request(method, path, body, self._key.id, "n", self._key.sign)
        request = (method, path, body, headers)
        fate = self.fates.popleft() if self.fates else "well"
        if fate in ("lost", "late"):
            if fate == "late":
                self.town.late.append(request)
            return Refused(Trouble.TIMEOUT, "no answer in time")
        if fate in ("stranger", "busy", "other city", "old answer"):
            return self._lie(fate, path)
        reply = self.town.ask(request)
        if fate == "twice":
            reply = self.town.ask(request)
        if fate == "crashed":
            self.town.restart()
        if fate == "cut":
            return Reply(reply.status, reply.headers, reply.body[: len(reply.body) // 2])
        return reply if fate in ("well", "twice") else Refused(Trouble.OFFLINE, "reset")

    def _lie(self, fate: str, path: str) -> Reply | Refused:
        if fate == "other city":
            node = path.split("/")[3] if "batches" in path else "COA007"
            ack = Ack(node, 1, Lane.PAY, 9, "ab" * 32)
            return Reply(200, {}, encode_ack(ack, OTHER_CITY.sign))
        if fate == "old answer" and self.town.answers:
            return self.town.answers[0]
        return Reply(503, {"retry-after": "5"}, b"") if fate == "busy" else STRANGER


class Box:
    """One card in one board. A clone has the same code and key and a folder of its own."""

    def __init__(self, folder: Path, code: str, town: Town) -> None:
        self.folder, self.code, self.key, self.town = folder, code, key_of(code), town
        self.clock, self.link = Jumping(), Link(town, self.key)
        self.now = 1000.0
        self.written: set[str] = set()
        self.start()

    def start(self) -> None:
        opened = open_ledger(self.folder / "ledger.sqlite", self.clock, self.code, CITY.inegi)
        assert isinstance(opened, SqliteLedger), opened
        self.ledger, self.outbox = opened, Outbox(opened)
        self.uploads = Uploads(opened, AttachmentStore(self.folder / "attachments"))
        delivery = Delivery(
            self.outbox, self.code, self.key, self.town.key.public, self.link, self.uploads
        )
        self.exchange = Exchange(
            Pace(5, 5, 1800), random.Random(1).random, attempts=self.outbox.attempts()
        )
        self.exchange.begin(self.now)
        self.worker = Worker(
            opened,
            delivery,
            self.exchange,
            LinkFile(self.folder / "link.json"),
            seconds=lambda: self.now,
        )

    def step(self) -> None:
        self.now += self.worker.step(self.now) + 0.01

    @property
    def is_idle(self) -> bool:
        return not self.outbox.waiting() and not self.uploads.waiting()

    def side(self) -> NodeSide:
        args = (CITY.inegi, self.code, self.key, self.town.key.public, self.outbox, self.uploads)
        return NodeSide(*args, DataDir(self.folder))


class Fleet(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._temporary = tempfile.TemporaryDirectory(dir=MEMORY)
        self.root = Path(self._temporary.name)
        self.town = Town(self.root)
        self.numbers = itertools.count()
        self.boxes: list[Box] = []
        self.snapshots: dict[int, tuple[Path, set[str]]] = {}
        self.sticks: list[Path] = []
        self.promised: dict[str, bytes] = {}
        self.photos: dict[str, tuple[str, bytes]] = {}
        self.burned: set[str] = set()
        """Only on a card that was overwritten: they may still arrive, nobody can promise it."""
        self.folios: dict[str, list[str]] = {}
        self.copied: set[str] = set()
        """Codes of which a card was copied: two futures may have given one folio twice."""

    @initialize(count=st.integers(1, len(CODES)))
    def begin(self, count: int) -> None:
        self.boxes = [Box(self.new_folder(), code, self.town) for code in CODES[:count]]

    def new_folder(self) -> Path:
        folder = self.root / f"f{next(self.numbers)}"
        folder.mkdir()
        return folder

    def box(self, number: int) -> Box:
        return self.boxes[number % len(self.boxes)]

    # --- what people and the street do ------------------------------------------------------

    @rule(number=st.integers(0, 9), kinds=st.lists(st.sampled_from(TYPES), min_size=1, max_size=4))
    def record(self, number: int, kinds: list[FactType]) -> None:
        for kind in kinds:
            self.promise(self.box(number), FactDraft(kind, {"n": next(self.numbers)}))

    @rule(number=st.integers(0, 9), size=st.integers(1, 90_000))
    def photograph(self, number: int, size: int) -> None:
        box = self.box(number)
        sealed = random.Random(next(self.numbers)).randbytes(size)
        ref = box.uploads.store.put(sealed, "image/jpeg")
        assert isinstance(ref, AttachmentRef)
        fact = self.promise(
            box, FactDraft(FactType.REPORT_FILED, {"attachments": [ref.document()]})
        )
        self.photos[ref.sha256] = fact.id, sealed

    def promise(self, box: Box, draft: FactDraft) -> Fact:
        done = box.ledger.record(draft)
        assert isinstance(done, Recorded), done
        box.written.add(done.fact.id)
        self.promised[done.fact.id] = encode_fact(done.fact)
        self.folios.setdefault(done.folio, []).append(done.fact.id)
        return done.fact

    @rule(number=st.integers(0, 9), fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=8))
    def talk(self, number: int, fates: list[str]) -> None:
        box = self.box(number)
        box.link.fates = deque(fates)
        for _ in range(3 * len(fates)):
            box.step()
        box.link.fates.clear()

    @precondition(lambda self: self.town.late)
    @rule(which=st.integers(0, 5))
    def a_late_request_arrives(self, which: int) -> None:
        late = self.town.late
        request = late[which % len(late)]
        late.remove(request)
        self.town.ask(request)

    @rule()
    def the_city_restarts(self) -> None:
        self.town.restart()

    @rule(
        number=st.integers(-1, 9), days=st.integers(-TEN_YEARS, TEN_YEARS),
        quality=st.sampled_from(TimeQuality),
    )  # fmt: skip
    def a_clock_jumps(self, number: int, days: int, quality: TimeQuality) -> None:
        clock = self.town.clock if number < 0 else self.box(number).clock
        clock.days, clock.quality = days, quality

    # --- what happens to cards --------------------------------------------------------------

    @rule(number=st.integers(0, 9))
    def a_node_restarts(self, number: int) -> None:
        box = self.box(number)
        box.ledger.close()
        box.start()

    @precondition(lambda self: len(self.boxes) < MAX_BOXES)
    @rule(number=st.integers(0, 9))
    def a_card_is_cloned(self, number: int) -> None:
        box = self.box(number)
        copy = self.copy_card(box)
        self.copied.add(box.code)
        clone = Box(copy, box.code, self.town)
        clone.written = set(box.written)
        self.boxes.append(clone)

    @rule(number=st.integers(0, 9))
    def a_card_is_backed_up(self, number: int) -> None:
        place, box = number % len(self.boxes), self.box(number)
        self.snapshots[place] = self.copy_card(box), set(box.written)

    @precondition(lambda self: self.snapshots)
    @rule(which=st.integers(0, 9), whole=st.booleans())
    def a_card_is_rolled_back(self, which: int, whole: bool) -> None:
        place = sorted(self.snapshots)[which % len(self.snapshots)]
        box, (old, written) = self.boxes[place], self.snapshots[place]
        self.burned |= box.written - written - self.town.held().keys()
        box.written = set(written)
        box.ledger.close()
        if whole:
            self.copied.add(box.code)
            shutil.rmtree(box.folder)
            shutil.copytree(old, box.folder)
        else:
            shutil.copy(old / "ledger.sqlite", box.folder / "ledger.sqlite")
        box.start()

    def copy_card(self, box: Box) -> Path:
        box.ledger.close()
        copy = self.root / f"f{next(self.numbers)}"
        shutil.copytree(box.folder, copy)
        box.start()
        return copy

    # --- sticks -----------------------------------------------------------------------------

    @rule(number=st.integers(0, 9), again=st.integers(0, 3), is_new=st.booleans())
    def a_stick_takes_facts(self, number: int, again: int, is_new: bool) -> None:
        if is_new or not self.sticks:
            self.sticks = [*self.sticks[-2:], self.new_folder()]
        export_to(self.sticks[again % len(self.sticks)], self.box(number).side())

    @precondition(lambda self: self.sticks)
    @rule(which=st.integers(0, 3), copies=st.booleans())
    def a_stick_reaches_the_city(self, which: int, copies: bool) -> None:
        stick = self.sticks[which % len(self.sticks)]
        if copies:
            copy = self.root / f"f{next(self.numbers)}"
            shutil.copytree(stick, copy)
            self.sticks = [*self.sticks[-2:], copy]
        import_stick(stick, Desk(self.town.store, CITY, self.town.key), self.town.clock.wall())

    @precondition(lambda self: self.sticks)
    @rule(which=st.integers(0, 3), number=st.integers(0, 9))
    def a_stick_comes_back(self, which: int, number: int) -> None:
        import_from(self.sticks[which % len(self.sticks)], self.box(number).side())

    # --- what must hold ---------------------------------------------------------------------

    @invariant()
    def no_folio_is_given_twice(self) -> None:
        twice = {folio for folio, ids in self.folios.items() if len(ids) > 1}
        assert {folio for folio in twice if folio.split("-")[0] not in self.copied} == set()

    def teardown(self) -> None:
        try:
            if self.boxes:
                self.settle()
                self.check_facts()
                self.check_chains()
                self.check_effects()
        finally:
            for box in self.boxes:
                box.ledger.close()
            self.town.store.close()
            self._temporary.cleanup()

    def settle(self) -> None:
        """Peace: everything must arrive."""
        for _ in range(4000):
            busy = [box for box in self.boxes if not box.is_idle]
            if not busy:
                return
            for box in busy:
                box.step()
        stuck = [
            (b.folder.name, b.code, b.outbox.stretches(), b.uploads.waiting(), b.exchange)
            for b in busy
        ]
        raise AssertionError(f"the queues do not drain: {stuck}")

    def check_facts(self) -> None:
        held = self.town.held()
        assert held.items() <= self.promised.items(), "nothing that nobody promised"
        assert self.promised.keys() - self.burned <= held.keys(), "everything that was promised"
        for sha256, (fact, sealed) in self.photos.items():
            if fact not in self.burned:
                assert read_attachment(self.town.store, CITY.inegi, sha256) == sealed

    def check_chains(self) -> None:
        for box in self.boxes:
            assert verify_ledger(box.ledger).problems == ()
        heads: dict[tuple[str, int, str], tuple[int, str]] = {}
        for raw in stored_facts(self.town.store, CITY.inegi, "", ""):
            fact = decode_fact(bytes(raw))
            chain = (fact.source, fact.epoch, fact.lane.value)
            assert heads.get(chain, (0, ZERO_HASH)) == (fact.seq - 1, fact.prev)
            heads[chain] = fact.seq, fact_hash(bytes(raw))

    def check_effects(self) -> None:
        """One report, one matter: once the staff have looked at what was copied."""
        for node in list_nodes(self.town.store, CITY.inegi):
            if node.state == NodeState.QUARANTINED:
                assert node.node in self.copied, "an honest node is never quarantined"
                set_state(self.town.store, CITY.inegi, node.node, NodeState.ACTIVE)
        project(self.town.store, CITY.inegi, CITY.zone, START)
        facts = (decode_fact(raw) for raw in self.town.held().values())
        reports = [f for f in facts if f.type is FactType.REPORT_FILED]
        wanted = {folio for folio, ids in self.folios.items() for f in reports if f.id in ids}
        with self.town.store.begin() as connection:
            rows = connection.execute(folios.select().where(folios.c.kind == "reporte")).all()
        assert {row.folio for row in rows} == wanted


PHASES = [p for p in Phase if p is not Phase.shrink or "PLAZA_FLEET_SHRINK" in os.environ]
"""Shrinking a history of this size takes minutes: asked for by who mends a fault."""

Fleet.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, print_blob=True, phases=PHASES,
    suppress_health_check=list(HealthCheck), derandomize="PLAZA_FLEET_EXAMPLES" not in os.environ,
)  # fmt: skip
TestFleet = Fleet.TestCase
