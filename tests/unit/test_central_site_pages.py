"""The page 'Nuevo sitio': the code and the file that it makes, for whom, and from which rules."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from sqlalchemy import select

from central.app import create_app
from central.city import City
from central.context import Central
from central.keys import CityKey
from central.projector import Projector
from central.rights_audit import newest
from central.schema import enrol_codes
from central.store import Store, open_store
from central.wiring import demo_perfil
from municipio.site_file.keys import KEYS
from municipio.site_file.parse import parse_site_file
from municipio.site_file.plan import SitePlan
from municipio.wire.enrolment import EnrolCode, parse_code

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
TOKEN = "ficha-de-prueba"
TYPED = {
    "token": TOKEN, "site.name": "Plaza <Centro> (demostración)", "city.url": "https://p.example",
    "wifi.ssid": "Plaza Libre", "uplink.kind": "lte", "uplink.apn": "internet.example",
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/central.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def client(store: Store) -> FlaskClient:
    key = CityKey(Ed25519PrivateKey.generate())
    projector = Projector(store, CITY, lambda: NOW)
    made = Central(store, CITY, key, demo_perfil(), TOKEN, lambda: NOW, projector)
    return create_app(made).test_client()


def _made(html: str) -> bytes:
    found = re.search(
        r'download="plaza.toml" href="data:application/octet-stream;base64,([^"]+)"', html
    )
    assert found is not None
    return base64.b64decode(found[1])


def _codes(store: Store) -> list[tuple[str, str, int]]:
    with store.begin() as connection:
        c = enrol_codes.c
        return [
            (r.node, r.site, r.preapproved)
            for r in connection.execute(select(c.node, c.site, c.preapproved))
        ]


def test_it_makes_a_preapproved_code_and_a_file_that_a_node_believes(
    client: FlaskClient, store: Store
) -> None:
    shown = client.post("/sitios/nuevo", data=TYPED)

    raw = _made(shown.text)
    plan = parse_site_file(raw)
    assert isinstance(plan, SitePlan), plan
    assert raw.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in raw
    assert plan.node_code == "COA001"
    assert plan.text("city.inegi") == CITY.inegi
    assert "BEGIN PUBLIC KEY" in plan.text("city.key")
    assert isinstance(parse_code(plan.text("city.code")), EnrolCode)
    assert re.fullmatch(r"[0-9]{8}", plan.text("technician.code"))
    assert plan.text("technician.code") in shown.text
    assert _codes(store) == [("COA001", TYPED["site.name"], 1)]
    assert newest(store, CITY.inegi)[0].what == "site.made"
    assert "<Centro>" not in shown.text


def test_a_card_made_anew_keeps_its_place(client: FlaskClient, store: Store) -> None:
    shown = client.post("/sitios/nuevo", data=TYPED | {"node": "coa017"})

    plan = parse_site_file(_made(shown.text))
    assert isinstance(plan, SitePlan)
    assert plan.number("site.number") == 17


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"uplink.apn": ""}, "falta «apn»"), ({"wifi.ssid": "ñ" * 20}, "demasiado largo"),
     ({"node": "XAL001"}, "no es uno de esta ciudad"), ({"node": "coa000"}, "la ciudad misma"),
     ({"city.url": "p.example"}, "forma esperada")],
)  # fmt: skip
def test_what_a_node_would_refuse_makes_no_code(
    client: FlaskClient, store: Store, changed: dict[str, str], words: str
) -> None:
    shown = client.post("/sitios/nuevo", data=TYPED | changed)

    assert shown.status_code == 422
    assert words in shown.text
    assert TYPED["wifi.ssid"] in shown.text or "wifi.ssid" in changed
    assert _codes(store) == []


def test_it_is_the_staffs_alone(client: FlaskClient, store: Store) -> None:
    assert client.get("/sitios/nuevo").status_code == 401
    assert client.post("/sitios/nuevo", data=TYPED | {"token": "otra"}).status_code == 401
    from_elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/sitios/nuevo", data=TYPED, headers=from_elsewhere).status_code == 401
    assert _codes(store) == []


def test_the_form_has_every_key_that_the_city_does_not_fill_in(client: FlaskClient) -> None:
    shown = client.get(f"/sitios/nuevo?token={TOKEN}").text

    named = set(re.findall(r'name="([a-z_]+\.[a-z_]+)"', shown))
    of_the_city = {"city.letters", "city.inegi", "city.code", "city.key", "site.number"}
    assert named == {k.name for k in KEYS} - of_the_city
    assert 'value="http://localhost"' in shown
