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
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from hardware.bench.builders import Place
from hardware.bench.desk import Desk
from hardware.bench.scenario import DEFAULT_DEVICES, Scalar
from hardware.printer.simulator import PrinterSimulator
from hardware.terminal.simulator import TerminalSimulator
from municipio.settings import Settings, parse_settings
from plaza.demo.cable import Cable
from plaza.demo.filter_list import install_demo_list
from plaza.demo.plan import Plan
from plaza.demo.processes import Program, ProgramFailed, python_m, run_once
from plaza.demo.remote import KioskRemote, KioskSilent

MARKER = "demostracion-de-plaza"
"""A folder with this file in it was made by a demonstration and may be emptied by the next one."""
START_S = 300.0
"""Of one program, on a machine in software emulation; one that ended is noticed at once."""

CLOCK_DOUBT = "PLAZA_CLOCK_UNSURE"


def settings_text(values: dict[str, Scalar]) -> str:
    """A settings file with a table per section."""
    sections: dict[str, list[str]] = {}
    for name, value in values.items():
        section, key = name.split(".")
        sections.setdefault(section, []).append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    tables = [f"[{section}]\n" + "\n".join(lines) for section, lines in sections.items()]
    head = "# Nodo de demostración: lugares, teléfonos y convenios inventados.\n"
    return head + "\n\n".join(tables) + "\n"


@dataclass(frozen=True, slots=True)
class Props:
    """What stands on a stage: simulated devices, settings that differ, a clock that may be doubted."""

    devices: tuple[str, ...] = DEFAULT_DEVICES
    settings: tuple[tuple[str, Scalar], ...] = ()
    clock_sure: bool = True


class StageFailed(RuntimeError):
    """The demonstration cannot be set up; the message says which part and why."""


