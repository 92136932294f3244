"""Draining nodes' queues into central over real HTTP, and how often central says it is well.

Prints one JSON object per figure. Servers are processes of their own: one with a SQLite file (WAL,
synchronous FULL), then two that share a PostgreSQL that really syncs. Facts are made, packed and
signed before the clock starts; clients and servers share the machine.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from central.node_simulator import NodeSimulator
from central.trial_postgres import trial_postgres
from municipio.facts import FactType, Lane
from municipio.wire.ack import Ack, decode_ack
from municipio.wire.batch import pack
from municipio.wire.keys import load_public, public_pem

FACTS = 10_000
FACTS_POSTGRES = 100_000
NODES = 4
SERVERS = 2
PER_BATCH = 500
HEALTH_S = 2.0
PUSHES = 400
CLIENTS = 4
NATION = "nation's mean for 99,120 nodes: 231"


def central(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "central", *words]


def queued_node(code: str, facts: int) -> tuple[NodeSimulator, list[tuple[bytes, dict[str, str]]]]:
    """A node with a full queue of reports, as signed requests ready for the wire."""
    node = NodeSimulator(node=code)
    for number in range(facts):
        about = {"service_code": "luminaria", "colonia": "IQUISA", "sealed": "-" * 300}
        node.record(FactType.REPORT_FILED, {**about, "number": number})
    starts = range(1, facts + 1, PER_BATCH)
    bodies = [pack(node.batch(Lane.REP, n, min(n + PER_BATCH - 1, facts))) for n in starts]
    path = node.batches_path()
    return node, [(body, node.headers("POST", path, body)) for body in bodies]


def drain(
    address: tuple[str, int],
    node: NodeSimulator,
    queue: list[tuple[bytes, dict[str, str]]],
    city: bytes,
) -> int:
    """Send everything, one batch after the other; the place that the city signed for at the end."""
    connection = http.client.HTTPConnection(*address, timeout=60)
    path, public = node.batches_path(), load_public(city)
    through = 0
    for body, headers in queue:
        connection.request("POST", path, body, headers)
        ack = decode_ack(connection.getresponse().read(), public)
        assert isinstance(ack, Ack), ack
        through = ack.through
    connection.close()
    return through


def ask_health(address: tuple[str, int]) -> float:
    """Answers a second with a few keep-alive clients."""
    answered = [0] * CLIENTS
    stop = time.perf_counter() + HEALTH_S

    def ask(index: int) -> None:
        connection = http.client.HTTPConnection(*address, timeout=10)
        while time.perf_counter() < stop:
            connection.request("GET", "/v1/health")
            reply = connection.getresponse()
            reply.read()
            answered[index] += reply.status == 200
        connection.close()

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answered) / HEALTH_S


def small_pushes(address: tuple[str, int], node: NodeSimulator, city: bytes) -> list[float]:
    """Milliseconds of each small push, one after the other: a payment's three facts and its answer."""
    path, public = node.batches_path(), load_public(city)
    sent = []
    for number in range(PUSHES):
        for type in (FactType.PAYMENT_INTENDED, FactType.PAYMENT_TAKEN, FactType.RECEIPT_PRINTED):
            node.record(type, {"amount_centavos": 1, "number": number})
        body = pack(node.batch(Lane.PAY, 3 * number + 1, 3 * number + 3))
        sent.append((body, node.headers("POST", path, body)))
    connection = http.client.HTTPConnection(*address, timeout=60)
    spent = []
    for body, headers in sent:
        start = time.perf_counter()
        connection.request("POST", path, body, headers)
        ack = decode_ack(connection.getresponse().read(), public)
        spent.append(1000 * (time.perf_counter() - start))
        assert isinstance(ack, Ack), ack
    connection.close()
    return spent


def bare_commits(url: str) -> list[float]:
    """Milliseconds of one row committed by PostgreSQL, with nothing around it: the floor of a push."""
    spent = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bare (number bigint PRIMARY KEY, raw bytea)")
        for number in range(PUSHES):
            start = time.perf_counter()
            connection.execute("INSERT INTO bare VALUES (%s, %s)", (number, b"-" * 400))
            spent.append(1000 * (time.perf_counter() - start))
    return spent


def p99(spent: list[float]) -> float:
    return sorted(spent)[int(len(spent) * 0.99)]


def prepare(db: str, home: Path, nodes: list[NodeSimulator]) -> list[str]:
    """Keys of the city and of the nodes; returns the option that says where the city's keys are."""
    keys = ["--keys", str(home / "keys")]
    subprocess.run(central("key", "create", "--db", db, *keys), check=True, capture_output=True)
    for node in nodes:
        (home / "node.pub").write_bytes(public_pem(node.public))
        add = central("node", "add", node.node, "--key", str(home / "node.pub"), "--db", db)
        subprocess.run(add, check=True, capture_output=True)
    return keys


