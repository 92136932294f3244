"""`plaza node` and `plaza sync` as a technician types them, against real HTTP servers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from municipio.facts import FactDraft, FactType
from municipio.usecases.ports import LinkState, NoAnswer, NoAnswerCause, Recorded
from municipio.wire.keys import load_public, public_pem
from plaza.cli import main
from sync.answers import Refused, Reply
from sync.city import HttpCity
from sync.clock import SystemClock
from sync.datadir import DataDir
from sync.delivery import Delivery
from sync.keys import NodeKey, load_city_key
from sync.ledger import SqliteLedger, open_ledger
from sync.link import FileLink, read_link
from sync.simulator import CitySimulator, Mood
from sync.transport import Courier
from sync.wiring import Memory, build_delivery, build_worker, open_memory

CITY_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
Answer = Callable[[str, str, bytes], Reply | Refused | None]


@dataclass
class Server:
    """A real HTTP server whose answers the test decides; None drops the connection."""

    answer: Answer

    def start(self) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                reply = server.answer(self.command, self.path, body)
                if not isinstance(reply, Reply):
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = _do

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,))
        self.thread.start()

    def stop(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(lambda *_: None)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def data(tmp_path: Path, server: Server) -> DataDir:
    """A node made with the command, with three facts waiting."""
    place = DataDir(tmp_path / "node")
    assert init(place, server.url).exit_code == 0
    with place.settings_file.open("a") as file:
        file.write("\n[sync]\nheartbeat_s = 1\nretry_min_s = 1\n")
    text = place.settings_file.read_text().replace("[central]\n", "[central]\ntimeout_s = 1\n")
    place.settings_file.write_text(text)
    memory = opened(place)
    for fact_type in (FactType.REPORT_FILED, FactType.REPORT_FILED, FactType.PAYMENT_TAKEN):
        assert isinstance(memory.ledger.record(FactDraft(fact_type, {"n": 1})), Recorded)
    memory.close()
    return place


@pytest.fixture
def city(data: DataDir, server: Server) -> CitySimulator:
    """The honest city behind the server."""
    key = load_public(data.node_pub.read_bytes())
    simulator = CitySimulator("COA007", key, lambda: Mood.HONEST, CITY_KEY)

    def answer(method: str, path: str, body: bytes) -> Reply | Refused:
        return simulator.get(path) if method == "GET" else simulator.post_batch("COA007", body)

    server.answer = answer
    return simulator


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def init(place: DataDir, url: str, *more: str) -> Result:
    key_file = place.path.parent / "city.pem"
    key_file.write_bytes(public_pem(CITY_KEY.public_key()))
    return run(
        "node", "init", "--central", url, "--city-key", key_file, "--data", place.path, *more
    )


def opened(place: DataDir) -> Memory:
    memory = open_memory(place)
    assert isinstance(memory, Memory), memory
    return memory


def ledger_of(place: DataDir) -> SqliteLedger:
    ledger = open_ledger(place.ledger, SystemClock(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    return ledger


def status(place: DataDir) -> dict[str, object]:
    result = run("sync", "status", "--json", "--data", place.path)
    assert result.exit_code == 0, result.stderr
    document: dict[str, object] = json.loads(result.stdout)
    return document


# --- plaza node init ----------------------------------------------------------------------------


def test_a_new_node_gets_a_private_key_and_the_clerks_command(data: DataDir) -> None:
    assert data.node_key.stat().st_mode & 0o777 == 0o600
    assert isinstance(NodeKey.load(data), NodeKey)
    assert data.settings().number("node.number") == 7


def test_the_public_part_and_the_command_are_printed(tmp_path: Path) -> None:
    place = DataDir(tmp_path / "n")
    result = init(place, "https://ciudad.example", "--number", "12")
    assert "BEGIN PUBLIC KEY" in result.stdout
    assert "PRIVATE" not in result.stdout
    assert "plaza-central node add COA012 --key" in result.stdout
    assert place.settings().text("central.url") == "https://ciudad.example"


def test_an_identity_is_never_overwritten(data: DataDir, server: Server) -> None:
    before = data.node_key.read_bytes()
    result = init(data, server.url)
    assert result.exit_code == 1
    assert "already has an identity" in result.stderr
    assert data.node_key.read_bytes() == before


def test_a_bad_city_key_or_address_changes_nothing(tmp_path: Path) -> None:
    place = DataDir(tmp_path / "n")
    assert init(place, "ciudad.example").exit_code == 1
    bad = tmp_path / "bad.pem"
    bad.write_text("hola")
    result = run("node", "init", "--central", "http://x", "--city-key", bad, "--data", place.path)
    assert result.exit_code == 1
    assert "bad.pem" in result.stderr
    assert not place.path.exists()


# --- plaza sync ---------------------------------------------------------------------------------


def test_push_carries_everything_and_status_says_so(data: DataDir, city: CitySimulator) -> None:
    result = run("sync", "push", "--data", data.path)
    assert (result.exit_code, result.stdout) == (0, "carried 3, waiting 0\n")
    assert len(city.facts()) == 3
    assert status(data)["waiting"] == 0
    assert run("sync", "push", "--data", data.path).stdout == "carried 0, waiting 0\n"
    text = run("sync", "status", "--data", data.path).stdout
    assert "pay       1         1      1        0" in text


def unsigned(status: int, body: bytes = b"<html>Bienvenido</html>") -> Answer:
    return lambda *_: Reply(status, {}, body)


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (unsigned(200), "bad_answer"),
        (unsigned(200, bytes(range(256))), "bad_answer"),
        (unsigned(302), "bad_answer"),
        (unsigned(401), "bad_answer"),
        (unsigned(500), "city_error"),
        (lambda *_: None, "bad_answer"),
        (lambda *_: Reply(200, {"Content-Encoding": "gzip"}, b"not gzip"), "bad_answer"),
        (lambda *_: Reply(200, {}, b"x" * 3_000_000), "bad_answer"),
        (lambda *_: time.sleep(1.5), "timeout"),
    ],
)
def test_a_server_that_is_not_the_city_clears_nothing(
    data: DataDir, server: Server, answer: Answer, trouble: str
) -> None:
    server.answer = answer
    result = run("sync", "push", "--json", "--data", data.path)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["trouble"] == trouble
    assert "nothing is lost, 3 wait" in result.stderr
    assert status(data)["waiting"] == 3


@pytest.mark.parametrize(
    ("mood", "trouble"),
    [
        (Mood.STRANGER, "unknown_node"),
        (Mood.BROKEN, "city_error"),
        (Mood.LYING_HASH, "chain"),
        (Mood.OTHER_CITY, "bad_answer"),
        (Mood.TOO_LARGE, "refused"),
    ],
)
def test_a_city_in_trouble_keeps_the_queue_and_is_named(
    data: DataDir, city: CitySimulator, mood: Mood, trouble: str
) -> None:
    city.mood = lambda: mood
    result = run("sync", "push", "--json", "--data", data.path)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["trouble"] == trouble
    assert status(data)["waiting"] == 3


def test_a_cable_that_is_cut_is_offline(data: DataDir, server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = data.settings_file.read_text().replace(server.url, f"http://127.0.0.1:{port}")
    data.settings_file.write_text(text)
    result = run("sync", "push", "--data", data.path)
    assert result.exit_code == 1
    assert result.stderr.startswith("offline:")


def test_a_node_without_keys_says_what_to_run(data: DataDir) -> None:
    data.node_key.unlink()
    result = run("sync", "push", "--data", data.path)
    assert result.exit_code == 1
    assert "plaza node init" in result.stderr


def test_verify_reads_the_whole_ledger(data: DataDir) -> None:
    result = run("sync", "verify", "--data", data.path)
    assert (result.exit_code, result.stdout) == (0, "ok: 3 facts, every chain whole\n")
    memory = opened(data)
    with memory.ledger.transaction() as db:
        db.execute("DELETE FROM fact WHERE lane = 1 AND seq = 1")
    memory.close()
    result = run("sync", "verify", "--json", "--data", data.path)
    assert result.exit_code == 1
    assert "rep epoch 1" in json.loads(result.stdout)["problems"][0]


def test_a_ledger_cut_short_is_an_error_on_every_command_until_it_is_salvaged(
    data: DataDir,
) -> None:
    os.truncate(data.ledger, 5000)
    for verb in ("status", "verify", "push"):
        result = run("sync", verb, "--data", data.path)
        assert result.exit_code == 1
        assert "dañado" in result.stderr
    assert data.ledger.stat().st_size == 5000
    result = run("sync", "salvage", "--json", "--data", data.path)
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["epoch"], told["reason"], told["problems"]) == (2, "salvaged", [])
    assert (data.path / "damaged" / "1" / "ledger.sqlite").stat().st_size == 5000
    assert run("sync", "status", "--data", data.path).exit_code == 0


def test_no_data_directory_is_an_error(tmp_path: Path) -> None:
    result = run("sync", "status", "--data", tmp_path / "nothing")
    assert result.exit_code == 1
    assert "is not a data directory" in result.stderr
    assert not (tmp_path / "nothing").exists()


def wait_for(true: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def test_the_worker_carries_at_once_survives_a_cut_and_stops_cleanly(
    data: DataDir, city: CitySimulator
) -> None:
    command = [sys.executable, "-P", "-m", "sync", "run", "--data", str(data.path)]
    program = subprocess.Popen(command, stderr=subprocess.PIPE)
    memory = opened(data)
    link = FileLink(data.link_file, memory.clock, 1)
    try:
        wait_for(lambda: len(city.facts()) >= 4)
        assert b"node.started" in b"".join(city.facts())
        wait_for(lambda: link.report().state is LinkState.ONLINE and link.report().waiting == 0)
        city.mood = lambda: Mood.LOGIN_PAGE
        assert isinstance(memory.ledger.record(FactDraft(FactType.REPORT_FILED, {})), Recorded)
        wait_for(lambda: link.report().state is LinkState.OFFLINE and link.report().waiting == 1)
        note = read_link(data.link_file)
        assert note is not None
        assert note.trouble == "bad_answer"
        city.mood = lambda: Mood.HONEST
        wait_for(lambda: len(city.facts()) == 5)
        wait_for(lambda: link.report().state is LinkState.ONLINE and link.report().waiting == 0)
        program.send_signal(signal.SIGTERM)
        assert program.wait(10) == 0
        assert program.stderr is not None
        assert program.stderr.read() == b""
    finally:
        program.kill()
        program.wait()
        memory.close()
        assert program.stderr is not None
        program.stderr.close()
    assert run("sync", "verify", "--data", data.path).exit_code == 0


def test_a_disk_that_refuses_the_note_does_not_end_the_talk(
    data: DataDir, city: CitySimulator, caplog: pytest.LogCaptureFixture
) -> None:
    data.run.rmdir()
    data.run.write_text("in the way")
    memory = Memory(data, data.settings(), SystemClock(), ledger_of(data))
    delivery = build_delivery(memory)
    assert isinstance(delivery, Delivery)
    stop = threading.Event()
    thread = threading.Thread(target=build_worker(memory, delivery).run, args=(stop,))
    thread.start()
    wait_for(lambda: "cannot write" in caplog.text)
    data.run.unlink()
    data.run.mkdir()
    wait_for(lambda: len(city.facts()) == 3 and data.link_file.exists())
    stop.set()
    thread.join(10)
    memory.close()


def test_a_link_note_that_is_old_or_of_another_boot_is_unknown(tmp_path: Path) -> None:
    place = DataDir(tmp_path)
    memory = opened(place)
    link = FileLink(place.link_file, memory.clock, 5)
    assert link.report().state is LinkState.UNKNOWN
    now = memory.clock.now()
    note = {
        "state": "online", "waiting": 3, "last_carried": "x", "since": "", "boot": now.boot,
        "written_boot_ms": now.boot_ms,
    }  # fmt: skip
    place.link_file.write_text(json.dumps(note))
    assert link.report().state is LinkState.ONLINE
    for change in ({"written_boot_ms": now.boot_ms - 16_000}, {"boot": "other"}):
        place.link_file.write_text(json.dumps(note | change))
        assert (link.report().state, link.report().waiting) == (LinkState.UNKNOWN, 3)
    memory.close()


# --- questions to the city ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (unsigned(200), NoAnswerCause.BAD_ANSWER),
        (unsigned(200, b'{"already_paid": {"clave": "39001"}}'), NoAnswerCause.BAD_ANSWER),
        (unsigned(404), NoAnswerCause.BAD_ANSWER),
        (unsigned(500), NoAnswerCause.REFUSED),
        (lambda *_: time.sleep(1.5), NoAnswerCause.TIMEOUT),
    ],
)
def test_no_charge_starts_on_an_answer_that_cannot_be_believed(
    data: DataDir, server: Server, answer: Answer, cause: NoAnswerCause
) -> None:
    server.answer = answer
    key, public = NodeKey.load(data), load_city_key(data)
    assert isinstance(key, NodeKey)
    courier = Courier(server.url, key, 1)
    city = HttpCity(courier, public)  # type: ignore[arg-type]  # the fixture made the key
    for asked in (city.fresh_liquidacion("39001"), city.folio("COA007-R1-000001-X")):
        assert isinstance(asked, NoAnswer)
        assert asked.cause is cause
    courier.close()
