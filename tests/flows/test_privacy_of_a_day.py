"""A busy day through the real programs: no hardware address, IP address or asked-for name is kept anywhere.

The portal and the gate's socket run as on a node; a hundred phones arrive, are refused, accept, guess
codes, use codes, ask for other sites, send rubbish and leave. Then every file of the node and every
line that any program wrote is searched.
"""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from captive_portal.gate.daemon import GateDaemon
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.wiring import boot_ms
from captive_portal.pseudonym import DayKey

ASKED = ("secreto-del-visitante.example.org", "otro-sitio.example.net")
PHONES = [f"127.66.{n // 50}.{10 + n % 50}" for n in range(100)]
"""Addresses of the loopback network stand for guests: they reach the portal as they are."""
MACS = [f"06:66:00:00:00:{n:02x}" for n in range(100)]


@dataclass
class Day:
    folder: Path
    port: int = 0
    program: subprocess.Popen[bytes] | None = None
    gate: MemoryGate = field(
        default_factory=lambda: MemoryGate(boot_ms, DayKey(boot_ms), max_open=80)
    )

    def ask(
        self, ip: str, method: str, path: str, host: str = "", form: dict[str, str] | None = None
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, 30, source_address=(ip, 0))
        body = "&".join(f"{k}={v}" for k, v in (form or {}).items())
        mac = MACS[PHONES.index(ip)]
        headers = {
            "Host": host or f"127.0.0.1:{self.port}",
            "User-Agent": f"phone {mac}",
            "X-Forwarded-For": ip,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def fields(self, ip: str, path: str, form: str) -> dict[str, str]:
        _, html = self.ask(ip, "GET", path)
        found = re.search(rf'action="[^"]*{form}".*?</form>', html, re.DOTALL)
        return dict(
            re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', found[0] if found else "")
        )


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    here = Day(tmp_path)
    socket_path = tmp_path / "gate.sock"
    daemon = GateDaemon(here.gate, socket_path, {os.getuid()})
    threading.Thread(target=daemon.serve, daemon=True).start()
    data = tmp_path / "node"
    data.mkdir()
    (data / "settings.toml").write_text(f'[portal]\ngate_socket = "{socket_path}"\n')
    _plaza(tmp_path, "central", "demo-data", "--db", f"sqlite:///{tmp_path}/city.sqlite",
           "--content", str(tmp_path / "content"), "--accounts", "4")  # fmt: skip
    key = next(tmp_path.glob("city-keys/*.pub*"))
    _plaza(tmp_path, "plaza", "node", "init", "--data", str(data),
           "--central", "http://127.0.0.1:8311", "--city-key", str(key))  # fmt: skip
    _plaza(tmp_path, "plaza", "content", "import", str(tmp_path / "content"), "--data", str(data))
    here.port = _free_port()
    site = tmp_path / "site.toml"
    site.write_text(
        f'name = "Parque de prueba (demostración)"\nurl = "http://127.0.0.1:{here.port}"\n'
        "max_devices = 80\n[visit]\nsession_s = 600\nsession_bytes = 1000000\n"
    )
    with (tmp_path / "portal.log").open("wb") as log:
        here.program = subprocess.Popen(
            [sys.executable, "-P", "-m", "plaza", "portal", "run", "--data", str(data), "--gate",
             "nft", "--site", str(site), "--listen", f"127.0.0.1:{here.port}"],
            stdout=log, stderr=log,
        )  # fmt: skip
    _eventually(lambda: _answers(here))
    yield here
    if here.program.poll() is None:
        here.program.kill()
        here.program.wait(20)
    daemon.stop()


def _plaza(folder: Path, *words: str) -> None:
    argv = [sys.executable, "-P", "-m", *words]
    subprocess.run(argv, check=True, capture_output=True, timeout=120, cwd=folder)


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def _answers(day: Day) -> bool:
    try:
        return day.ask(PHONES[0], "GET", "/es/servicios")[0] == 200
    except OSError:
        return False


def _eventually(check: object) -> None:
    until = time.monotonic() + 60
    while not check():  # type: ignore[operator]  # a function without arguments
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.2)


def _live(day: Day) -> None:
    """What a hundred phones do."""
    for n, ip in enumerate(PHONES):
        day.ask(ip, "GET", "/generate_204", "connectivitycheck.gstatic.com")
        day.ask(ip, "GET", f"/busca?q={MACS[n]}", ASKED[n % 2])
        fields = day.fields(ip, "/es/", "/conectar")
        status = day.ask(ip, "POST", "/es/conectar", form=fields)[0] if fields else 0
        assert status == (303 if n < 80 else 0)
    codes = []
    for ip in PHONES[:3]:
        _, page = day.ask(
            ip, "POST", "/es/mi-codigo", form=day.fields(ip, "/es/en-linea", "/mi-codigo")
        )
        codes.append("+".join(re.findall(r"<li>(\w+)</li>", page)))
    for ip, code in zip(PHONES[90:93], codes, strict=True):
        form = day.fields(ip, "/es/codigo", "/codigo") | {"codigo": code}
        assert day.ask(ip, "POST", "/es/codigo", form=form)[0] == 303
    for ip in PHONES[95:]:
        form = day.fields(ip, "/es/codigo", "/codigo") | {"codigo": ASKED[0]}
        assert day.ask(ip, "POST", "/es/codigo", form=form)[0] == 422
        day.ask(ip, "POST", "/es/conectar", form={"seal": MACS[0]})
        day.ask(ip, "GET", f"/{ASKED[1]}")
    for ip in PHONES[10:30]:
        day.gate.spend(ip, 1_000_000)
    for ip in PHONES[30:40]:
        day.gate.revoke(ip)


@pytest.mark.timeout(300)
def test_a_busy_day_leaves_no_address_and_no_name(day: Day) -> None:
    _live(day)
    assert day.program is not None
    day.program.send_signal(signal.SIGTERM)
    assert day.program.wait(60) == 0

    kept = b"".join(
        path.read_bytes()
        for path in sorted(day.folder.rglob("*"))
        if path.is_file() and path.suffix not in (".pub",) and "content" not in path.parts
    )
    ledger = b"".join(p.read_bytes() for p in (day.folder / "node").glob("ledger.sqlite*"))
    assert ledger.count(b"terms.accepted") >= 83
    assert b"visit.ended" in ledger, "an orderly stop tells the hour"
    for private in (*PHONES, *MACS, *(mac.replace(":", "") for mac in MACS), *ASKED):
        assert private.encode() not in kept, private
    assert not re.search(rb"127\.66\.\d+\.\d+", kept)
    assert b"phone 06" not in kept
    assert b"Traceback" not in (day.folder / "portal.log").read_bytes()
