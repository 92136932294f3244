"""A demonstration city on this machine: central, a street that may misbehave, nodes, devices, people."""

from __future__ import annotations

import http.client
import json
import queue
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from waitress.server import create_server

from captive_portal.app import create_app
from captive_portal.server import make_server, stop_server
from captive_portal.wiring import PortalOptions, build_ports
from central.city import City as Town
from central.cli import main as plaza_central
from central.keys import load_city_key
from central.wiring import build
from hardware.printer.simulator import PrinterSimulator
from hardware.terminal.simulator import TerminalSimulator
from kiosk.background import ThreadBackground
from kiosk.catalogues import load_words
from kiosk.flow import Flow, Place, Screen
from kiosk.presenters.base import Desk, Presenter
from kiosk.presenters.registry import Ports, build_presenters
from kiosk.wiring import wire
from municipio.clock import TimeQuality
from municipio.usecases.ports import LinkState
from municipio.wire.keys import verify
from plaza.cli import main as plaza
from sync.catalogue import SqliteCatalogue
from sync.city import HttpCity
from sync.clock import SystemClock
from sync.database import query
from sync.datadir import DataDir
from sync.keys import KeyMissing, NodeKey
from sync.keys import load_city_key as load_city_public
from sync.ledger import SqliteLedger, open_ledger
from sync.link import FileLink, LinkNote, write_link
from sync.sealing import AgeSealer
from sync.transport import Courier

ACCOUNTS = "40"
_NUMBERS = count(101)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Question:
    """One request on its way to the city; `honest` carries it there and brings the true answer."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int

    def honest(self) -> Answer:
        city = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            city.request(self.method, self.path, self.body, self.headers)
            reply = city.getresponse()
            return Answer(reply.status, dict(reply.getheaders()), reply.read())
        finally:
            city.close()


def honest(question: Question) -> Answer | None:
    return question.honest()


class Street:
    """A proxy before the real central. `mood` decides every answer; None hangs up without one."""

    def __init__(self, city_port: int) -> None:
        self.mood: Callable[[Question], tuple[int, dict[str, str], bytes] | None] = honest
        self.asked: list[str] = []
        street = self

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                street.asked.append(f"{self.command} {self.path}")
                headers = dict(self.headers)
                question = Question(self.command, self.path, headers, body, city_port)
                answer = street.mood(question)
                self.close_connection = True
                if answer is not None:
                    self._say(Answer(*answer))

            def _say(self, answer: Answer) -> None:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in {"content-length", "connection", "date", "server"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = _do

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A node that hung up on a slow street is no trouble here."""

        self._http = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@dataclass(frozen=True)
class City:
    """A running central with its keys, and the content that it published today and long ago."""

    db: str
    keys: Path
    content: Path
    old_content: Path
    port: int

    @property
    def sign(self) -> Callable[[bytes], bytes]:
        return load_city_key(self.keys).sign

    def facts_of(self, node: str) -> list[str]:
        """What central stored of a node, byte for byte."""
        result = CliRunner().invoke(plaza_central, ["facts", "--db", self.db, "--node", node])
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()


def _publish(db: str, keys: Path, content: Path, *more: str) -> None:
    words = ["demo-data", "--db", db, "--keys", str(keys), "--content", str(content),
             "--accounts", ACCOUNTS, *more]  # fmt: skip
    result = CliRunner().invoke(plaza_central, words)
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Central under waitress, with content of today and of January 2026."""
    root = tmp_path_factory.mktemp("city")
    db, keys = f"sqlite:///{root}/central.sqlite", root / "city-keys"
    _publish(f"sqlite:///{root}/old.sqlite", keys, root / "old", "--on", "2026-01-20")
    _publish(db, keys, root / "content")
    program = build(db, keys, "token-demo", Town())
    program.projector.start()
    server = create_server(program.app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield City(db, keys, root / "content", root / "old", int(server.effective_port))
    stop_server(server)
    thread.join()
    program.close()


@pytest.fixture
def street(city: City) -> Iterator[Street]:
    running = Street(city.port)
    yield running
    running.close()


@pytest.fixture
def refused() -> str:
    """An address where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"


