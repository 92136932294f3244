"""The technician's page and the metrics: totals only, behind a key that nobody has by default."""

from __future__ import annotations

import json
import re
import socket
import stat
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from captive_portal.app import create_app
from captive_portal.gate.client import GateClient
from captive_portal.gate.visits import Limits
from captive_portal.metrics import MetricsServer, render
from captive_portal.simulator import SimulatedNode, simulated_node
from captive_portal.status_key import Holders, is_pass, key_file, load_key, make_key, make_pass
from captive_portal.vitals import take_vitals
from municipio.usecases.ports import LinkState
from plaza.cli import main as plaza
from sync.datadir import DataDir

BASE = "http://127.0.0.1:8380"
KEY = b"k" * 32


@pytest.fixture
def node() -> SimulatedNode:
    node = simulated_node()
    node.status_key[0] = KEY
    return node


@pytest.fixture
def phone(node: SimulatedNode) -> FlaskClient:
    return create_app(node.ports).test_client()


def _pass(node: SimulatedNode, minutes: int = 30) -> str:
    return make_pass(KEY, node.ports.site.node_code, node.clock.now(), minutes)


def _look(
    phone: FlaskClient, given: str, *, lang: str = "es", address: str = "127.0.0.1"
) -> TestResponse:
    return phone.get(
        f"/{lang}/tecnico",
        base_url=BASE,
        query_string={"clave": given},
        environ_base={"REMOTE_ADDR": address},
    )


def _metrics(node: SimulatedNode) -> dict[str, dict[tuple[str, ...], float]]:
    families = text_string_to_metric_families(render(take_vitals(node.ports)))
    return {
        sample.name: {
            tuple(s.labels.values()): s.value for s in family.samples if s.name == sample.name
        }
        for family in families
        for sample in family.samples
    }


# --- the key ----------------------------------------------------------------------------------