def has_display() -> bool:
    """True when a window can be opened here."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Stage:
    def __init__(
        self,
        plan: Plan,
        *,
        window: bool,
        on: str = "",
        say: Callable[[str], None] = print,
        props: Props | None = None,
    ) -> None:
        self.plan = plan
        self.props = props or Props()
        self.staff_token = secrets.token_urlsafe(12)
        self.window = window
        self._on = on
        self._say = say
        self.cable = Cable(plan.ports.cable, plan.ports.central)
        self.desk = Desk(self.props.devices, Place(plan.dev, plan.receipts))
        self.kiosk_remote = KioskRemote(plan.remote)
        self.desk.ask_node = self._ask_kiosk
        self.central = self._program(
            "central",
            "central",
            "run",
            f"--db={plan.database_url}",
            f"--listen=127.0.0.1:{plan.ports.central}",
            env={"PLAZA_STAFF_TOKEN": self.staff_token},
        )
        doubt = {} if self.props.clock_sure else {CLOCK_DOUBT: "1"}
        self.sync = self._program("sync", "plaza", "sync", "run", f"--data={plan.node}", env=doubt)
        self.portal = self._program(
            "portal",
            "captive_portal",
            f"--data={plan.node}",
            f"--listen=127.0.0.1:{plan.ports.portal}",
            "--gate=memory",
            f"--frame-ancestor={plan.bench_url}",
            env=doubt,
        )
        look = () if window else ("--offscreen",)
        self.kiosk = self._program(
            "kiosk", "kiosk", f"--data={plan.node}", f"--remote={plan.remote}", *look, env=doubt
        )

    @property
    def settings(self) -> Settings:
        """The node's settings as its programs read them."""
        return parse_settings(tomllib.loads((self.plan.node / "settings.toml").read_text()))

    @property
    def printer(self) -> PrinterSimulator:
        printer: PrinterSimulator = self.desk["printer"]
        return printer

    @property
    def terminal(self) -> TerminalSimulator:
        terminal: TerminalSimulator = self.desk["terminal"]
        return terminal

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
        (plan.node / "settings.toml").write_text(settings_text(self._settings()))
        node_key = plan.node / "keys" / "node.pub"
        run_once(python_m("central", "node", "add", "COA007", f"--key={node_key}", db))
        run_once([*plaza, "content", "import", str(plan.content), data])
        install_demo_list(plan.city / "city-keys" / "city.key", plan.node)
        if "card" in self.props.devices:
            self._register_technicians()

    def _register_technicians(self) -> None:
        """The city lists the technicians of the bench, and the node keeps the signed list."""
        plan = self.plan
        technician = python_m("central", "technician")
        keys = f"--keys={plan.city / 'city-keys'}"
        for badge, pem in self.desk["card"].badges().items():
            key = plan.home / f"{badge}.pem"
            key.write_text(pem)
            roles = ("--role=service", "--role=cash")
            run_once([*technician, "add", badge, f"--key={key}", *roles, keys])
        listed = plan.home / "tecnicos.json"
        run_once([*technician, "export", f"--out={listed}", keys])
        data = f"--data={plan.node}"
        run_once([*python_m("plaza"), "technician", "install", str(listed), data])

    def _settings(self) -> dict[str, Scalar]:
        plan = self.plan
        return {
            "node.number": 7,
            "node.site": "Parque Independencia (demostración)",
            "node.address": "Av. Independencia s/n, Centro (demostración)",
            "node.rtc": self.props.clock_sure,
            "central.url": plan.cable_url,
            "central.verify_url": plan.central_url,
            "central.timeout_s": 4,
            "portal.listen": f"127.0.0.1:{plan.ports.portal}",
            "portal.public_url": plan.portal_url,
            "portal.gate": "memory",
            "sync.heartbeat_s": 1,
            "sync.retry_min_s": 1,
            "sync.retry_max_s": 20,
            **self.desk.settings(),
            **dict(self.props.settings),
        }

    # --- the play -------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything and return when the city, the portal and the kiosk answer."""
        self.desk.open()
        self.cable.mend()
        for program in (self.central, *self.node_programs):
            program.start()
        self._wait_http(self.central, f"{self.plan.central_url}/v1/health")
        self._wait_http(self.portal, f"{self.plan.portal_url}/")
        self.wait_kiosk()
        self.desk.watch(self.settings)

    @property
    def node_programs(self) -> tuple[Program, ...]:
        return (self.kiosk, self.portal, self.sync)

    def wait_kiosk(self, timeout_s: float = START_S) -> None:
        """Return when the kiosk has drawn a screen; a kiosk that ended is not waited for."""
        try:
            self.kiosk_remote.wait_ready(timeout_s, alive=lambda: self.kiosk.running)
        except ConnectionError as silent:
            raise StageFailed(f"kiosk: {silent}\n{self.kiosk.tail()}") from silent

    def _ask_kiosk(self) -> dict[str, dict[str, str]] | None:
        if not self.kiosk.running:
            return None
        try:
            return self.kiosk_remote.devices()
        except (KioskSilent, ValueError):
            return None

    def stop(self) -> None:
        programs = (*self.node_programs, self.central)
        with ThreadPoolExecutor(len(programs)) as pool:
            list(pool.map(Program.stop, programs))
        self.cable.cut()
        self.desk.close()

    def cut_network(self) -> None:
        """The node loses the city; so does the card terminal, which needs the same Internet."""
        self.cable.cut()
        self._terminal_online(False)

    def restore_network(self) -> None:
        self.cable.mend()
        self._terminal_online(True)

    def login_page(self) -> None:
        """The Internet is a login page: it answers everything, and nobody behind it is the city."""
        self.cable.end_at_login_page()
        self._terminal_online(False)

    def _terminal_online(self, online: bool) -> None:
        if "terminal" in self.props.devices:
            self.terminal.online = online

    def power_cut(self) -> None:
        """The mains fail: every program of the node dies at once, without a goodbye."""
        for program in self.node_programs:
            program.kill()

    def power_up(self) -> None:
        """The mains return; comes back when the kiosk shows a screen and the portal answers."""
        for program in self.node_programs:
            program.start()
        self._wait_http(self.portal, f"{self.plan.portal_url}/")
        self.wait_kiosk()

    def queue(self) -> dict[str, Any]:
        """What `plaza sync status --json` says of this node."""
        argv = [*python_m("plaza"), "sync", "status", "--json", f"--data={self.plan.node}"]
        status: dict[str, Any] = json.loads(run_once(argv))
        return status

    def _wait_http(self, program: Program, url: str, timeout_s: float = START_S) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not program.running:
                break
            try:
                with urllib.request.urlopen(url, timeout=20):  # noqa: S310  loopback, our own URL
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
