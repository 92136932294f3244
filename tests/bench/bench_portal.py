"""The portal's figures: durable acceptances, probe answers, bytes of a page.

32 phones at once, each a new connection per request as phones make them, over loopback from a second
process. The ledger is the node's own, on the disk of the working directory.
"""

from __future__ import annotations

import http.client
import json
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from captive_portal.app import create_app
from captive_portal.door import Door
from captive_portal.resume import ResumeBook
from captive_portal.server import make_server
from captive_portal.simulator import RunningClock, simulated_node
from sync.ledger import SqliteLedger, open_ledger

PHONES = 32
SECONDS = 4.0
PROBE = "connectivitycheck.gstatic.com"


def say(what: str, value: float, unit: str, **more: str) -> None:
    print(json.dumps({"what": what, "value": round(value, 3), "unit": unit, **more}))


def serve(folder: Path, threads: int, ready: Any) -> None:
    """A portal with the real ledger; every request is a new phone (no visit is kept open)."""
    clock = RunningClock()
    node = simulated_node(listen="127.0.0.1:0", clock=clock)
    ledger = open_ledger(folder / f"ledger-{threads}.sqlite", clock, "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)

    class Forgetful(type(node.ports.gate)):  # type: ignore[misc]  # the gate of this bench
        def grant(self, ip: str, seconds: int, *limits: Any) -> Any:
            visit = super().grant(ip, seconds, *limits)
            self._open.clear()
            return visit

    node.ports.gate.__class__ = Forgetful
    site = replace(node.ports.site, hosts=frozenset({"portal"}), public_url="http://portal")
    door = Door(
        profile=node.ports.door.profile,
        gate=node.ports.gate,
        ledger=ledger,
        catalogue=node.catalogue,
        clock=clock,
        zone=site.zone,
        codes=ResumeBook(None, clock),
    )
    app = create_app(replace(node.ports, ledger=ledger, site=site, door=door))
    server = make_server(app, "127.0.0.1:0", threads)
    ready.put(server.effective_port)
    server.run()


def ask(port: int, method: str, path: str, host: str, body: str = "") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Host": host}
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    result = answer.status, answer.read()
    connection.close()
    return result


def accept_once(port: int) -> float:
    """Open the page, then tap; seconds of the tap alone."""
    page = ask(port, "GET", "/es/", "portal")[1].decode()
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    body = "&".join(f"{name}={value}" for name, value in fields)
    began = time.perf_counter()
    status, _ = ask(port, "POST", "/es/conectar", "portal", body)
    assert status == 303, status
    return time.perf_counter() - began


def probe_once(port: int) -> float:
    began = time.perf_counter()
    assert ask(port, "GET", "/generate_204", PROBE)[0] == 302
    return time.perf_counter() - began


def crowd(once: Callable[[int], float], port: int) -> tuple[float, float]:
    """PHONES at once for SECONDS: operations per second and p95 in milliseconds."""
    times: list[float] = []
    until = time.perf_counter() + SECONDS

    def phone() -> None:
        while time.perf_counter() < until:
            times.append(once(port))

    phones = [threading.Thread(target=phone) for _ in range(PHONES)]
    began = time.perf_counter()
    for p in phones:
        p.start()
    for p in phones:
        p.join()
    spent = time.perf_counter() - began
    return len(times) / spent, statistics.quantiles(times, n=20)[-1] * 1000


def web(folder: Path) -> None:
    context = get_context("spawn")
    for threads in (4, 8, 16):
        ready = context.Queue()
        server = context.Process(target=serve, args=(folder, threads, ready), daemon=True)
        server.start()
        port = ready.get(timeout=30)
        accept_once(port)
        rate, p95 = crowd(accept_once, port)
        say(f"portal: durable accepts, page and tap, {threads} threads", rate, "accepts/s")
        say(f"portal: the tap alone, {PHONES} phones, {threads} threads", p95, "ms p95")
        if threads == 8:
            rate, p95 = crowd(probe_once, port)
            say("portal: probe answers, a connection each", rate, "answers/s")
            say(f"portal: probe answer, {PHONES} phones", p95, "ms p95")
            sheet = ask(port, "GET", "/portal.css", "portal")[1]
            for name, path in (("welcome page", "/es/"), ("report form", "/es/reporte")):
                size = len(ask(port, "GET", path, "portal")[1]) + len(sheet)
                say(f"portal: {name} with style sheet", size / 1024, "KiB", goal="< 15")
        server.terminate()
        server.join()


def main() -> None:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        web(Path(folder))


if __name__ == "__main__":
    main()