@pytest.fixture
def black_hole() -> Iterator[str]:
    """An address that never answers, not even a connection: its queue is full and nobody serves it."""
    with ExitStack() as stack:
        hole = stack.enter_context(socket.socket())
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        for _ in range(4):
            knock = stack.enter_context(socket.socket())
            knock.setblocking(False)
            knock.connect_ex(hole.getsockname())
        yield f"http://127.0.0.1:{hole.getsockname()[1]}"


@dataclass
class Node:
    """One node's data directory, and its books read by a connection of their own."""

    data: DataDir
    city: City
    code: str
    tables: dict[str, dict[str, str | int | bool]] = field(default_factory=dict)

    def plaza(self, *words: str | Path) -> Result:
        """A `plaza` command on this node's data directory."""
        return CliRunner().invoke(plaza, [*map(str, words), "--data", str(self.data.path)])

    def set(self, **tables: dict[str, str | int | bool]) -> None:
        """Change settings.toml as a technician would."""
        for name, table in tables.items():
            self.tables.setdefault(name, {}).update(table)
        text = ""
        for name, table in self.tables.items():
            rows = "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
            text += f"[{name}]\n{rows}"
        self.data.settings_file.write_text(text, encoding="utf-8")

    def open_ledger(self) -> SqliteLedger:
        settings = self.data.settings()
        ledger = open_ledger(
            self.data.ledger, SystemClock(), settings.node_code, settings.text("city.inegi")
        )
        assert isinstance(ledger, SqliteLedger)
        return ledger

    def books(self) -> list[bytes]:
        """Every fact, as stored, by lane and number."""
        ledger = self.open_ledger()
        try:
            with ledger.reading() as connection:
                found = query(connection, "SELECT body FROM fact ORDER BY lane, epoch, seq")
        finally:
            ledger.close()
        return [bytes(body) for (body,) in found]

    def facts(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.books()]

    def types(self) -> list[str]:
        """Of what citizens did; the node's own states come when they come."""
        vitals = ("device.changed", "energy.changed")
        return [fact["type"] for fact in self.facts() if fact["type"] not in vitals]

    def waiting(self) -> int:
        status = self.plaza("sync", "status", "--json")
        assert status.exit_code == 0, status.output
        return int(json.loads(status.stdout)["waiting"])

    def say_online(self) -> None:
        """Leave the note that the worker writes while the city answers."""
        now = SystemClock().now()
        note = LinkNote(
            state=LinkState.ONLINE, waiting=0, last_carried="", since="",
            written_boot_ms=now.boot_ms, boot=now.boot,
        )  # fmt: skip
        write_link(self.data.link_file, note)


@pytest.fixture
def make_node(city: City, street: Street, tmp_path: Path) -> Callable[[Path], Node]:
    """Makes a node in a folder with the real commands: keys, registration, content."""
    pem = tmp_path / "city.pem"
    pem.write_bytes(load_city_key(city.keys).public_pem)

    def make(folder: Path) -> Node:
        number = next(_NUMBERS)
        made = Node(DataDir(folder), city, f"COA{number:03d}")
        init = made.plaza(
            "node", "init", "--central", street.url, "--city-key", pem, "--number", str(number)
        )
        assert init.exit_code == 0, init.output
        words = ["node", "add", made.code, "--key", str(made.data.node_pub), "--db", city.db]
        added = CliRunner().invoke(plaza_central, words)
        assert added.exit_code == 0, added.output
        made.set(
            node={"number": number, "rtc": True},
            central={"url": street.url, "timeout_s": 1},
            sync={"heartbeat_s": 60},
        )
        imported = made.plaza("content", "import", city.content)
        assert imported.exit_code == 0, imported.output
        return made

    return make


@pytest.fixture
def node(make_node: Callable[[Path], Node], tmp_path: Path) -> Node:
    return make_node(tmp_path / "node")


class Disk:
    """A card of its own for a node's data; `fill` leaves no byte free."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while file.write(b"\0" * size):
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small file system in memory; only root may mount one."""
    path = tmp_path / "card"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(path)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("a full disk needs a small tmpfs, and only root may mount one")
    yield Disk(path)
    subprocess.run(["umount", "--lazy", str(path)], check=True)


