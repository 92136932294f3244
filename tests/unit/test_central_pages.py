"""What a citizen and the staff see: three answers for a receipt, a folio's state, the nodes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from central.app import create_app
from central.city import City
from central.context import Central
from central.ingest import take_batch
from central.keys import CityKey
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.projections import project
from central.projector import Projector
from central.store import Store, open_store
from central.wiring import demo_perfil
from central.words import day_in_words, moment_in_words
from municipio.facts import FactType, Lane
from municipio.wire.batch import Batch, decode_batch

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
TOKEN = "ficha-de-prueba"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/central.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def client(store: Store) -> FlaskClient:
    key = CityKey(Ed25519PrivateKey.generate())
    projector = Projector(store, CITY, lambda: NOW)
    return create_app(
        Central(store, CITY, key, demo_perfil(), TOKEN, lambda: NOW, projector)
    ).test_client()


@pytest.fixture
def node(store: Store) -> NodeSimulator:
    made = NodeSimulator()
    add_node(store, CITY.inegi, made.node, made.public, NOW, replace=False)
    return made


def deliver(store: Store, node: NodeSimulator, lane: Lane) -> None:
    batch = decode_batch(node.batch(lane))
    assert isinstance(batch, Batch)
    take_batch(store, CITY.inegi, batch, NOW)
    project(store, CITY.inegi, CITY.zone, NOW)


def test_a_receipt_goes_from_on_its_way_to_registered(
    client: FlaskClient, node: NodeSimulator, store: Store
) -> None:
    folio = node.pay("0620000101023005000007", "L1", 109_560)
    code = node.receipt_code(folio, 109_560)
    before = client.get(f"/r/{code}")
    assert before.status_code == 200
    assert "Firma válida, el pago aún no llega del kiosco" in before.text
    deliver(store, node, Lane.PAY)
    after = client.get(f"/r/{code}")
    assert "Válido y registrado" in after.text
    for shown in (folio, "$ 1,095.60", "MIL NOVENTA Y CINCO PESOS 60/100 M.N.", "20 de enero"):
        assert shown in after.text


def test_a_code_that_was_changed_is_not_valid(client: FlaskClient, node: NodeSimulator) -> None:
    folio = node.pay("0620000101023005000007", "L1", 109_560)
    code = node.receipt_code(folio, 109_560).replace("109560", "9560")
    reply = client.get(f"/r/{code}")
    assert reply.status_code == 404
    assert "No válido" in reply.text
    assert folio not in reply.text


def test_a_code_of_a_node_nobody_knows_is_not_valid(client: FlaskClient) -> None:
    stranger = NodeSimulator(node="COA099")
    folio = stranger.pay("1", "L1", 100)
    assert "No válido" in client.get(f"/r/{stranger.receipt_code(folio, 100)}").text


def test_a_receipt_signed_with_a_retired_key_still_verifies(
    client: FlaskClient, node: NodeSimulator, store: Store
) -> None:
    code = node.receipt_code(node.pay("1", "L1", 100), 100)
    add_node(store, CITY.inegi, node.node, NodeSimulator().public, NOW, replace=True)
    assert "Firma válida" in client.get(f"/r/{code}").text


@pytest.mark.parametrize("code", ["x", "a.b.c.d", "%00", "ñ", "<script>", "1" * 900])
def test_nonsense_is_not_valid_and_is_not_repeated(client: FlaskClient, code: str) -> None:
    reply = client.get(f"/r/{code}")
    assert reply.status_code == 404
    assert "No válido" in reply.text
    assert "<script" not in reply.text


def test_a_folio_page_shows_the_state_and_the_citys_number(
    client: FlaskClient, node: NodeSimulator, store: Store
) -> None:
    node.record(FactType.REPORT_FILED, {"service_code": "bache"})
    folio = node.folio(Lane.REP)
    assert "Todavía no tenemos este folio" in client.get(f"/f/{folio}").text
    deliver(store, node, Lane.REP)
    page = client.get(f"/f/{folio.lower()}")
    assert page.status_code == 200
    for shown in (folio, "SIAC-000001", "Reporte ciudadano", "Pendiente", "20 de enero de 2026"):
        assert shown in page.text


def test_a_mistyped_folio_says_so(client: FlaskClient) -> None:
    reply = client.get("/f/COA007-R1-000123-0")
    assert reply.status_code == 400
    assert "no está bien escrito" in reply.text


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/?token=", {}),
        ("/?token=otra", {}),
        ("/?token=%C3%B1", {}),
        (f"/?token={TOKEN}", {"Authorization": "Bearer otra"}),
        ("/", {"Authorization": f"Basic {TOKEN}"}),
    ],
)
def test_the_staff_page_needs_the_token(
    client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    assert client.get(path, headers=headers).status_code == 401


def test_an_empty_token_closes_the_staff_page(store: Store) -> None:
    key = CityKey(Ed25519PrivateKey.generate())
    projector = Projector(store, CITY, lambda: NOW)
    closed = create_app(
        Central(store, CITY, key, demo_perfil(), "", lambda: NOW, projector)
    ).test_client()
    assert closed.get("/?token=").status_code == 401


def test_the_staff_see_nodes_and_facts_and_can_narrow_them(
    client: FlaskClient, node: NodeSimulator, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    node.record(FactType.REPORT_FILED, {"service_code": "bache <b>"})
    node.record(FactType.DEVICE_CHANGED, {"device": "printer"})
    deliver(store, node, Lane.REP)
    deliver(store, node, Lane.VIT)
    with caplog.at_level(logging.DEBUG):
        page = client.get("/", headers={"Authorization": f"Bearer {TOKEN}"}).text
        narrow = client.get(f"/?token={TOKEN}&lane=vit&node=COA007").text
    for shown in (
        "COA007",
        "report.filed",
        "cambió un equipo",
        "device.changed",
        "bache &lt;b&gt;",
        "20/01/2026",
    ):
        assert shown in page
    assert "report.filed" not in narrow
    assert '<option value="vit" selected>aparatos</option>' in narrow
    assert "device.changed" in narrow
    assert TOKEN not in caplog.text


def test_only_the_newest_facts_are_listed(
    client: FlaskClient, node: NodeSimulator, store: Store
) -> None:
    for number in range(250):
        node.record(FactType.DEVICE_CHANGED, {"number": number})
    deliver(store, node, Lane.VIT)
    page = client.get(f"/?token={TOKEN}").text
    assert page.count("device.changed") == 200
    assert "&#34;number&#34;: 249" in page


def test_pages_need_no_script_and_are_small(client: FlaskClient) -> None:
    for path in ("/r/x", "/f/x", "/nada"):
        reply = client.get(path)
        assert "<script" not in reply.text
        assert len(reply.data) < 15 * 1024


def test_days_and_moments_read_as_people_say_them() -> None:
    assert day_in_words(date(2026, 1, 20)) == "20 de enero de 2026"
    assert day_in_words(None) == day_in_words("") == day_in_words("ayer") == "sin fecha"
    moment = moment_in_words("2026-01-20T18:00:00.000Z", CITY.zone)
    assert (moment, moment_in_words("", CITY.zone)) == ("20/01/2026 12:00:00", "nunca")
