"""Which WSGI server for a portal: pages while phones hold connections open and never say anything.

One process each, eight threads, the same application: waitress (ours), gunicorn with its threaded
worker, cheroot. 24 phones ask for the first page on a new connection each while nobody, 64 idle
keep-alive connections, or 64 half-sent requests hold on. And the memory of ours with 1,000 visits.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import re
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from captive_portal.app import create_app
from captive_portal.server import make_server
from captive_portal.simulator import RunningClock, simulated_node

PHONES, HELD, SECONDS, THREADS = 24, 64, 3.0, 8
REQUEST = b"GET /es/servicios HTTP/1.1\r\nHost: portal\r\n%sUser-Agent: phone\r\n\r\n"


def say(what: str, value: float, unit: str, **more: str) -> None:
    print(json.dumps({"what": what, "value": round(value, 2), "unit": unit, **more}), flush=True)


def application() -> Any:
    return create_app(
        simulated_node(listen="portal", public_url="http://portal", clock=RunningClock()).ports
    )


def waitress(port: int) -> None:
    make_server(application(), f"127.0.0.1:{port}", THREADS).run()


def gunicorn(port: int) -> None:
    from gunicorn.app.base import BaseApplication  # type: ignore[import-not-found]  # a peer

    class Peer(BaseApplication):  # type: ignore[misc]  # the base class has no types
        def load_config(self) -> None:
            for name, value in (
                ("bind", f"127.0.0.1:{port}"), ("workers", 1), ("threads", THREADS),
                ("worker_class", "gthread"), ("keepalive", 15), ("loglevel", "critical"),
            ):  # fmt: skip
                self.cfg.set(name, value)

        def load(self) -> Any:
            return application()

    Peer().run()


def cheroot(port: int) -> None:
    from cheroot.wsgi import Server  # type: ignore[import-not-found]  # a peer

    Server(("127.0.0.1", port), application(), numthreads=THREADS).start()


SERVERS: dict[str, Callable[[int], None]] = {
    "waitress": waitress,
    "gunicorn": gunicorn,
    "cheroot": cheroot,
}


def ask(port: int) -> float:
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), 10) as peer:
        peer.sendall(REQUEST % b"Connection: close\r\n")
        data = b""
        while piece := peer.recv(65536):
            data += piece
    assert data.startswith(b"HTTP/1.1 200"), data[:40]
    return time.perf_counter() - began


def crowd(port: int) -> tuple[float, float, int]:
    """Pages a second, p99 in ms, and how many got none."""
    times: list[float] = []
    lost: list[int] = []
    until = time.perf_counter() + SECONDS

    def phone() -> None:
        while time.perf_counter() < until:
            try:
                times.append(ask(port))
            except (OSError, AssertionError):
                lost.append(1)

    phones = [threading.Thread(target=phone) for _ in range(PHONES)]
    began = time.perf_counter()
    for p in phones:
        p.start()
    for p in phones:
        p.join()
    rate = len(times) / (time.perf_counter() - began)
    p99 = statistics.quantiles(times, n=100)[-1] * 1000 if len(times) > 2 else 0.0
    return rate, p99, len(lost)


def hold(port: int, first: bytes) -> list[socket.socket]:
    """Connections that said so much and then nothing."""
    held = []
    for _ in range(HELD):
        with contextlib.suppress(OSError):
            peer = socket.create_connection(("127.0.0.1", port), 3)
            peer.sendall(first)
            held.append(peer)
    time.sleep(0.5)
    return held


def compare(name: str) -> None:
    if name != "waitress" and importlib.util.find_spec(name) is None:
        say(f"server: {name} NOT RUN, is not installed", 0, "")
        return
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = int(door.getsockname()[1])
    server = get_context("spawn").Process(target=SERVERS[name], args=(port,))
    server.start()
    try:
        limit = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError, AssertionError):
                ask(port)
                break
            assert time.monotonic() < limit, f"{name} never answered"
            time.sleep(0.1)
        for what, first in (
            ("nobody holding on", b""),
            (f"{HELD} idle connections", REQUEST % b""),
            (f"{HELD} half requests", b"GET / HTTP/1.1\r\nHost: por"),
        ):
            held = hold(port, first) if first else []
            rate, p99, lost = crowd(port)
            peer = {"peer": f"{lost} got no page"} if lost else {}
            say(f"server: {name}, {what}", rate, "pages/s", **peer)
            say(f"server: {name}, {what}", p99, "ms p99")
            for connection in held:
                connection.close()
    finally:
        server.terminate()
        server.join(10)
        server.kill()


def memory(ready: Any) -> None:
    """1,000 visits, each with a code, in one process; its resident memory before and after."""
    node = simulated_node(clock=RunningClock())
    create_app(node.ports)
    terms = node.catalogue.terms("es")
    assert terms is not None
    before = resident_kib()
    for n in range(1000):
        ip = f"10.66.{n // 250}.{1 + n % 250}"
        node.ports.door.enter(ip, "es", terms.sha256)
        node.ports.door.code_for(ip)
    ready.put((before, resident_kib()))


def resident_kib() -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1])


def main() -> None:
    for name in SERVERS:
        compare(name)
    context = get_context("spawn")
    ready = context.Queue()
    process = context.Process(target=memory, args=(ready,))
    process.start()
    before, after = ready.get(timeout=120)
    process.join()
    say("portal: memory with 1,000 visits and codes", after / 1024, "MiB")
    say("portal: of it for the visits", (after - before) / 1024, "MiB")


if __name__ == "__main__":
    sys.exit(main())