class Kiosk:
    """A person at a real kiosk without its window: every port is the real one, slow work in threads.

    `tap` presses a control that is on the screen and enabled, waiting for it a little.
    """

    def __init__(self, start: Callable[[Callable[[Callable[[], None]], None]], Any]) -> None:
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.presenters, self.flow, self._close = start(self._posted.put)
        self._up = self._known(Screen.HOME)
        self.presenter: Any = self.presenters[self._up]
        self.flow.on_place = self._show
        self._show(Place(Screen.HOME))

    @property
    def screen(self) -> Screen:
        return self._up

    @property
    def view(self) -> Any:
        return self.presenter.view

    def tap(self, *ids: str) -> None:
        for id in ids:
            self.until(lambda id=id: self._offers(id), f"{id} can be pressed")
            self.presenter.activate(id)

    def type(self, text: str, prefix: str = "key") -> None:
        for char in text:
            self.tap(f"{prefix}.{'space' if char == ' ' else char}")

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 9.0) -> None:
        """Let time pass until it holds."""
        by = time.monotonic() + seconds
        while True:
            self._live()
            if condition():
                return
            assert time.monotonic() < by, f"never: {what}; {self._up}: {self.view}"
            time.sleep(0.005)

    def until_screen(self, screen: Screen) -> None:
        self.until(lambda: self._up is screen, f"{screen} comes up")

    def until_quiet(self) -> None:
        """Until what is under way has ended: nothing busy, nothing asked."""
        self.until(lambda: not self.view.busy, "the screen is at rest")

    def close(self) -> None:
        self._close()

    def _live(self) -> None:
        while not self._posted.empty():
            self._posted.get()()
        self.presenter.tick(time.monotonic())

    def _offers(self, id: str) -> bool:
        return any(item.id == id and item.enabled for item in self.view.focus)

    def _known(self, screen: Screen) -> Screen:
        return screen if screen in self.presenters else Screen.FUERA_DE_SERVICIO

    def _show(self, place: Place) -> None:
        self.presenter.leave()
        self._up = self._known(place.screen)
        self.presenter = self.presenters[self._up]
        self.presenter.enter(**place.params)


@pytest.fixture
def open_kiosk() -> Iterator[Callable[[Node], Kiosk]]:
    """Starts a kiosk as its program does, with `kiosk.wiring.wire`."""
    with ExitStack() as stack:

        def open_one(node: Node) -> Kiosk:
            def start(post: Callable[[Callable[[], None]], None]) -> Any:
                wired = wire(node.data, node.data.settings(), post)
                wired.warm_up()
                return wired.house.presenters, wired.house.flow, wired.house.close

            kiosk = Kiosk(start)
            stack.callback(kiosk.close)
            return kiosk

        yield open_one


@pytest.fixture
def open_kiosk_without_time() -> Iterator[Callable[[Node], Kiosk]]:
    """A kiosk whose clock nobody has set: real parts, and a clock that is only a lower bound."""
    with ExitStack() as stack:

        def start(node: Node, post: Callable[[Callable[[], None]], None]) -> Any:
            data, settings = node.data, node.data.settings()
            clock = SystemClock(data.link_file, lambda: TimeQuality.FLOOR)
            ledger, key = node.open_ledger(), NodeKey.load(data)
            public = load_city_public(data)
            assert not isinstance(key, KeyMissing)
            assert not isinstance(public, KeyMissing)
            catalogue, background = SqliteCatalogue(data.catalogue), ThreadBackground(post)
            flow = Flow(idle_warning_s=45, idle_wipe_s=20)
            desk = Desk(load_words(), flow, background, clock, settings)
            ids = count(1)
            ports = Ports(
                ledger=ledger,
                catalogue=catalogue,
                city=HttpCity(Courier(settings.text("central.url"), key, 1), public),
                link=FileLink(data.link_file, clock, 60),
                sealer=AgeSealer(catalogue.recipient_keys),
                signer=key,
                printer=None,
                terminal=None,
                verify=lambda signature, message: verify(public, signature, message),
                new_id=lambda: f"id-{next(ids)}",
            )
            presenters: dict[Screen, Presenter[Any]] = build_presenters(desk, ports)

            def close() -> None:
                background.close()
                ledger.close()

            return presenters, flow, close

        def open_one(node: Node) -> Kiosk:
            kiosk = Kiosk(lambda post: start(node, post))
            stack.callback(kiosk.close)
            return kiosk

        yield open_one


