"""The server keeps its contract: schemathesis asks it everything, jsonschema reads its replies."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pyrage import x25519
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from central.app import create_app
from central.city import City
from central.context import EXTENSION, Central
from central.demo_padron import known_accounts
from central.desk_log import LOG_TYPE
from central.indicators import replace_services
from central.keys import CityKey
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.open311_door import open_door
from central.projector import Projector
from central.rates import Buckets, Rate
from central.schema import accounts
from central.store import insert_missing, open_store
from central.wiring import demo_perfil
from municipio.facts import FactType, Lane
from municipio.reports import Service
from municipio.wire.envelope import SIGNATURE_HEADER, verify_body

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
CLAVE = "0620000101023005000007"
DOCUMENT = json.loads(resources.files("central").joinpath("openapi.json").read_bytes())
MEDIA = "application/vnd.plaza.batch"

LAMP = Service("luminaria", "Luminaria fundida", "Alumbrado", ("foco", "luz"), "lightbulb")
OPERATIONS = [(path, method) for path, item in DOCUMENT["paths"].items() for method in item]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
modest = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def batch_bytes(_: Any, value: Any) -> bytes:
    """A body as it is: schemathesis knows no serializer of our media types."""
    if isinstance(value, bytes):
        return value
    return value.data if hasattr(value, "data") else json.dumps(value).encode()


for media in (MEDIA, LOG_TYPE):
    schemathesis.serializer(media)(batch_bytes)


@pytest.fixture(scope="module")
def city_key() -> CityKey:
    return CityKey(Ed25519PrivateKey.generate())


@pytest.fixture(scope="module")
def node() -> NodeSimulator:
    return NodeSimulator()


@pytest.fixture(scope="module")
def app(
    tmp_path_factory: pytest.TempPathFactory, city_key: CityKey, node: NodeSimulator
) -> Iterator[Flask]:
    path: Path = tmp_path_factory.mktemp("central")
    store = open_store(f"sqlite:///{path}/central.sqlite")
    with store.begin() as connection:
        rows = [account.row(CITY.inegi) for _, account in known_accounts(date(2026, 1, 20))]
        insert_missing(connection, accounts, rows)
        replace_services(connection, CITY.inegi, [LAMP])
    add_node(store, CITY.inegi, node.node, node.public, NOW, replace=False)
    projector = Projector(store, CITY, lambda: NOW)
    central = Central(store, CITY, city_key, demo_perfil(), "ficha", lambda: NOW, projector)
    endless = Buckets(Rate(burst=1e9, per_s=1e9), time.monotonic)
    door = open_door(store, CITY, path, NOW)
    offices = {"siac": [str(x25519.Identity.generate().to_public())]}
    yield create_app(replace(central, open_rate=endless, door=door, recipients=offices))
    store.close()


@pytest.fixture
def api_schema(app: Flask) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def cases(api_schema: Any, path: str, method: str) -> st.SearchStrategy[Any]:
    """Requests for one operation, of the promised shape and of others."""
    operation = api_schema[path][method]
    modes = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
    return st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_anything_sent_by_anybody_is_answered_as_promised(
    api_schema: Any, path: str, method: str
) -> None:
    @modest
    @given(case=cases(api_schema, path, method))
    def ask_it(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    ask_it()


@pytest.mark.parametrize(("path", "method"), [o for o in OPERATIONS if o[0].startswith("/v1/")])
def test_anything_signed_by_a_node_is_answered_as_promised(
    api_schema: Any, node: NodeSimulator, city_key: CityKey, path: str, method: str
) -> None:
    statuses = set()

    @modest
    @given(case=cases(api_schema, path, method))
    def ask_it(case: Any) -> None:
        body = case.as_transport_kwargs().get("data") or b""
        try:
            signed = node.headers(case.method, case.formatted_path, body)
        except ValueError:
            return  # a path that cannot be signed never leaves a node
        case.headers = {**(case.headers or {}), **signed}
        reply = case.call()
        case.validate_response(reply, checks=CHECKS)
        signature = reply.headers[SIGNATURE_HEADER.lower()][0]
        assert verify_body(reply.content, signature, city_key.public)
        statuses.add(reply.status_code)

    ask_it()
    assert statuses - {401}, "no request got past the signature"


def schema_of(name: str) -> Draft202012Validator:
    ref = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return Draft202012Validator(ref)


def ask(client: FlaskClient, node: NodeSimulator, path: str) -> Any:
    return json.loads(client.get(path, headers=node.headers("GET", path)).data)


def test_every_kind_of_reply_fits_its_schema(client: FlaskClient, node: NodeSimulator) -> None:
    debt = ask(client, node, f"/v1/predial/{CLAVE}")
    schema_of("Debt").validate(debt)
    schema_of("Predial").validate(debt)
    owed = json.loads(debt["liquidacion"]["payload"])
    schema_of("Liquidacion").validate(owed)
    folio = node.pay(CLAVE, owed["id"], owed["total_centavos"])
    node.add_raw(Lane.PAY, b"damage")
    path, body = node.batches_path(), node.batch(Lane.PAY)
    reply = client.post(path, data=body, headers=node.headers("POST", path, body))
    client.application.extensions[EXTENSION].projector.run_once()
    ack = json.loads(reply.data.split(b"\n")[0])
    schema_of("Ack").validate(ack)
    assert [problem["seq"] for problem in ack["problems"]] == [3]
    schema_of("AckBody").validate(reply.text)
    schema_of("AlreadyPaid").validate(ask(client, node, f"/v1/predial/{CLAVE}"))
    schema_of("Folio").validate(ask(client, node, f"/v1/folios/{folio}"))
    schema_of("Health").validate(ask(client, node, "/v1/health"))


def test_every_problem_fits_its_schema_and_is_signed(
    client: FlaskClient, node: NodeSimulator, city_key: CityKey
) -> None:
    stranger = NodeSimulator()
    for _ in range(2):
        stranger.record(FactType.REPORT_FILED, {})
    node.record(FactType.REPORT_FILED, {})
    node.record(FactType.REPORT_FILED, {})
    path = node.batches_path()
    gap = node.batch(Lane.REP, first=2)
    sent = [
        (node, gap),
        (node, b"x"),
        (stranger, stranger.batch(Lane.REP)),
        (node, NodeSimulator(node="COA008").sign_batch(Lane.REP, [b"{}"], 1, "0" * 64)),
    ]
    seen = set()
    for sender, body in sent:
        reply = client.post(path, data=body, headers=sender.headers("POST", path, body))
        document = json.loads(reply.data)
        schema_of("Problem").validate(document)
        assert verify_body(reply.data, reply.headers[SIGNATURE_HEADER], city_key.public)
        assert (
            str(reply.status_code)
            in DOCUMENT["paths"]["/v1/nodes/{node}/batches"]["post"]["responses"]
        )
        seen.add(document["type"].rsplit(":", 1)[-1])
    assert seen == {"gap", "bad-batch", "unknown-node", "wrong-node"}


STAFF_PAGES = ("dashboard.", "indicators.", "rights.", "rollouts.", "sites.")
"""Pages for people, by blueprint: the contract is for programs."""


def test_every_route_is_in_the_contract(app: Flask) -> None:
    routes = {
        re.sub(r"<(?:\w+:)?(\w+)(?::path)?>", r"{\1}", str(rule))
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not rule.endpoint.startswith(STAFF_PAGES)
    }
    assert routes == set(DOCUMENT["paths"])
