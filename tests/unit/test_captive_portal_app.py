"""The portal's pages: one tap, the truth, services without the Internet, and misuse."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from captive_portal.app import create_app
from captive_portal.form_seal import SEAL_LIFE_MS
from captive_portal.gate.client import GateClient
from captive_portal.simulator import SimulatedNode, simulated_node
from municipio.stick_words import StickState, Trip
from municipio.usecases.ports import FolioStub, LinkState, NotRecorded, NotRecordedCause

BASE = "http://127.0.0.1:8380"
PAGES = (
    "/", "/es/", "/es/servicios", "/es/emergencias", "/es/folio", "/es/tramites",
    "/es/tramites?q=acta", "/es/tramites/COA-T-RC-ACT-1", "/es/reporte", "/es/terminos",
    "/es/privacidad",
)  # fmt: skip
REPORT = {
    "service_code": "bache",
    "colonia": "Centro",
    "street": "Hidalgo",
    "description": "Hay un hoyo muy hondo.",
}


@pytest.fixture
def node() -> SimulatedNode:
    return simulated_node()


@pytest.fixture
def phone(node: SimulatedNode) -> FlaskClient:
    return create_app(node.ports).test_client()


def _get(phone: FlaskClient, path: str, **headers: str) -> TestResponse:
    return phone.get(path, base_url=BASE, headers=headers)


def _fields(html: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html))


def _tap(phone: FlaskClient, fields: dict[str, str]) -> TestResponse:
    return phone.post("/es/conectar", base_url=BASE, data=fields)


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["es", "en"])
def test_pages_are_small_closed_and_need_neither_scripts_nor_cookies(
    phone: FlaskClient, path: str, language: str
) -> None:
    page = _get(phone, path.replace("/es/", f"/{language}/"))

    sheet = re.search(r'href="(/portal.css[^"]*)"', page.text)
    assert sheet is not None
    assert page.status_code == 200
    assert len(page.data) + len(_get(phone, sheet[1]).data) < 15 * 1024
    assert page.headers["Content-Security-Policy"].startswith(
        "default-src 'none'; style-src 'self'"
    )
    assert "Set-Cookie" not in page.headers
    tags = _Tags(page.text).tags
    assert not {"script", "iframe", "img"} & {name for name, _ in tags}
    assert not any("style" in attrs or "onclick" in attrs for _, attrs in tags)


@pytest.mark.parametrize("path", PAGES)
def test_every_field_has_its_label_and_the_page_its_language(phone: FlaskClient, path: str) -> None:
    tags = _Tags(_get(phone, path).text).tags

    labels = {attrs.get("for") for name, attrs in tags if name == "label"}
    fields = {
        attrs.get("id")
        for name, attrs in tags
        if name in ("input", "select", "textarea") and attrs.get("type") != "hidden"
    }
    assert fields <= labels
    assert tags[0][0] == "html"
    assert tags[0][1]["lang"] in ("es", "en")
    assert sum(name == "h1" for name, _ in tags) == 1


def test_the_browser_chooses_the_language_and_spanish_is_the_default(phone: FlaskClient) -> None:
    assert "Conéctese a internet" in _get(phone, "/").text
    assert "Connect to the Internet" in _get(phone, "/", **{"Accept-Language": "en-US,en"}).text
    assert "Conéctese" in _get(phone, "/es/", **{"Accept-Language": "en"}).text
    assert "Accept-Language" in _get(phone, "/").headers["Vary"]


def test_one_tap_records_the_acceptance_and_opens_the_gate(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    answer = _tap(phone, _fields(_get(phone, "/es/").text))

    assert (answer.status_code, answer.headers["Location"]) == (303, "/es/en-linea")
    (fact,) = map(json.loads, node.ledger.facts)
    terms = node.catalogue.terms("es")
    assert terms is not None
    assert fact["type"] == "terms.accepted"
    assert fact["data"] == {
        "terms_version": terms.version,
        "terms_sha256": terms.sha256,
        "language": "es",
        "device": node.ports.gate.look("127.0.0.1").device,  # type: ignore[union-attr]  # memory gate
    }
    assert "127.0.0.1" not in json.dumps(fact)
    assert "2 horas" in _get(phone, "/es/en-linea").text


def test_a_double_tap_is_one_acceptance(node: SimulatedNode, phone: FlaskClient) -> None:
    fields = _fields(_get(phone, "/es/").text)

    first, second = _tap(phone, fields), _tap(phone, fields)

    assert first.headers["Location"] == second.headers["Location"] == "/es/en-linea"
    assert len(node.ledger.facts) == 1


def test_what_cannot_be_recorded_opens_nothing(node: SimulatedNode, phone: FlaskClient) -> None:
    node.ledger.refuse = NotRecorded(NotRecordedCause.DISK_FULL, "no space")
    fields = _fields(_get(phone, "/es/").text)

    answer = _tap(phone, fields)

    assert answer.status_code == 503
    assert "No pudimos guardar su aceptación" in answer.text
    assert node.ports.gate.visits() == ()
    node.ledger.refuse = None
    assert _tap(phone, fields).status_code == 303


def test_a_gate_that_does_not_answer_is_said_plainly(node: SimulatedNode, tmp_path) -> None:  # type: ignore[no-untyped-def]  # pytest's fixture
    closed = simulated_node(gate=GateClient(tmp_path / "nobody.sock"))
    phone = create_app(closed.ports).test_client()

    answer = _tap(phone, _fields(_get(phone, "/es/").text))

    assert answer.status_code == 503
    assert "No pudimos abrirle el paso a internet" in answer.text
    assert closed.ledger.facts == []


@pytest.mark.parametrize("seal", ["", "0.0.0", "1.aa." + "0" * 32, "ñ", "x" * 500])
def test_a_forged_form_opens_nothing(node: SimulatedNode, phone: FlaskClient, seal: str) -> None:
    fields = _fields(_get(phone, "/es/").text) | {"seal": seal}

    assert _tap(phone, fields).status_code == 400
    assert node.ledger.facts == []
    assert node.ports.gate.visits() == ()


def test_a_form_of_another_device_or_of_yesterday_opens_nothing(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    fields = _fields(_get(phone, "/es/").text)
    other = phone.post(
        "/es/conectar",
        base_url=BASE,
        data=fields,
        environ_base={"REMOTE_ADDR": "10.0.0.9"},
        headers={"X-Forwarded-For": "127.0.0.1"},
    )
    node.clock.boot_ms += SEAL_LIFE_MS + 1

    assert other.status_code == 400
    assert _tap(phone, fields).status_code == 400
    assert node.ledger.facts == []


def test_the_tap_needs_post(phone: FlaskClient) -> None:
    assert _get(phone, "/es/conectar").status_code == 405


def test_terms_that_changed_meanwhile_must_be_read_first(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    fields = _fields(_get(phone, "/es/").text) | {"terms": "0" * 64}

    answer = _tap(phone, fields)

    assert answer.status_code == 409
    assert "Los términos cambiaron" in answer.text


def test_without_terms_there_is_no_button(node: SimulatedNode, phone: FlaskClient) -> None:
    node.catalogue.has_terms = False

    page = _get(phone, "/es/")

    assert "Aceptar y conectarme" not in page.text
    assert "Los términos no están disponibles" in page.text


def test_off_line_the_page_says_since_when_and_how_many_wait(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    node.link.state, node.link.waiting = LinkState.OFFLINE, 14
    node.link.since, node.link.last_carried = "2026-01-19T22:40:00.000Z", "2026-01-19T22:32:00.000Z"

    page = _get(phone, "/es/").text

    assert "Sin internet desde ayer, 16:40" in page
    assert "14 solicitudes esperan aquí para enviarse. Último envío: ayer, 16:32." in page
    assert "Hacer un reporte" in page


def test_off_line_an_acceptance_is_recorded_and_promises_nothing(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    node.link.state = LinkState.OFFLINE

    _tap(phone, _fields(_get(phone, "/es/").text))

    assert len(node.ledger.facts) == 1
    assert "Falta que vuelva el internet" in _get(phone, "/es/en-linea").text


def test_a_report_gets_a_folio_that_can_be_looked_up(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    node.link.state = LinkState.OFFLINE
    fields = REPORT | _fields(_get(phone, "/es/reporte").text)

    answer = phone.post("/es/reporte", base_url=BASE, data=fields)
    again = phone.post("/es/reporte", base_url=BASE, data=fields)

    assert answer.status_code == 303
    assert again.headers["Location"] == answer.headers["Location"]
    assert len(node.ledger.facts) == 1
    assert b"hoyo" not in node.ledger.facts[0]
    folio = answer.headers["Location"].partition("?")[0].rpartition("/")[2]
    assert folio in _get(phone, answer.headers["Location"]).text
    found = _get(phone, f"/es/folio?folio={folio.lower()}").text
    assert "Reporte ciudadano" in found
    assert "Recibido en el kiosco" in found


def test_a_payment_in_doubt_is_said_in_words_on_the_phone_too(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    stub = FolioStub("COA007-P1-000123-8", "predial", "en_verificacion", "2026-01-20")
    node.ledger.stubs[stub.folio] = stub

    found = _get(phone, "/es/folio?folio=coa007p10001238").text

    assert "Pago en verificación. No vuelva a pagar." in found
    assert "20 de enero de 2026" in found


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("COA007-R1-000123-K", "Algún carácter no coincide."),
        ("hola", "Eso no parece un folio."),
        ("COA007-R1-000123-E", "Este kiosco no conoce ese folio."),
    ],
)
def test_who_asks_for_a_folio_learns_what_is_wrong_with_it(
    phone: FlaskClient, typed: str, said: str
) -> None:
    assert said in _get(phone, f"/es/folio?folio={typed}").text


def test_the_example_beside_the_form_of_a_folio_is_one(phone: FlaskClient) -> None:
    assert "COA007-R1-000123-E" in _get(phone, "/es/folio").text


def test_an_amount_never_parts_from_its_sign(phone: FlaskClient) -> None:
    pages = [_get(phone, path).text for path in ("/es/tramites", "/es/tramites?q=predial")]

    assert not any("$ " in page for page in pages)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"service_code": "nada"}, "Elija qué desea reportar."),
        ({"street": ""}, "Escriba la calle donde está el problema."),
        ({"description": "x"}, "Cuéntenos con unas palabras qué sucede."),
        ({"phone": "12345"}, "El teléfono debe tener diez dígitos."),
    ],
)
def test_an_incomplete_report_comes_back_with_what_was_typed(
    node: SimulatedNode, phone: FlaskClient, wrong: dict[str, str], message: str
) -> None:
    fields = REPORT | wrong | _fields(_get(phone, "/es/reporte").text)

    answer = phone.post("/es/reporte", base_url=BASE, data=fields)

    assert answer.status_code == 422
    assert message in answer.text
    assert 'value="Centro"' in answer.text
    assert node.ledger.facts == []


def test_a_report_that_cannot_be_stored_has_no_folio(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    node.ledger.refuse = NotRecorded(NotRecordedCause.DISK_FULL, "no space")

    answer = phone.post(
        "/es/reporte", base_url=BASE, data=REPORT | _fields(_get(phone, "/es/reporte").text)
    )

    assert answer.status_code == 503
    assert "No se guardó nada y no hay folio." in answer.text


def test_bodies_are_limited(phone: FlaskClient) -> None:
    large = {"seal": "x" * 5000}

    assert _tap(phone, large).status_code == 413
    assert phone.post("/es/reporte", base_url=BASE, data=large).status_code == 400
    huge = {"description": "x" * 17000}
    assert phone.post("/es/reporte", base_url=BASE, data=huge).status_code == 413


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "{{ 7*7 }}", '"><u>'])
def test_what_is_typed_is_never_markup(phone: FlaskClient, text: str) -> None:
    page = phone.get("/es/tramites", base_url=BASE, query_string={"q": text}).text

    fields = [attrs for name, attrs in _Tags(page).tags if name == "input"]
    assert fields[0]["value"] == text
    assert not {"script", "u"} & {name for name, _ in _Tags(page).tags}


def test_an_unknown_page_is_small_and_in_the_visitors_language(phone: FlaskClient) -> None:
    page = _get(phone, "/en/nothing", **{"Accept-Language": "en"})

    assert page.status_code == 404
    assert "This page does not exist" in page.text


def test_an_address_typed_from_a_poster_leads_to_the_page(phone: FlaskClient) -> None:
    assert _get(phone, "/reporte").headers["Location"] == "/es/reporte"
    assert _get(phone, "/folio", **{"Accept-Language": "en"}).headers["Location"] == "/en/folio"


def test_the_demonstration_gate_says_so(phone: FlaskClient) -> None:
    assert "Demostración: esta puerta no bloquea de verdad." in _get(phone, "/es/").text


def test_a_failure_of_ours_is_a_small_page_without_a_traceback(node: SimulatedNode) -> None:
    class Broken(type(node.catalogue)):  # type: ignore[misc]  # a class made for this test
        def emergency_numbers(self) -> tuple[tuple[str, str], ...]:
            raise RuntimeError("secret")

    node.catalogue.__class__ = Broken
    page = create_app(node.ports).test_client().get("/es/emergencias", base_url=BASE)

    assert page.status_code == 500
    assert "Algo falló de nuestro lado" in page.text
    assert "secret" not in page.text


def test_who_carries_a_stick_sees_on_any_page_how_far_it_is(node: SimulatedNode) -> None:
    trip: list[Trip | None] = [Trip(StickState.WORKING, "facts", 3, 10)]
    phone = create_app(replace(node.ports, trip=lambda: trip[0])).test_client()
    for path in ("/es/", "/es/servicios"):
        page = _get(phone, path).text
        assert "copia 3 de 10 datos. No la saque." in page
        assert f'<a href="{path}">Ver el avance</a>' in page
    assert "copying 3 of 10 records" in _get(phone, "/en/servicios").text
    trip[0] = Trip(StickState.DONE, facts=10)
    assert "Ya puede sacarla." in _get(phone, "/es/").text
    trip[0] = None
    assert "USB" not in _get(phone, "/es/").text