def test_without_a_key_on_the_node_there_is_no_page(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    given = _pass(node)
    node.status_key[0] = None

    assert _look(phone, given).status_code == 404


def test_a_pass_opens_the_page_until_it_ends(node: SimulatedNode, phone: FlaskClient) -> None:
    given = _pass(node, minutes=30)

    assert _look(phone, given).status_code == 200
    node.clock.pass_seconds(30 * 60 - 1)
    assert _look(phone, given).status_code == 200
    node.clock.pass_seconds(2)
    assert _look(phone, given).status_code == 403


def test_a_pass_belongs_to_the_first_device_that_shows_it(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    given = _pass(node)
    assert _look(phone, given).status_code == 200

    overheard = _look(phone, given, address="10.0.0.9")

    assert overheard.status_code == 403
    assert "Aparatos en línea" not in overheard.text


@pytest.mark.parametrize(
    "given", ["", ".", "0.", "ffffffff." + "0" * 32, "é.é", "x" * 500, "-1.00", "<b>"]
)
def test_a_made_up_pass_opens_nothing(phone: FlaskClient, given: str) -> None:
    answer = _look(phone, given)

    assert answer.status_code == 403
    assert "<b>" not in answer.text.replace("<b>Wi-Fi", "")


@pytest.mark.parametrize("what", ["key", "node", "boot", "life"])
def test_a_pass_is_for_one_key_one_node_one_boot_and_one_time(
    node: SimulatedNode, what: str
) -> None:
    at = node.clock.now()
    given = make_pass(KEY, "COA007", at)
    until, _, mac = given.partition(".")
    assert is_pass(KEY, "COA007", at, given)

    if what == "boot":
        node.clock.boot = "otro"
    changed = f"{int(until, 16) + 60_000:x}.{mac}" if what == "life" else given
    assert not is_pass(
        b"x" * 32 if what == "key" else KEY,
        "COA008" if what == "node" else "COA007",
        node.clock.now(),
        changed,
    )


def test_guessing_passes_locks_the_page_for_that_device(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    for n in range(10):
        _look(phone, f"ffffffff.{n:032x}")

    assert _look(phone, _pass(node)).status_code == 403
    assert _look(phone, _pass(node, 31), address="10.0.0.9").status_code == 200


def test_the_key_is_made_on_the_node_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    place = DataDir(tmp_path)
    place.create()
    asked = ["portal", "status-link", "--data", str(tmp_path), "--url", "http://wifi.ejemplo.mx"]

    first, second = CliRunner().invoke(plaza, asked), CliRunner().invoke(plaza, asked)

    file = key_file(tmp_path / "keys")
    key = load_key(file)
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert re.fullmatch(
        r"http://wifi\.ejemplo\.mx/es/tecnico\?clave=[0-9a-f]+\.[0-9a-f]{32}\n", first.output
    )
    assert key is not None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert key.hex() not in first.output
    CliRunner().invoke(plaza, [*asked, "--new-key"])
    assert load_key(file) not in (key, None)


def test_a_key_that_others_can_read_or_that_is_cut_is_no_key(tmp_path: Path) -> None:
    file = tmp_path / "status.key"
    make_key(file)
    assert load_key(file) is not None

    file.chmod(0o644)
    assert load_key(file) is None
    file.chmod(0o600)
    file.write_bytes(b"short")
    assert load_key(file) is None


def test_old_passes_make_room_for_new_ones() -> None:
    holders = Holders()
    for n in range(200):
        assert holders.is_mine(str(n), "a")

    assert len(holders._by_pass) <= 64
    assert not holders.is_mine("199", "b")


# --- the page ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_page_says_devices_uplink_filter_and_quota(
    node: SimulatedNode, phone: FlaskClient, lang: str
) -> None:
    node.ports.gate.grant("10.66.0.5", 600, Limits(bytes=200_000_000))
    node.ports.gate.grant("10.66.0.6", 600)
    node.link.waiting = 14

    page = _look(phone, _pass(node), lang=lang).text

    words = {
        "es": ("Aparatos en línea", "<dd>2</dd>", "visitas: 1", "14 solicitudes",
               "1,000,000 nombres, lista del 15/01/2026, hace 5 días", "en línea"),
        "en": ("Devices online", "<dd>2</dd>", "visits: 1", "14 requests",
               "1,000,000 names, list of 15/01/2026, 5 days old", "online"),
    }[lang]  # fmt: skip
    for said in words:
        assert said in page, said
    assert "10.66.0." not in page
    assert 'class="flag"' not in page


def test_what_asks_for_attention_is_marked(node: SimulatedNode) -> None:
    node.link.state = LinkState.OFFLINE
    node.filter.unreadable = True

    page = _look(create_app(node.ports).test_client(), _pass(node)).text

    assert page.count('class="flag"') == 2
    assert "sin internet" in page
    assert "sin lista que se pueda leer" in page


def test_a_gate_that_does_not_answer_is_said_and_the_rest_is_shown(tmp_path: Path) -> None:
    node = simulated_node(gate=GateClient(tmp_path / "nobody.sock"))
    node.status_key[0] = KEY

    page = _look(create_app(node.ports).test_client(), _pass(node)).text

    assert "no responde: no_answer" in page
    assert "Filtro" in page
    assert _metrics(node)["plaza_gate_up"] == {(): 0.0}
    assert "plaza_portal_visits_open" not in _metrics(node)


# --- metrics ----------------------------------------------------------------------------------


def test_prometheus_reads_every_figure(node: SimulatedNode, phone: FlaskClient) -> None:
    phone.get("/es/nada", base_url=BASE)
    node.ports.gate.grant("10.66.0.5", 600, Limits(bytes=200_000_000))
    node.link.state, node.link.waiting = LinkState.OFFLINE, 3

    read = _metrics(node)

    assert read["plaza_gate_up"] == {(): 1.0}
    assert read["plaza_portal_visits_open"] == {(): 1.0}
    assert read["plaza_portal_quota_bytes"] == {(): 200_000_000.0}
    assert read["plaza_link_state"] == {("online",): 0.0, ("offline",): 1.0, ("unknown",): 0.0}
    assert read["plaza_queue_waiting"] == {(): 3.0}
    assert read["plaza_filter_names"] == {(): 1_000_000.0}
    assert read["plaza_filter_age_days"] == {(): 5.0}
    assert read["plaza_portal_events_total"][("bad_request",)] == 1.0


def test_the_metrics_name_no_device(node: SimulatedNode) -> None:
    node.ports.gate.grant("10.66.0.5", 600)
    visit = node.ports.gate.look("10.66.0.5")

    text = render(take_vitals(node.ports))

    assert "10.66" not in text
    assert json.dumps(visit.device).strip('"') not in text  # type: ignore[union-attr]  # memory gate


def test_the_metrics_are_on_loopback_and_nowhere_else(node: SimulatedNode) -> None:
    server = MetricsServer("127.0.0.1:0", lambda: render(take_vitals(node.ports)))
    try:
        with urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=20) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert b"plaza_gate_up 1\n" in answer.read()
    finally:
        server.stop()
    for elsewhere in ("0.0.0.0:0", "10.66.0.1:9100", "[::]:0"):
        with pytest.raises(ValueError):
            MetricsServer(elsewhere, str)


def test_a_silent_reader_does_not_stop_the_next_one(node: SimulatedNode) -> None:
    server = MetricsServer("127.0.0.1:0", lambda: "plaza_x 1\n")
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as silent:
            silent.sendall(b"GET /met")
            with urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=20) as answer:
                assert answer.read() == b"plaza_x 1\n"
    finally:
        server.stop()
