"""Draining a node's queue into central over real HTTP, and how often central says it is well.

Prints one JSON object per figure. The server is a process of its own with a SQLite file (WAL,
synchronous FULL); facts are made and signed before the clock starts.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from central.node_simulator import NodeSimulator
from municipio.facts import FactType, Lane
from municipio.wire.ack import Ack, decode_ack
from municipio.wire.batch import pack
from municipio.wire.keys import load_public, public_pem

FACTS = 10_000
PER_BATCH = 500
HEALTH_S = 2.0
CLIENTS = 4


def central(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "central", *words]


def queued_node() -> tuple[NodeSimulator, list[bytes]]:
    """A node with a full queue of reports, as packed batches ready for the wire."""
    node = NodeSimulator()
    for number in range(FACTS):
        about = {"service_code": "luminaria", "colonia": "IQUISA", "sealed": "-" * 300}
        node.record(FactType.REPORT_FILED, {**about, "number": number})
    starts = range(1, FACTS + 1, PER_BATCH)
    return node, [pack(node.batch(Lane.REP, n, min(n + PER_BATCH - 1, FACTS))) for n in starts]


def drain(
    address: tuple[str, int], node: NodeSimulator, batches: list[bytes], city: bytes
) -> float:
    """Seconds until the last signed acknowledgement; asserts that everything is held."""
    connection = http.client.HTTPConnection(*address, timeout=30)
    path, public = node.batches_path(), load_public(city)
    through = 0
    start = time.perf_counter()
    for body in batches:
        connection.request("POST", path, body, node.headers("POST", path, body))
        ack = decode_ack(connection.getresponse().read(), public)
        assert isinstance(ack, Ack), ack
        through = ack.through
    spent = time.perf_counter() - start
    connection.close()
    assert through == FACTS
    return spent


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


def main() -> None:
    node, batches = queued_node()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        db = f"sqlite:///{home}/central.sqlite"
        subprocess.run(central("key", "create", "--db", db), check=True, capture_output=True)
        (home / "node.pub").write_bytes(public_pem(node.public))
        add = central("node", "add", node.node, "--key", str(home / "node.pub"), "--db", db)
        subprocess.run(add, check=True, capture_output=True)
        run = central("run", "--db", db, "--listen", "127.0.0.1:0")
        server = subprocess.Popen(run, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            url = urlsplit(server.stdout.readline().split()[-1])
            address = (str(url.hostname), int(url.port or 0))
            city = (home / "city-keys" / "city.pub").read_bytes()
            spent = drain(address, node, batches, city)
            health = ask_health(address)
        finally:
            server.terminate()
            server.wait(timeout=10)
    what = f"central: drain of {FACTS:,} queued facts over HTTP into SQLite (FULL)"
    peer = "nation's mean for 99,120 nodes: 231"
    show(what, FACTS / spent, "facts/s", ">= 2000", peer)
    show("central: signed health answers, 4 clients", health, "requests/s", ">= 330", "")


def show(what: str, value: float, unit: str, goal: str, peer: str) -> None:
    line = {"what": what, "value": round(value, 1), "unit": unit, "goal": goal}
    print(json.dumps({**line, "peer": peer} if peer else line), flush=True)


if __name__ == "__main__":
    main()
