"""The stage of a demonstration: it builds the city's data, the node and the street, and runs them.

This is the composition root of `plaza demo`. The controls are what a bench page or a tour may do to
the world: cut the cable, take the paper, hold the card, pull the plug of the kiosk.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from hardware.printer.simulator import PrinterSimulator
from hardware.terminal.simulator import TerminalSimulator
from plaza.demo.cable import Cable
from plaza.demo.plan import Plan
from plaza.demo.processes import Program, ProgramFailed, python_m, run_once
from plaza.demo.remote import KioskRemote

MARKER = "demostracion-de-plaza"
"""A folder with this file in it was made by a demonstration and may be emptied by the next one."""

_SETTINGS = """\
# Nodo de demostración: lugares, teléfonos y convenios inventados.
[node]
number = 7
site = "Parque Independencia (demostración)"
address = "Av. Independencia s/n, Centro (demostración)"
rtc = true

[central]
url = "{cable_url}"
verify_url = "{central_url}"
timeout_s = 4

[printer]
port = "{printer}"

[terminal]
port = "{terminal}"
wait_s = 60

[portal]
listen = "127.0.0.1:{portal}"
public_url = "{portal_url}"
gate = "memory"

[sync]
heartbeat_s = 1
retry_min_s = 1
retry_max_s = 20
"""


class StageFailed(RuntimeError):
    """The demonstration cannot be set up; the message says which part and why."""


def has_display() -> bool:
    """True when a window can be opened here."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Stage:
    def __init__(
        self, plan: Plan, *, window: bool, on: str = "", say: Callable[[str], None] = print
    ) -> None:
        self.plan = plan
        self.staff_token = secrets.token_urlsafe(12)
        self.window = window
        self._on = on
        self._say = say
        self.cable = Cable(plan.ports.cable, plan.ports.central)
        self.printer = PrinterSimulator(plan.receipts)
        self.terminal = TerminalSimulator()
        self.kiosk_remote = KioskRemote(plan.remote)
        self.central = self._program(
            "central",
            "central",
            "run",
            f"--db={plan.database_url}",
            f"--listen=127.0.0.1:{plan.ports.central}",
            env={"PLAZA_STAFF_TOKEN": self.staff_token},
        )
        self.sync = self._program("sync", "sync", "run", f"--data={plan.node}")
        self.portal = self._program(
            "portal",
            "captive_portal",
            f"--data={plan.node}",
            f"--listen=127.0.0.1:{plan.ports.portal}",
            "--gate=memory",
            f"--frame-ancestor={plan.bench_url}",
        )
        look = () if window else ("--offscreen",)
        self.kiosk = self._program(
            "kiosk", "kiosk", f"--data={plan.node}", f"--remote={plan.remote}", *look
        )

    def _program(
        self, name: str, module: str, *args: str, env: dict[str, str] | None = None
    ) -> Program:
        return Program(name, python_m(module, *args), self.plan.logs / f"{name}.log", env)

    # --- before the curtain ---------------------------------------------------------------

    def prepare(self) -> str:
        """Make the city's demo data and a fresh node that trusts it. Returns what demo-data said."""
        self._empty_home()
        said = self._make_city()
        self._make_node()
        return said

    def _empty_home(self) -> None:
        home = self.plan.home
        if home.exists() and any(home.iterdir()) and not (home / MARKER).exists():
            raise StageFailed(f"{home} is not empty and was not made by a demonstration")
        shutil.rmtree(home, ignore_errors=True)
        for folder in (self.plan.city, self.plan.receipts, self.plan.logs):
            folder.mkdir(parents=True)
        self.plan.printer_link.parent.mkdir()
        (home / MARKER).write_text("Hecho por `plaza demo`; se puede borrar.\n")

    def _make_city(self) -> str:
        db = f"--db={self.plan.database_url}"
        day = (f"--on={self._on}",) if self._on else ()
        return run_once(
            python_m("central", "demo-data", db, f"--content={self.plan.content}", *day)
        )

    def _make_node(self) -> None:
        plan = self.plan
        db = f"--db={plan.database_url}"
        city_key = plan.home / "city.pub"
        city_key.write_text(run_once(python_m("central", "key", "show", db)))
        data = f"--data={plan.node}"
        plaza = python_m("plaza")
        run_once(
            [*plaza, "node", "init", f"--central={plan.cable_url}", f"--city-key={city_key}", data]
        )
        (plan.node / "settings.toml").write_text(
            _SETTINGS.format(
                cable_url=plan.cable_url,
                central_url=plan.central_url,
                printer=plan.printer_link,
                terminal=plan.terminal_link,
                portal=plan.ports.portal,
                portal_url=plan.portal_url,
            )
        )
        node_key = plan.node / "keys" / "node.pub"
        run_once(python_m("central", "node", "add", "COA007", f"--key={node_key}", db))
        run_once([*plaza, "content", "import", str(plan.content), data])

    # --- the play -------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything and return when the city, the portal and the kiosk answer."""
        self.printer.open()
        self.printer.link(self.plan.printer_link)
        self.terminal.open()
        self.terminal.link(self.plan.terminal_link)
        self.cable.mend()
        for program in (self.central, self.kiosk, self.portal, self.sync):
            program.start()
        self._wait_http(self.central, f"{self.plan.central_url}/v1/health")
        self._wait_http(self.portal, f"{self.plan.portal_url}/")
        self.wait_kiosk()

    def wait_kiosk(self, timeout_s: float = 40) -> None:
        """Return when the kiosk has drawn a screen; a kiosk that ended is not waited for."""
        try:
            self.kiosk_remote.wait_ready(timeout_s, alive=lambda: self.kiosk.running)
        except ConnectionError as silent:
            raise StageFailed(f"kiosk: {silent}\n{self.kiosk.tail()}") from silent

    def stop(self) -> None:
        for program in (self.kiosk, self.portal, self.sync, self.central):
            program.stop()
        self.cable.cut()
        self.printer.close()
        self.terminal.close()

    def cut_network(self) -> None:
        """The node loses the city; so does the card terminal, which needs the same Internet."""
        self.cable.cut()
        self.terminal.online = False

    def restore_network(self) -> None:
        self.cable.mend()
        self.terminal.online = True

    def queue(self) -> dict[str, Any]:
        """What `plaza sync status --json` says of this node."""
        argv = [*python_m("plaza"), "sync", "status", "--json", f"--data={self.plan.node}"]
        status: dict[str, Any] = json.loads(run_once(argv))
        return status

    def _wait_http(self, program: Program, url: str, timeout_s: float = 30) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not program.running:
                break
            try:
                with urllib.request.urlopen(url, timeout=2):  # noqa: S310  loopback, our own URL
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise StageFailed(f"{program.name} does not answer at {url}\n{program.tail()}")


def explain(trouble: Exception) -> str:
    """One clear line for a person, for any way in which a stage can fail."""
    if isinstance(trouble, StageFailed | ProgramFailed | OSError):
        return str(trouble)
    return f"{type(trouble).__name__}: {trouble}"


def free_of_old_runs(plan: Plan) -> None:
    """Raise StageFailed when a port is taken, with the port's number and what to do."""
    for name in ("bench", "portal", "central", "cable"):
        port = getattr(plan.ports, name)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as taken:
                raise StageFailed(
                    f"port {port} ({name}) is taken on 127.0.0.1: is another demonstration running?"
                ) from taken