@pytest.fixture
def stop_growing() -> Callable[[SqliteLedger], None]:
    """Lets a ledger's file grow no further: what a full disk is to a test that cannot mount one."""

    def stop(ledger: SqliteLedger) -> None:
        with ledger.reading() as connection:
            connection.pragma("max_page_count", connection.pragma("page_count"))

    return stop


@pytest.fixture
def printer(node: Node, tmp_path: Path) -> Iterator[PrinterSimulator]:
    """A printer on the node's serial port."""
    with ExitStack() as stack:
        yield _plug_printer(stack, node, tmp_path)


@pytest.fixture
def plug_printer(tmp_path: Path) -> Iterator[Callable[[Node], PrinterSimulator]]:
    with ExitStack() as stack:
        yield lambda node: _plug_printer(stack, node, tmp_path)


@pytest.fixture
def slow_printer(node: Node, tmp_path: Path) -> Iterator[PrinterSimulator]:
    """A printer as slow as an old one: a paper takes seconds."""
    with ExitStack() as stack:
        yield _plug_printer(stack, node, tmp_path, speed_mm_s=80)


def _plug_printer(
    stack: ExitStack, node: Node, folder: Path, *, speed_mm_s: float = 0
) -> PrinterSimulator:
    simulator = PrinterSimulator(folder / "papers", speed_mm_s=speed_mm_s)
    port = folder / "printer"
    simulator.link(port)
    simulator.open()
    stack.callback(simulator.close)
    node.set(printer={"port": str(port)})
    return simulator


@pytest.fixture
def plug_terminal(tmp_path: Path) -> Iterator[Callable[[Node], TerminalSimulator]]:
    """Puts a card terminal on a node's serial port."""
    with ExitStack() as stack:

        def plug(node: Node) -> TerminalSimulator:
            simulator = TerminalSimulator(think_s=0.1)
            port = tmp_path / "terminal"
            simulator.link(port)
            simulator.open()
            stack.callback(simulator.close)
            node.set(terminal={"port": str(port)})
            return simulator

        yield plug


@pytest.fixture
def terminal(node: Node, plug_terminal: Callable[[Node], TerminalSimulator]) -> TerminalSimulator:
    return plug_terminal(node)


@pytest.fixture
def open_portal() -> Iterator[Callable[[Node], str]]:
    """Serves a node's portal with its memory gate; returns its address."""
    with ExitStack() as stack:

        def open_one(node: Node) -> str:
            with socket.socket() as one:
                one.bind(("127.0.0.1", 0))
                listen = f"127.0.0.1:{one.getsockname()[1]}"
            ports = build_ports(PortalOptions(node.data.path, listen, "memory"))
            server = make_server(create_app(ports), listen)
            thread = threading.Thread(target=server.run)
            thread.start()

            def close() -> None:
                stop_server(server)
                thread.join()
                ports.ledger.close()

            stack.callback(close)
            return f"http://{listen}"

        yield open_one


@pytest.fixture
def content_copy(city: City, tmp_path: Path) -> Path:
    """The published content on a stick that a test may damage."""
    return Path(shutil.copytree(city.content, tmp_path / "stick"))


CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1500,1300",
)  # fmt: skip


@pytest.fixture(scope="module")
def open_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Chrome]]:
    """Opens an address in a browser of its own, which ends with the module."""
    if not CHROMIUM.exists():
        pytest.skip("NOT RUN: chromium is missing")
    with ExitStack() as stack:

        def open_one(url: str) -> Chrome:
            options = ChromeOptions()
            options.binary_location = str(CHROMIUM)
            for argument in (*QUIET, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
                options.add_argument(argument)
            driver = Chrome(options=options, service=ChromeService("/usr/bin/chromedriver"))
            stack.callback(driver.quit)
            driver.get(url)
            return driver

        yield open_one
