"""The node's worker and the city as a real process, over real TCP, with a proxy between that breaks it.

The proxy reads whole requests and spoils what becomes of them: lost, late, sent twice, answers cut,
doubled on the wire, half-closed, reset, dripped, garbled; and the city is killed (SIGKILL) at a random
moment of a request, or finds its disk full. Each seed is a node of its own in the same city.
`PLAZA_PROXY_SEEDS` asks for more, from `PLAZA_PROXY_FIRST` on.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.attachments import read_attachment
from central.city import City
from central.keys import create_city_keys, load_city_key
from central.nodes import add_node
from central.staff import stored_facts
from central.store import Store, open_store
from municipio.clock import Instant, TimeQuality
from municipio.facts import FactDraft, FactType, decode_fact, encode_fact
from municipio.usecases.ports import AttachmentRef, Recorded
from municipio.wire.keys import public_pem
from sync.attachments import AttachmentStore
from sync.datadir import DataDir
from sync.delivery import Delivery
from sync.keys import NodeKey
from sync.ledger import SqliteLedger, open_ledger
from sync.link import LinkFile
from sync.outbox import Outbox
from sync.protocol import Exchange, Pace
from sync.transport import Courier
from sync.uploads import Uploads
from sync.verify import verify_ledger
from sync.worker import Worker

SEEDS = int(os.environ.get("PLAZA_PROXY_SEEDS", "8"))
FIRST = int(os.environ.get("PLAZA_PROXY_FIRST", "0"))
CITY = City()
NOW = datetime(2026, 1, 20, 18, tzinfo=UTC)
IMPATIENT_S = 0.3
"""How long the worker waits for an answer while everything goes wrong."""
PATIENT_S = 30.0
TYPES = (
    FactType.PAYMENT_TAKEN,
    FactType.REPORT_FILED,
    FactType.TERMS_ACCEPTED,
    FactType.DEVICE_CHANGED,
)
WORKERS_OWN = {FactType.NODE_STARTED, FactType.NODE_CLOCK_CHECKED}

_CITY = """
import os, signal, sys
from pathlib import Path
from central.city import City
from central.server import serve
from central.wiring import build
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
folder = Path(sys.argv[1])
for line in sys.stdin:
    if os.fork() == 0:
        program = build(f"sqlite:///{folder}/central.sqlite", folder / "keys", "ficha", City())
        serve(program.app, "127.0.0.1", 0, lambda port: print(os.getpid(), port, flush=True))