def cpu_s(pids: list[int]) -> float:
    """Seconds of processor that these processes have used (proc_pid_stat(5), fields 14 and 15)."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def backends(url: str) -> list[int]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        return [pid for (pid,) in found]


@contextmanager
def serving(db: str, keys: list[str], pids: list[int] | None = None) -> Iterator[tuple[str, int]]:
    run = central("run", "--db", db, "--listen", "127.0.0.1:0", *keys)
    server = subprocess.Popen(run, stdout=subprocess.PIPE, text=True)
    (pids if pids is not None else []).append(server.pid)
    try:
        assert server.stdout is not None
        url = urlsplit(server.stdout.readline().split()[-1])
        yield str(url.hostname), int(url.port or 0)
    finally:
        server.terminate()
        server.wait(timeout=20)


def on_sqlite(home: Path) -> None:
    node, queue = queued_node("COA001", FACTS)
    db = f"sqlite:///{home}/central.sqlite"
    keys = prepare(db, home, [node])
    with serving(db, keys) as address:
        city = (home / "keys" / "city.pub").read_bytes()
        start = time.perf_counter()
        assert drain(address, node, queue, city) == FACTS
        spent = time.perf_counter() - start
        health = ask_health(address)
    what = f"central: drain of {FACTS:,} queued facts over HTTP into SQLite (FULL)"
    show(what, FACTS / spent, "facts/s", ">= 2000", NATION)
    show("central: signed health answers, 4 clients", health, "requests/s", ">= 330", "")


def on_postgres(home: Path, url: str) -> None:
    each = FACTS_POSTGRES // NODES
    queues = [queued_node(f"COA{number:03d}", each) for number in range(1, NODES + 1)]
    keys = prepare(url, home, [node for node, _ in queues])
    city = (home / "keys" / "city.pub").read_bytes()
    with ExitStack() as stack:
        pids: list[int] = []
        addresses = [stack.enter_context(serving(url, keys, pids)) for _ in range(SERVERS)]
        pool = stack.enter_context(ThreadPoolExecutor(NODES))
        start, began = time.perf_counter(), (cpu_s(pids), time.process_time())
        sent = [
            pool.submit(drain, addresses[number % SERVERS], node, queue, city)
            for number, (node, queue) in enumerate(queues)
        ]
        assert [job.result() for job in sent] == [each] * NODES
        spent = time.perf_counter() - start
        used = (cpu_s(pids) - began[0], cpu_s(backends(url)), time.process_time() - began[1])
        done = wait_for_books(url)
        pushes = small_pushes(addresses[0], queues[0][0], city)
    what = f"central: drain of {FACTS_POSTGRES:,} facts of {NODES} nodes into PostgreSQL, {SERVERS} processes"
    show(what, FACTS_POSTGRES / spent, "facts/s", ">= 20000", NATION)
    each_us = [f"{1e6 * s / FACTS_POSTGRES:.0f}" for s in used]
    whose = "processor: {} µs/fact of central with its books, {} of PostgreSQL, {} of the clients"
    what = "central: processor for each fact of that drain, on all cores"
    show(what, sum(used) * 1e6 / FACTS_POSTGRES, "µs", "", whose.format(*each_us))
    what = "central: the same facts counted in the books, from the first batch on"
    show(what, FACTS_POSTGRES / (done - start), "facts/s", "", NATION)
    bare = f"one row committed by itself: {p99(bare_commits(url)):.1f}"
    show("central: a push of 3 facts over HTTP, PostgreSQL", p99(pushes), "ms p99", "< 50", bare)


def wait_for_books(url: str) -> float:
    """When the projector has read everything, by the monotonic clock."""
    behind = "SELECT count(*) FROM heads WHERE projected < through"
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            (number,) = connection.execute(behind).fetchone() or (0,)
            if number == 0:
                return time.perf_counter()
            time.sleep(0.2)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        on_sqlite(Path(name))
    with tempfile.TemporaryDirectory() as name, trial_postgres(("max_wal_size=2GB",)) as url:
        on_postgres(Path(name), url.format(database="postgres"))


def show(what: str, value: float, unit: str, goal: str, peer: str) -> None:
    line = {"what": what, "value": round(value, 1), "unit": unit, "goal": goal}
    print(json.dumps({**line, "peer": peer} if peer else line), flush=True)


if __name__ == "__main__":
    main()
