"""The API over WSGI, as a node and as somebody who is no node."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from central.app import HEADERS, create_app
from central.city import City
from central.context import EXTENSION, Central
from central.demo_padron import known_accounts
from central.keys import CityKey
from central.node_simulator import NodeSimulator
from central.nodes import NodeState, add_node, list_nodes, set_state
from central.projector import Projector
from central.schema import accounts, folios
from central.store import Store, insert_missing, open_store
from central.wiring import demo_perfil
from municipio.facts import FactType, Lane, fact_hash
from municipio.predial import decode_liquidacion
from municipio.wire.ack import ACK_TYPE, Ack, AckProblem, decode_ack
from municipio.wire.batch import MAX_PACKED_BYTES, MAX_UNPACKED_BYTES, pack
from municipio.wire.envelope import SIGNATURE_HEADER, verify_body
from municipio.wire.keys import parse_base64, verify

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
TOKEN = "ficha-de-prueba"
CLAVE = "06-200-001-01-023-005-00-000-7"
PAID = "06-200-001-01-023-008-00-000-1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/central.sqlite")
    with opened.begin() as connection:
        rows = [account.row(CITY.inegi) for _, account in known_accounts(date(2026, 1, 20))]
        insert_missing(connection, accounts, rows)
    yield opened
    opened.close()


@pytest.fixture
def city_key() -> CityKey:
    return CityKey(Ed25519PrivateKey.generate())


@pytest.fixture
def client(store: Store, city_key: CityKey) -> FlaskClient:
    projector = Projector(store, CITY, lambda: NOW)
    central = Central(store, CITY, city_key, demo_perfil(), TOKEN, lambda: NOW, projector)
    return create_app(central).test_client()


@pytest.fixture
def node(store: Store) -> NodeSimulator:
    made = NodeSimulator()
    add_node(store, CITY.inegi, made.node, made.public, NOW, replace=False)
    return made


def get(client: FlaskClient, node: NodeSimulator, path: str) -> TestResponse:
    return client.get(path, headers=node.headers("GET", path))


def post(client: FlaskClient, node: NodeSimulator, body: bytes, path: str = "") -> TestResponse:
    where = path or node.batches_path()
    reply = client.post(where, data=body, headers=node.headers("POST", where, body))
    central_of(client).projector.run_once()
    return reply


def central_of(client: FlaskClient) -> Central:
    found: Central = client.application.extensions[EXTENSION]
    return found


def problem_of(reply: TestResponse) -> str:
    assert reply.content_type == "application/problem+json"
    document = json.loads(reply.data)
    assert document["status"] == reply.status_code
    assert b"Traceback" not in reply.data
    return str(document["type"]).removeprefix("urn:plaza:problem:")


def ack_of(reply: TestResponse, key: CityKey) -> Ack:
    assert (reply.status_code, reply.content_type) == (200, ACK_TYPE)
    ack = decode_ack(reply.data, key.public)
    assert isinstance(ack, Ack)
    return ack


def filed(node: NodeSimulator) -> str:
    node.record(FactType.REPORT_FILED, {"service_code": "luminaria"})
    return node.folio(Lane.REP)


def test_a_batch_is_acknowledged_by_the_city_itself(
    client: FlaskClient, node: NodeSimulator, city_key: CityKey
) -> None:
    filed(node)
    for body in (node.batch(Lane.REP), pack(node.batch(Lane.REP))):
        ack = ack_of(post(client, node, body), city_key)
        assert (ack.node, ack.epoch, ack.lane, ack.through) == ("COA007", 1, Lane.REP, 1)
        assert ack.chain == fact_hash(node.facts[Lane.REP][0])
        assert ack.city_time == "2026-01-20T18:00:00.000Z"


def test_an_acknowledgement_of_another_city_is_not_believed(
    client: FlaskClient, node: NodeSimulator
) -> None:
    filed(node)
    reply = post(client, node, node.batch(Lane.REP))
    other = Ed25519PrivateKey.generate().public_key()
    assert isinstance(decode_ack(reply.data, other), AckProblem)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"\x00" * 1000,
        b"{}\n{}\n{}\n",
        b"\x1f\x8b garbage",
        gzip.compress(b"not a batch"),
        gzip.compress(b"0" * (MAX_UNPACKED_BYTES + 1)),
        gzip.compress(b"0" * 100_000_000, 1)[:200_000],
    ],
    ids=["empty", "words", "zeros", "json", "no-gzip", "gzip-of-words", "bomb", "cut-bomb"],
)
def test_a_body_that_is_no_batch_is_a_bad_batch(
    client: FlaskClient, node: NodeSimulator, body: bytes
) -> None:
    reply = post(client, node, body)
    assert (reply.status_code, problem_of(reply)) == (400, "bad-batch")


def test_a_gzip_cut_short_anywhere_is_a_bad_batch(client: FlaskClient, node: NodeSimulator) -> None:
    filed(node)
    whole = pack(node.batch(Lane.REP))
    for length in range(2, len(whole), 37):
        assert problem_of(post(client, node, whole[:length])) == "bad-batch"


@pytest.mark.parametrize("body", [b"\x1f\x8b" + b"0" * MAX_PACKED_BYTES, b"0" * (2**21 + 1)])
def test_a_body_over_the_limit_is_told_to_be_smaller(
    client: FlaskClient, node: NodeSimulator, body: bytes
) -> None:
    reply = post(client, node, body)
    assert (reply.status_code, problem_of(reply)) == (413, "too-large")


def test_an_unknown_node_gets_401_and_a_signed_reply(
    client: FlaskClient, city_key: CityKey
) -> None:
    stranger = NodeSimulator()
    filed(stranger)
    reply = post(client, stranger, stranger.batch(Lane.REP))
    assert (reply.status_code, problem_of(reply)) == (401, "unknown-node")
    assert verify_body(reply.data, reply.headers[SIGNATURE_HEADER], city_key.public)


def test_a_revoked_node_is_unknown(client: FlaskClient, node: NodeSimulator, store: Store) -> None:
    set_state(store, CITY.inegi, node.node, NodeState.REVOKED)
    assert get(client, node, f"/v1/predial/{CLAVE}").status_code == 401


def test_a_request_signed_for_another_path_is_refused(
    client: FlaskClient, node: NodeSimulator
) -> None:
    headers = node.headers("GET", f"/v1/predial/{PAID}")
    assert client.get(f"/v1/predial/{CLAVE}", headers=headers).status_code == 401


def test_a_body_changed_on_the_way_is_refused(client: FlaskClient, node: NodeSimulator) -> None:
    filed(node)
    body = node.batch(Lane.REP)
    headers = node.headers("POST", node.batches_path(), body)
    changed = body.replace(b"luminaria", b"LUMINARIA")
    assert client.post(node.batches_path(), data=changed, headers=headers).status_code == 401


def test_a_batch_signed_by_another_key_inside_is_refused(
    client: FlaskClient, node: NodeSimulator
) -> None:
    thief = NodeSimulator()
    filed(thief)
    reply = post(client, node, thief.batch(Lane.REP))
    assert (reply.status_code, problem_of(reply)) == (401, "unknown-node")


def test_a_batch_of_another_node_is_refused(
    client: FlaskClient, node: NodeSimulator, store: Store
) -> None:
    other = NodeSimulator(node="COA008")
    add_node(store, CITY.inegi, other.node, other.public, NOW, replace=False)
    filed(other)
    batch = other.batch(Lane.REP)
    assert problem_of(post(client, node, batch)) == "wrong-node"
    assert problem_of(post(client, node, batch, other.batches_path())) == "wrong-node"


def test_a_replayed_request_changes_nothing(
    client: FlaskClient, node: NodeSimulator, city_key: CityKey
) -> None:
    filed(node)
    body = node.batch(Lane.REP)
    headers = node.headers("POST", node.batches_path(), body)
    replies = [client.post(node.batches_path(), data=body, headers=headers) for _ in range(3)]
    assert len({ack_of(reply, city_key) for reply in replies}) == 1


def test_reordered_batches_say_which_fact_is_wanted(
    client: FlaskClient, node: NodeSimulator
) -> None:
    filed(node)
    filed(node)
    reply = post(client, node, node.batch(Lane.REP, first=2))
    assert problem_of(reply) == "gap"
    assert json.loads(reply.data)["wanted_seq"] == 1


def test_tampering_is_answered_409_and_shown_to_the_staff(
    client: FlaskClient, node: NodeSimulator
) -> None:
    filed(node)
    post(client, node, node.batch(Lane.REP))
    clone = NodeSimulator(key=node.key)
    filed(clone)
    reply = post(client, clone, clone.batch(Lane.REP))
    assert (reply.status_code, problem_of(reply)) == (409, "tampering")
    page = client.get(f"/?token={TOKEN}").text
    assert "Alteraciones detectadas" in page
    assert "hecho cambiado" in page


def test_facts_are_acknowledged_even_when_a_projection_fails(
    client: FlaskClient, node: NodeSimulator, store: Store, city_key: CityKey
) -> None:
    with store.begin() as connection:
        folios.drop(connection)
    folio = filed(node)
    assert ack_of(post(client, node, node.batch(Lane.REP)), city_key).through == 1
    with store.begin() as connection:
        folios.create(connection)
    assert central_of(client).projector.run_once() == 0  # not again at once
    assert Projector(store, CITY, lambda: NOW + timedelta(seconds=3)).run_once() == 1
    assert json.loads(get(client, node, f"/v1/folios/{folio}").data)["state"] == "Pendiente"


def test_an_encoding_nobody_offers_is_415(client: FlaskClient, node: NodeSimulator) -> None:
    headers = node.headers("POST", node.batches_path(), b"x") | {"Content-Encoding": "br"}
    reply = client.post(node.batches_path(), data=b"x", headers=headers)
    assert (reply.status_code, problem_of(reply)) == (415, "unsupported-media")


def test_a_fresh_liquidacion_is_signed_and_issued_today(
    client: FlaskClient, node: NodeSimulator, city_key: CityKey
) -> None:
    reply = get(client, node, f"/v1/predial/{CLAVE}")
    assert verify_body(reply.data, reply.headers[SIGNATURE_HEADER], city_key.public)
    answer = json.loads(reply.data)
    assert answer["account"]["owner_masked"] == "M. L. H."
    payload = answer["liquidacion"]["payload"].encode()
    liquidacion = decode_liquidacion(payload)
    assert (liquidacion.issued_on, liquidacion.total_centavos) == (date(2026, 1, 20), 723_609)
    signature = parse_base64(answer["liquidacion"]["signature"], 64)
    assert signature is not None
    assert verify(city_key.public, signature, payload)


def test_a_paid_account_says_so(client: FlaskClient, node: NodeSimulator) -> None:
    answer = json.loads(get(client, node, f"/v1/predial/{PAID}").data)
    assert answer["already_paid"]["paid_on"] == "2026-01-02"


def test_paying_the_fresh_liquidacion_makes_the_account_paid(
    client: FlaskClient, node: NodeSimulator
) -> None:
    answer = json.loads(get(client, node, f"/v1/predial/{CLAVE}").data)
    owed = decode_liquidacion(answer["liquidacion"]["payload"].encode())
    folio = node.pay(owed.clave, owed.id, owed.total_centavos)
    post(client, node, node.batch(Lane.PAY))
    paid = json.loads(get(client, node, f"/v1/predial/{CLAVE}").data)["already_paid"]
    assert paid == {"clave": owed.clave, "paid_on": "2026-01-20", "folio": folio}
    assert json.loads(get(client, node, f"/v1/folios/{folio}").data)["state"] == "Pagado"
    second = node.pay(owed.clave, owed.id, owed.total_centavos)
    post(client, node, node.batch(Lane.PAY))
    assert "devolución pendiente" in client.get(f"/?token={TOKEN}").text
    state = json.loads(get(client, node, f"/v1/folios/{second}").data)["state"]
    assert state == "Devolución en trámite"


@pytest.mark.parametrize(
    ("path", "status", "problem"),
    [
        ("/v1/predial/06-200-001-01-023-999-00-000-7", 404, "not-found"),
        ("/v1/predial/123", 400, "bad-clave"),
        ("/v1/predial/abc", 400, "bad-clave"),
        ("/v1/folios/COA007-R1-000001-X", 400, "bad-folio"),
        ("/v1/nothing", 404, "not-found"),
    ],
)
def test_what_is_not_there_is_a_problem(
    client: FlaskClient, node: NodeSimulator, path: str, status: int, problem: str
) -> None:
    reply = get(client, node, path)
    assert (reply.status_code, problem_of(reply)) == (status, problem)


def test_a_method_nobody_offers_is_405(client: FlaskClient) -> None:
    reply = client.delete("/v1/health")
    assert (reply.status_code, problem_of(reply)) == (405, "method-not-allowed")
    assert "GET" in reply.headers["Allow"]


def test_a_report_gets_the_citys_number(client: FlaskClient, node: NodeSimulator) -> None:
    folio = filed(node)
    assert problem_of(get(client, node, f"/v1/folios/{folio}")) == "not-found"
    post(client, node, node.batch(Lane.REP))
    answer = json.loads(get(client, node, f"/v1/folios/{folio}").data)
    assert answer["city_folio"] == "SIAC-000001"
    assert (answer["kind"], answer["state"]) == ("reporte", "Pendiente")


def test_health_is_signed(client: FlaskClient, city_key: CityKey) -> None:
    reply = client.get("/v1/health")
    assert json.loads(reply.data)["status"] == "ok"
    assert verify_body(reply.data, reply.headers[SIGNATURE_HEADER], city_key.public)


def test_a_signed_greeting_is_a_contact_and_a_forged_one_is_not(
    client: FlaskClient, node: NodeSimulator, store: Store
) -> None:
    forged = NodeSimulator().headers("GET", "/v1/health")
    assert client.get("/v1/health", headers=forged).status_code == 200
    assert list_nodes(store, CITY.inegi)[0].last_contact_at == ""
    assert get(client, node, "/v1/health").status_code == 200
    assert list_nodes(store, CITY.inegi)[0].last_contact_at == "2026-01-20T18:00:00.000Z"


@pytest.mark.parametrize("path", ["/v1/health", "/", "/r/x", "/f/x", "/static/central.css"])
def test_every_reply_is_hardened_and_sets_no_cookie(client: FlaskClient, path: str) -> None:
    reply = client.get(path)
    assert {name: reply.headers.get(name) for name in HEADERS} == HEADERS
    assert "Set-Cookie" not in reply.headers
    reply.close()


def test_a_failing_database_is_503_without_a_traceback(
    client: FlaskClient, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with store.begin() as connection:
        accounts.drop(connection)
    node = NodeSimulator()
    add_node(store, CITY.inegi, node.node, node.public, NOW, replace=False)
    reply = get(client, node, f"/v1/predial/{CLAVE}")
    assert (reply.status_code, problem_of(reply)) == (503, "busy")
    assert reply.headers["Retry-After"]
