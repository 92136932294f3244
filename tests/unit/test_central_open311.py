"""Open311 GeoReport v2: what the standard requires is there, and what is a person's never is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyrage
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from sqlalchemy import select

from central.app import create_app
from central.cases import import_states
from central.city import City
from central.cli import main
from central.context import Central
from central.desk_access import all_facts_of
from central.fleet import fleet
from central.indicators import month_report, replace_services
from central.ingest import Taken, take_batch
from central.keys import CityKey
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.open311 import Question, Refusal, encode, parse_question
from central.open311_door import load_door, open_door
from central.projections import project
from central.projector import Projector
from central.rights_audit import make_token, revoke_token
from central.schema import facts, heads, quarantine
from central.schema_fleet import open311_keys
from central.store import Store
from central.wiring import demo_perfil
from municipio.facts import FactType, Lane, decode_fact
from municipio.reports import Service
from municipio.wire.batch import Batch, decode_batch

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
LAMP = Service("luminaria", "Luminaria fundida", "Alumbrado Público", ("foco", "luz"), "lightbulb")
HOLE = Service("bache", "Bache", "Obras Públicas", ("hoyo",), "road")
REPORT = {
    "service_code": "luminaria",
    "colonia": "IQUISA",
    "channel": "kiosco",
    "recipient": "siac",
    "sealed": "-----BEGIN AGE ENCRYPTED FILE-----",
}
SERVICE = ("service_code", "service_name", "description", "metadata", "type", "keywords", "group")
REQUEST = (
    *("service_request_id", "status", "status_notes", "service_name", "service_code"),
    *("description", "agency_responsible", "service_notice", "requested_datetime"),
    *("updated_datetime", "expected_datetime", "address", "address_id", "zipcode"),
    *("lat", "long", "media_url"),
)
"""Members of the standard, in its order."""


@dataclass
class Town:
    store: Store
    node: NodeSimulator
    client: FlaskClient
    office: Any
    projector: Projector

    def ask(self, path: str) -> Any:
        return json.loads(self.client.get(f"/open311/v2/{path}").data)

    def deliver(self) -> None:
        batch = decode_batch(self.node.batch(Lane.REP))
        assert isinstance(batch, Batch)
        assert isinstance(take_batch(self.store, CITY.inegi, batch, NOW), Taken)
        project(self.store, CITY.inegi, CITY.zone, NOW)


@pytest.fixture
def town(store: Store, tmp_path: Path) -> Town:
    node, office = NodeSimulator(), pyrage.x25519.Identity.generate()
    add_node(store, CITY.inegi, node.node, node.public, NOW, replace=False)
    with store.begin() as connection:
        replace_services(connection, CITY.inegi, [LAMP, HOLE])
    projector = Projector(store, CITY, lambda: NOW)
    open_door(store, CITY, tmp_path, NOW)
    central = Central(
        store, CITY, CityKey(Ed25519PrivateKey.generate()), demo_perfil(), "ficha", lambda: NOW,
        projector, recipients={"siac": [str(office.to_public())]}, door=load_door(CITY, tmp_path),
    )  # fmt: skip
    return Town(store, node, create_app(central).test_client(), office, projector)


def test_services_have_what_the_standard_requires(town: Town) -> None:
    found = town.ask("services.json")
    assert [service["service_code"] for service in found] == ["bache", "luminaria"]
    assert all(tuple(service) == SERVICE for service in found)
    reply = town.client.get("/open311/v2/services.xml")
    root = ElementTree.fromstring(reply.data)

    assert reply.content_type == "text/xml; charset=utf-8"
    assert reply.data.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    assert (root.tag, {child.tag for child in root}) == ("services", {"service"})
    assert tuple(child.tag for child in root[0]) == SERVICE
    assert root[0].findtext("metadata") == "true"


def test_a_definition_says_what_to_ask(town: Town) -> None:
    root = ElementTree.fromstring(town.client.get("/open311/v2/services/bache.xml").data)
    codes = [a.findtext("code") for a in root.findall("attributes/attribute")]
    assert (root.findtext("service_code"), codes) == ("bache", ["colonia", "calle", "entre"])
    assert {a.findtext("datatype") for a in root.iter("attribute")} == {"string"}
    missing = town.client.get("/open311/v2/services/nada.json")
    assert missing.status_code == 404
    assert tuple(json.loads(missing.data)[0]) == ("code", "description")


def test_requests_are_public_and_say_nothing_of_a_person(town: Town) -> None:
    folio = town.node.folio(Lane.REP, 1)
    for _ in range(2):
        town.node.record(FactType.REPORT_FILED, REPORT)
    town.node.record(FactType.COMPLAINT_FILED, {"sealed": "-", "recipient": "contraloria"})
    town.deliver()
    text = "folio,estado,fecha\nSIAC-000001,Atendido,2026-01-20 11:59\n"
    import_states(town.store, CITY.inegi, text.encode(), "s.csv", CITY.zone, NOW)
    found = {row["service_request_id"]: row for row in town.ask("requests.json")}

    assert found.keys() == {"SIAC-000001", "SIAC-000002"}
    done = found["SIAC-000001"]
    assert tuple(done) == REQUEST
    assert (done["status"], done["status_notes"]) == ("closed", "Atendido")
    assert (done["service_name"], done["agency_responsible"]) == (LAMP.name, LAMP.dependency)
    assert done["requested_datetime"] == "2026-01-20T10:00:00-06:00"
    assert done["updated_datetime"] == "2026-01-20T11:00:00-06:00"
    assert done["address"] == "IQUISA"
    assert {done[name] for name in ("lat", "long", "description", "media_url")} == {None}
    assert "AGE" not in town.client.get("/open311/v2/requests.json").text
    for name in (folio, "SIAC-000001"):
        assert town.ask(f"requests/{name}.json") == [done]
    assert town.ask(f"tokens/{folio}.json") == [
        {"service_request_id": "SIAC-000001", "token": folio}
    ]
    root = ElementTree.fromstring(town.client.get("/open311/v2/requests.xml").data)
    assert root.tag == "service_requests"
    assert tuple(child.tag for child in root.findall("request")[0]) == REQUEST


def test_requests_are_narrowed_and_never_by_the_minute(town: Town) -> None:
    for code in ("luminaria", "bache"):
        town.node.record(FactType.REPORT_FILED, {**REPORT, "service_code": code})
    town.deliver()

    def numbers(question: str) -> list[str]:
        return [row["service_request_id"] for row in town.ask(f"requests.json?{question}")]

    assert numbers("service_code=bache,otro") == ["SIAC-000002"]
    assert numbers("service_request_id=SIAC-000001&service_code=bache") == ["SIAC-000001"]
    assert numbers("status=closed") == []
    assert len(numbers("status=open,closed")) == 2
    assert numbers("page=2&page_size=1") == ["SIAC-000001"]
    # Filed at 10:42: no question can tell more than the hour.
    for inside in ("start_date=2026-01-20T10:59:00-06:00", "end_date=2026-01-20T10:01:00-06:00"):
        assert len(numbers(inside)) == 2
    for outside in ("start_date=2026-01-20T11:00:00-06:00", "end_date=2026-01-20T16:00:00Z"):
        assert numbers(outside) == []
    more = town.ask("requests.json?extensions=true")[0]["extended_attributes"]
    assert more == {"detailed_status": "RECEIVED", "channel": "kiosco"}


@pytest.mark.parametrize(
    "asked",
    [
        {"status": "abierto"},
        {"start_date": "ayer"},
        {"start_date": "2026-01-20"},
        {"start_date": "2025-01-01T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"},
        {"page": "0"},
        {"page_size": "1001"},
        {"page": "-1"},
        {"service_code": "a," * 1001},
    ],
)
def test_a_wrong_question_is_refused(asked: dict[str, str]) -> None:
    refused = parse_question(asked, NOW)
    assert isinstance(refused, Refusal)
    assert refused.status == 400


def test_without_dates_the_last_ninety_days_are_asked() -> None:
    asked = parse_question({}, NOW)
    assert isinstance(asked, Question)
    assert (asked.since, asked.until) == ("2025-10-22T18:00:00.000Z", "2026-01-20T18:00:00.000Z")
    later = parse_question({"start_date": "2026-01-01T00:30:00 00:00"}, NOW)
    assert isinstance(later, Question)
    assert later.since == "2026-01-01T00:00:00.000Z"


def test_another_municipality_and_another_format_are_not_here(town: Town) -> None:
    for path in ("v2/services.json?jurisdiction_id=30040", "v2/services.yaml", "discovery.txt"):
        assert town.client.get(f"/open311/{path}").status_code == 404
    assert town.client.get("/open311/v2/services.json?jurisdiction_id=30039").status_code == 200
    found = json.loads(town.client.get("/open311/discovery.json").data)
    assert found["endpoints"][0]["url"] == "http://localhost/open311/v2"
    assert set(found["endpoints"][0]["formats"]) == {"text/xml", "application/json"}


def test_an_xml_has_no_sign_that_xml_forbids() -> None:
    body = encode("xml", ("services", "service"), [{"service_name": "a\x00b\x0b<&>\ud800ñ"}])
    assert ElementTree.fromstring(body).findtext("service/service_name") == "ab<&>ñ"


FILED = {
    "service_code": "bache",
    "attribute[colonia]": "Petrolera",
    "attribute[calle]": "Chabacano 7",
    "description": "Hay un hoyo grande",
    "phone": "9211234567",
    "first_name": "Inventada",
}


def test_a_request_is_sealed_filed_once_and_attended_like_any_other(town: Town) -> None:
    key = make_token(town.store, CITY.inegi, "app-vecinal", NOW, open311_keys)
    path, once = "/open311/v2/requests.json", {"Idempotency-Key": "uno"}
    replies = [
        town.client.post(path, data=FILED | {"api_key": key}, headers=once) for _ in range(2)
    ]
    other = town.client.post(path, data=FILED | {"api_key": key})
    tokens = [json.loads(reply.data)[0]["token"] for reply in (*replies, other)]
    town.projector.run_once()
    number = town.ask(f"tokens/{tokens[0]}.json")[0]["service_request_id"]
    with town.store.begin() as connection:
        raws = [bytes(raw) for raw in connection.scalars(select(facts.c.raw))]
        assert connection.execute(select(quarantine)).first() is None
        assert connection.scalars(select(heads.c.through)).all() == [2]

    assert [reply.status_code for reply in replies] == [201, 201]
    assert tokens[0] == tokens[1] != tokens[2]
    assert town.ask(f"requests/{number}.json")[0]["address"] is None
    assert not any(b"Chabacano" in raw or b"9211234567" in raw for raw in raws)
    sealed = decode_fact(next(all_facts_of(town.store, CITY.inegi, "siac")).encode()).data["sealed"]
    said = json.loads(pyrage.decrypt(sealed.encode(), [town.office]))
    assert (said["street"], said["phone"]) == ("Chabacano 7", "9211234567")
    assert said["first_name"] == "Inventada"
    assert month_report(town.store, CITY.inegi, "2026-01").cases.total == 2
    assert [machine.node for machine in fleet(town.store, CITY.inegi, NOW)] == ["COA007"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"api_key": "otra"}, 403),
        ({"service_code": ""}, 400),
        ({"service_code": "nada"}, 404),
        ({"attribute[calle]": ""}, 400),
        ({"attribute[colonia]": ""}, 400),
        ({"description": "x" * 601}, 400),
        ({"jurisdiction_id": "30040"}, 404),
    ],
)
def test_a_wrong_request_is_refused(town: Town, change: dict[str, str], status: int) -> None:
    key = make_token(town.store, CITY.inegi, "app-vecinal", NOW, open311_keys)
    sent = town.client.post("/open311/v2/requests.xml", data=FILED | {"api_key": key} | change)
    root = ElementTree.fromstring(sent.data)
    assert (sent.status_code, root.tag) == (status, "errors")
    assert root.findtext("error/code") == str(status)
    with town.store.begin() as connection:
        assert connection.execute(select(facts)).first() is None


def test_a_key_that_was_taken_back_files_nothing(town: Town) -> None:
    key = make_token(town.store, CITY.inegi, "app-vecinal", NOW, open311_keys)
    revoke_token(town.store, CITY.inegi, "app-vecinal", NOW, open311_keys)
    sent = town.client.post("/open311/v2/requests.json", data=FILED | {"api_key": key})
    assert sent.status_code == 403


def test_whoever_asks_too_often_waits(town: Town) -> None:
    statuses = {town.client.get("/open311/v2/services.json").status_code for _ in range(80)}
    assert statuses == {200, 429}


def test_the_commands_open_the_door_and_give_keys(tmp_path: Path) -> None:
    where = ["--db", f"sqlite:///{tmp_path}/c.sqlite"]
    keys = ["--keys", str(tmp_path / "keys")]
    assert CliRunner().invoke(main, ["key", "create", *where, *keys]).exit_code == 0
    done = CliRunner().invoke(main, ["open311", "enable", *where, *keys])
    assert "COA000" in done.output, done.output
    assert CliRunner().invoke(main, ["open311", "key", "add", "app", *where]).exit_code == 0
    assert CliRunner().invoke(main, ["open311", "key", "remove", "app", *where]).exit_code == 0
    assert "refused since" in CliRunner().invoke(main, ["open311", "key", "list", *where]).output