"""


class Town:
    """The city's program, which may be killed at any instruction and started again."""

    def __init__(self, folder: Path) -> None:
        create_city_keys(folder / "keys")
        self.public = load_city_key(folder / "keys").public
        self.store: Store = open_store(f"sqlite:///{folder}/central.sqlite")
        self._folder = folder
        self._mother = subprocess.Popen(
            [sys.executable, "-P", "-c", _CITY, str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.pid = self.port = 0
        self._killing = threading.Lock()
        self.start()

    def start(self) -> None:
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        print("start", file=self._mother.stdin, flush=True)
        self.pid, self.port = map(int, self._mother.stdout.readline().split())

    def kill(self) -> None:
        with self._killing:  # a late request of an earlier connection may meet the same fate
            os.kill(self.pid, signal.SIGKILL)
            self.start()

    @contextlib.contextmanager
    def full_disk(self) -> Iterator[None]:
        """No file of the city may grow: its database and its log, if they are not there yet."""
        self._limit_files(512)
        try:
            yield
        finally:
            self._limit_files(resource.RLIM_INFINITY)

    def _limit_files(self, size: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self._mother.kill()
        self._mother.communicate()
        self.store.close()


FATES = (
    "well", "well", "well", "lost", "late", "refused", "reset", "answer lost", "twice",
    "answered twice", "cut", "half-closed", "half asked", "dripped", "garbled", "killed", "full",
)  # fmt: skip


class Proxy:
    """Between the worker and the city, one thread per connection. `fates` None: everything goes well."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.chance: random.Random | None = None
        self.is_refusing = False
        self.connections = 0
        self.met: set[str] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.is_refusing:
                _reset(client)
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            client.settimeout(PATIENT_S)
            while (request := _read_message(client)) and self._answer(client, request):
                pass

    def _answer(self, client: socket.socket, request: bytes) -> bool:
        """False when the connection is over."""
        chance = self.chance
        fate = "well" if chance is None else chance.choice(FATES)
        self.met.add(fate)
        if fate in ("refused", "reset"):
            _reset(client)
            return False
        if fate == "lost":
            time.sleep(IMPATIENT_S + 0.1)
            return False
        if fate == "late":
            time.sleep(IMPATIENT_S + 0.1)
        reply = self._ask(fate, request, chance)
        if fate == "answer lost":
            _reset(client)
            return False
        if chance is None:
            client.sendall(reply)
            return bool(reply)
        return self._spoil(client, fate, reply, chance)

    def _ask(self, fate: str, request: bytes, chance: random.Random | None) -> bytes:
        if fate == "full":
            with self._town.full_disk():
                return self._forward(request)
        if fate == "half asked" and chance is not None:
            return self._forward(request[: chance.randrange(len(request))])
        if fate == "twice":
            self._forward(request)
        if fate == "killed" and chance is not None:
            killer = threading.Timer(chance.random() * 0.03, self._town.kill)
            killer.start()
            reply = self._forward(request)
            killer.join()
            return reply
        return self._forward(request)

    def _forward(self, request: bytes) -> bytes:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self._town.port), timeout=PATIENT_S) as city,
        ):
            city.sendall(request)
            if len(request) < 4 or not _is_whole(request):
                city.shutdown(socket.SHUT_WR)
            return _read_message(city)
        return b""

    def _spoil(self, client: socket.socket, fate: str, reply: bytes, chance: random.Random) -> bool:
        if fate == "answered twice":
            client.sendall(reply + reply)
            return True
        if fate in ("cut", "half-closed"):
            client.sendall(reply[: chance.randrange(len(reply) + 1)])
            if fate == "half-closed":
                client.shutdown(socket.SHUT_WR)
                client.recv(1)
            return False
        if fate == "dripped":
            for place in range(0, len(reply), 40):
                client.sendall(reply[place : place + 40])
                time.sleep(0.03)
            return True
        if fate == "garbled":
            place = chance.randrange(len(reply) or 1)
            client.sendall(reply[:place] + chance.randbytes(3) + reply[place + 3 :])
            return False
        client.sendall(reply)
        return bool(reply)


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def _read_message(peer: socket.socket) -> bytes:
    """One HTTP message by its Content-Length; what came of it when the peer has enough."""
    raw = bytearray()
    while not _is_whole(raw):
        chunk = peer.recv(65536)
        if not chunk:
            break
        raw += chunk
    return bytes(raw)


def _is_whole(raw: bytes | bytearray) -> bool:
    head, found, body = bytes(raw).partition(b"\r\n\r\n")
    if not found:
        return False
    lengths = [v for k, _, v in (line.partition(b":") for line in head.lower().split(b"\r\n")[1:])
               if k.strip() == b"content-length"]  # fmt: skip
    return len(body) >= (int(lengths[0]) if lengths else 0)


class Now:
    def __init__(self) -> None:
        self._ms = 0

    def now(self) -> Instant:
        self._ms += 1
        return Instant(NOW, TimeQuality.SYNCED, "boot", self._ms)


class Node:
    """A node whose waiting is virtual and whose network is real."""

    def __init__(
        self,
        folder: Path,
        code: str,
        town: Town,
        proxy: Proxy,
        chance: random.Random,
        key: NodeKey | None = None,
    ) -> None:
        self.folder, self.code, self.town, self.proxy = folder, code, town, proxy
        self.chance, self.now, self.clock = chance, 1000.0, Now()
        self.key = key or NodeKey(Ed25519PrivateKey.generate())
        self.told: list[bytes] = []
        self.photos: dict[str, bytes] = {}
        add_node(town.store, CITY.inegi, code, self.key.public, NOW, replace=True)
        opened = open_ledger(folder / "ledger.sqlite", self.clock, code, CITY.inegi)
        assert isinstance(opened, SqliteLedger), opened
        self.ledger, self.outbox = opened, Outbox(opened)
        self.uploads = Uploads(opened, AttachmentStore(folder / "attachments"))
        self.courier: Courier | None = None
        self.start(IMPATIENT_S)

    def start(self, timeout_s: float) -> None:
        if self.courier is not None:
            self.courier.close()
        self.courier = Courier(f"http://127.0.0.1:{self.proxy.port}", self.key, timeout_s)
        delivery = Delivery(
            self.outbox, self.code, self.key, self.town.public, self.courier, self.uploads
        )
        exchange = Exchange(Pace(5, 5, 1800), self.chance.random, attempts=self.outbox.attempts())
        exchange.begin(self.now)
        self.worker = Worker(
            self.ledger,
            delivery,
            exchange,
            LinkFile(self.folder / "link.json"),
            seconds=lambda: self.now,
        )

    def record(self, data: dict[str, object] | None = None) -> None:
        kind = FactType.REPORT_FILED if data else self.chance.choice(TYPES)
        done = self.ledger.record(FactDraft(kind, data or {"n": len(self.told)}))
        assert isinstance(done, Recorded), done
        self.told.append(encode_fact(done.fact))

    def photograph(self) -> None:
        sealed = self.chance.randbytes(self.chance.randrange(1, 200_000))
        ref = self.uploads.store.put(sealed, "image/jpeg")
        assert isinstance(ref, AttachmentRef)
        self.photos[ref.sha256] = sealed
        self.record({"attachments": [ref.document()]})

    def step(self) -> None:
        self.now += self.worker.step(self.now) + 0.01

    def settle(self) -> None:
        self.start(PATIENT_S)
        for _ in range(1000):
            if not self.outbox.waiting() and not self.uploads.waiting():
                return
            self.step()
        raise AssertionError("the queue does not drain")

    def close(self) -> None:
        if self.courier is not None:
            self.courier.close()
        self.ledger.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    found = Town(tmp_path_factory.mktemp("city"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def proxy(town: Town) -> Iterator[Proxy]:
    found = Proxy(town)
    yield found
    found.close()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_every_fact_is_at_the_city_once_whatever_the_wire_does(
    tmp_path: Path, town: Town, proxy: Proxy, seed: int
) -> None:
    chance = random.Random(seed)
    code = f"{'ABCDEFGHIJ'[seed // 900 % 10]}OA{seed % 900 + 1:03d}"
    node = Node(tmp_path, code, town, proxy, chance)
    proxy.chance = random.Random(-seed)
    for _ in range(25):
        deed = chance.random()
        if deed < 0.4:
            node.record()
        elif deed < 0.45:
            node.photograph()
        else:
            node.step()
    proxy.chance = None
    node.settle()
    held = [bytes(raw) for raw in stored_facts(town.store, CITY.inegi, code, "")]
    assert sorted(held) == sorted(node.told)
    assert verify_ledger(node.ledger).problems == ()
    assert node.outbox.epoch() == 1
    for sha256, sealed in node.photos.items():
        assert read_attachment(town.store, CITY.inegi, sha256) == sealed
    node.close()


def test_hours_without_a_city_cost_few_connections(
    tmp_path: Path, town: Town, proxy: Proxy
) -> None:
    """Counted on real sockets, with hours of virtual waiting: no busy loop."""
    node = Node(tmp_path, "ZZZ001", town, proxy, random.Random(1))
    for _ in range(20):
        node.record()
    proxy.is_refusing = True
    per_hour: list[int] = []
    for _ in range(4):
        before, until = proxy.connections, node.now + 3600
        while node.now < until:
            node.step()
        per_hour.append(proxy.connections - before)
    proxy.is_refusing = False
    assert max(per_hour) <= 160, per_hour
    assert max(per_hour[1:]) <= 125, per_hour
    node.settle()
    node.close()


def test_a_real_worker_and_a_real_city_killed_again_and_again_lose_nothing(
    tmp_path: Path, town: Town, proxy: Proxy
) -> None:
    """`python -m sync run` on one ledger with a program that records; SIGKILL to both at any moment."""
    chance = random.Random(7)
    proxy.chance = random.Random(8)
    key = prepare(tmp_path, town, proxy)
    node = Node(tmp_path, "ZZZ002", town, proxy, chance, key)
    worker = start_worker(tmp_path)
    for _ in range(5):
        before, deadline = proxy.connections, time.monotonic() + 20
        for _ in range(5):
            node.record()
        while proxy.connections == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(chance.random() * 0.7)
        worker.kill()
        worker.wait()
        if chance.random() < 0.5:
            town.kill()
        worker = start_worker(tmp_path)
    proxy.chance = None
    worker.kill()
    worker.wait()
    configure(tmp_path, proxy, PATIENT_S)  # a busy machine must not look like a bad wire any more
    worker = start_worker(tmp_path)
    deadline = time.monotonic() + 60
    while node.outbox.waiting() and time.monotonic() < deadline:
        time.sleep(0.1)
    worker.terminate()
    assert worker.wait(timeout=30) == 0
    held = [bytes(raw) for raw in stored_facts(town.store, CITY.inegi, "ZZZ002", "")]
    assert set(node.told) <= set(held)
    own = [decode_fact(raw).type for raw in held if raw not in node.told]
    assert len(held) == len(set(held))
    assert set(own) <= WORKERS_OWN, "what the worker itself tells"
    assert verify_ledger(node.ledger).problems == ()
    node.close()


def prepare(folder: Path, town: Town, proxy: Proxy) -> NodeKey:
    """A data directory for the worker's program."""
    data = DataDir(folder)
    data.create()
    data.city_pub.write_bytes(public_pem(town.public))
    configure(folder, proxy, 1)
    return NodeKey.create(data)


def configure(folder: Path, proxy: Proxy, timeout_s: float) -> None:
    DataDir(folder).settings_file.write_text(
        f'city.code = "ZZZ"\nnode.number = 2\ncity.inegi = "{CITY.inegi}"\n'
        f'central.url = "http://127.0.0.1:{proxy.port}"\ncentral.timeout_s = {timeout_s:.0f}\n'
        "sync.heartbeat_s = 1\nsync.retry_min_s = 1\nsync.retry_max_s = 2\n"
    )


def start_worker(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "sync", "run", "--data", str(folder)],
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )
