"""A blocked page says which kind it is and since when, takes an appeal, and leads nowhere else."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from captive_portal.app import create_app
from captive_portal.filter.policy import Category
from captive_portal.gate.client import GateClient
from captive_portal.simulator import SimulatedNode, simulated_node
from municipio.usecases.ports import NotRecorded, NotRecordedCause

BASE = "http://127.0.0.1:8380"
NAME = "adult.bloqueada.example"
DEEP = "cuenta-de-maria.adult.bloqueada.example"


@pytest.fixture
def node() -> SimulatedNode:
    return simulated_node()


@pytest.fixture
def phone(node: SimulatedNode) -> FlaskClient:
    client = create_app(node.ports).test_client()
    fields = _hidden(client.get("/es/", base_url=BASE).text)
    assert client.post("/es/conectar", base_url=BASE, data=fields).status_code == 303
    node.ledger.facts.clear()
    return client


def _hidden(html: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html))


def _page(phone: FlaskClient, name: str, lang: str = "es") -> TestResponse:
    return phone.get(f"/{lang}/bloqueado", base_url=BASE, query_string={"nombre": name})


def _ask(phone: FlaskClient, name: str = NAME, **changes: str) -> TestResponse:
    fields = _hidden(_page(phone, name).text) | {"motivo": "escuela"} | changes
    return phone.post("/es/bloqueado", base_url=BASE, data=fields)


def _facts(node: SimulatedNode) -> list[Any]:
    return [json.loads(raw) for raw in node.ledger.facts]


@pytest.mark.parametrize("path", ["/", "/algo?x=1", "/es/conectar"])
def test_a_blocked_name_leads_to_our_own_page_about_it(phone: FlaskClient, path: str) -> None:
    answer = phone.get(path, base_url=f"http://{NAME}")

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{BASE}/es/bloqueado?nombre={NAME}"


def test_who_has_not_accepted_sees_the_welcome_first(node: SimulatedNode) -> None:
    stranger = create_app(node.ports).test_client()

    assert stranger.get("/", base_url=f"http://{NAME}").headers["Location"] == f"{BASE}/"


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("category", list(Category))
def test_the_page_says_which_kind_and_since_when(
    phone: FlaskClient, category: Category, lang: str
) -> None:
    page = _page(phone, f"{category}.bloqueada.example", lang)

    assert page.status_code == 200
    assert f"{category}.bloqueada.example" in page.text
    assert {"es": "15 de enero de 2026", "en": "15 January 2026"}[lang] in page.text
    without_name = page.text.replace(f"{category}.bloqueada.example", "")
    assert not re.search(rf"\b{category}\b", without_name), "words of people, not of the list"


def test_a_name_that_the_site_itself_blocks_is_said_to_be_so(phone: FlaskClient) -> None:
    assert "Bloqueada en este lugar" in _page(phone, "x.y.bloqueada.example").text


def test_an_appeal_is_a_fact_with_the_listed_name_and_nothing_about_the_person(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    answer = _ask(phone)

    (fact,) = _facts(node)
    assert answer.status_code == 303
    assert fact["type"] == "filter.appealed"
    assert fact["lane"] == "rep"
    assert fact["data"] == {
        "name": NAME,
        "category": "adult",
        "listed_since": "2026-01-15",
        "reason": "escuela",
        "language": "es",
    }
    shown = phone.get(answer.headers["Location"], base_url=BASE).text
    folio = re.search(r"COA007-R1-\d{6}-X", shown)
    assert folio is not None
    found = phone.get(f"/es/folio?folio={folio[0]}", base_url=BASE).text
    assert "Revisión de una página bloqueada" in found


def test_what_somebody_visited_below_a_listed_name_stays_out_of_the_ledger_and_the_logs(
    node: SimulatedNode, phone: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    deep = "cuenta-de-maria.x.bloqueada.example"

    phone.get("/", base_url=f"http://{deep}")
    assert _ask(phone, deep).status_code == 303

    assert _facts(node)[0]["data"]["name"] == "bloqueada.example"
    assert b"cuenta-de-maria" not in b"".join(node.ledger.facts)
    assert "bloqueada" not in caplog.text


def test_one_appeal_a_name_is_enough_whoever_asks(node: SimulatedNode, phone: FlaskClient) -> None:
    fields = _hidden(_page(phone, NAME).text)
    first, second = _ask(phone), phone.post("/es/bloqueado", base_url=BASE, data=fields)

    assert first.headers["Location"] == second.headers["Location"]
    assert len(node.ledger.facts) == 1
    assert "Ya se pidió que revisen esta página." in _page(phone, NAME).text


def test_a_flood_of_appeals_is_slowed_down(node: SimulatedNode, phone: FlaskClient) -> None:
    answers = [_ask(phone, f"{c}.bloqueada.example").status_code for c in Category]

    assert answers == [303] * 5 + [429] * 2
    assert len(node.ledger.facts) == 5


@pytest.mark.parametrize(
    "name",
    ["", "x", "municipio.example", "http://elsewhere.example/", "//elsewhere.example", "<b>x</b>",
     "a" * 500, "10.0.0.1", "bloqueada.example\r\nSet-Cookie: a=b", "{{7*7}}.example"],
)  # fmt: skip
def test_a_name_that_is_not_blocked_is_neither_echoed_nor_gone_to(
    node: SimulatedNode, phone: FlaskClient, name: str
) -> None:
    page = _page(phone, name)
    asked = phone.post(
        "/es/bloqueado",
        base_url=BASE,
        data=_hidden(_page(phone, NAME).text) | {"nombre": name},
    )

    for answer in (page, asked):
        assert answer.status_code in (200, 404)
        assert "no está bloqueada" in answer.text
        assert "Location" not in answer.headers
        assert not name or len(name) < 2 or name not in answer.text
    assert node.ledger.facts == []


@pytest.mark.parametrize("seal", ["", "0.0.0", "ñ"])
def test_a_forged_appeal_is_not_recorded(
    node: SimulatedNode, phone: FlaskClient, seal: str
) -> None:
    assert _ask(phone, seal=seal).status_code == 400
    assert node.ledger.facts == []


def test_a_reason_that_nobody_offered_is_another_one(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    _ask(phone, motivo="me llamo María y vivo en…")

    assert _facts(node)[0]["data"]["reason"] == "otro"


def test_an_appeal_that_cannot_be_stored_says_so_and_may_be_sent_again(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    node.ledger.refuse = NotRecorded(NotRecordedCause.DISK_FULL, "no space")
    assert _ask(phone).status_code == 503
    node.ledger.refuse = None
    assert _ask(phone).status_code == 303


def test_without_a_readable_list_the_page_says_that_only_the_services_open(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    fields = _hidden(_page(phone, NAME).text)
    node.filter.unreadable = True

    page = _page(phone, NAME)

    assert page.status_code == 503
    assert "El filtro no se puede leer" in page.text
    assert phone.post("/es/bloqueado", base_url=BASE, data=fields).status_code == 503
    assert node.ledger.facts == []


def test_the_page_in_the_other_language_is_about_the_same_name(phone: FlaskClient) -> None:
    assert f'href="/en/bloqueado?nombre={NAME}"' in _page(phone, NAME).text


def test_a_real_gate_without_a_readable_list_says_it_on_the_first_page(tmp_path: Path) -> None:
    node = simulated_node(gate=GateClient(tmp_path / "nobody.sock"))
    node.filter.unreadable = True

    page = create_app(node.ports).test_client().get("/es/servicios", base_url=BASE).text

    assert "El filtro no se puede leer" in page
    assert "solo abren los servicios del Ayuntamiento" in page
