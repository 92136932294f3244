"""The pages of a visit by a site's rules: refusals that say when to come back, and the four words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from captive_portal.app import create_app
from captive_portal.door import TRIES_EACH
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.visits import Visit
from captive_portal.hours import parse_hours
from captive_portal.simulator import SimulatedNode, simulated_node
from captive_portal.site import SiteProfile
from municipio.usecases.ports import NotRecorded, NotRecordedCause

BASE = "http://127.0.0.1:8380"
OTHER = {"REMOTE_ADDR": "10.66.0.9"}


def _node(**rules: Any) -> SimulatedNode:
    return simulated_node(profile=replace(SiteProfile(), **rules))


def _phone(node: SimulatedNode) -> FlaskClient:
    return create_app(node.ports).test_client()


def _get(phone: FlaskClient, path: str, **more: Any) -> TestResponse:
    return phone.get(path, base_url=BASE, **more)


def _hidden(page: TestResponse, form: str = "") -> dict[str, str]:
    """Hidden fields of the form whose address ends so."""
    html = page.text
    if form:
        (html,) = re.findall(rf'action="[^"]*{form}".*?</form>', html, re.DOTALL)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html))


def _tap(phone: FlaskClient, **more: Any) -> TestResponse:
    fields = _hidden(_get(phone, "/es/", **more))
    return phone.post("/es/conectar", base_url=BASE, data=fields, **more)


def _code(phone: FlaskClient) -> str:
    fields = _hidden(_get(phone, "/es/en-linea"), "/mi-codigo")
    page = phone.post("/es/mi-codigo", base_url=BASE, data=fields)
    assert page.status_code == 200
    return " ".join(re.findall(r"<li>(\w+)</li>", page.text))


def _full(node: SimulatedNode) -> None:
    for n in range(3):
        node.ports.gate.grant(f"10.0.0.{n + 1}", 700)


def _used(node: SimulatedNode) -> None:
    node.ports.gate.grant("127.0.0.1", 600)
    node.clock.pass_seconds(600)
    node.ports.door.settle()


REFUSALS = [
    ({"max_devices": 3}, _full, "La red está llena", "En 11 min se libera un lugar", 503),
    (
        {"open_hours": parse_hours(["lun-vie 06:00-11:00"])}, None,
        "El internet está cerrado por ahora", "Abre mañana a las 06:00.", 503,
    ),
    (
        {"open_hours": parse_hours(["sab 08:00-09:00"])}, None,
        "El internet está cerrado por ahora", "Abre el sábado a las 08:00.", 503,
    ),
    (
        {"daily_s": 600, "session_s": 600}, _used,
        "Ya usó su tiempo de hoy", "Podrá conectarse otra vez en 12 horas.", 429,
    ),
    (
        {"cool_down_s": 900, "session_s": 600}, _used,
        "Es hora de una pausa", "Podrá conectarse otra vez en 15 min.", 429,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "prepare", "title", "again", "status"), REFUSALS)
def test_who_cannot_come_in_learns_why_when_and_what_works(
    rules: dict[str, Any], prepare: Any, title: str, again: str, status: int
) -> None:
    node = _node(**rules)
    phone = _phone(node)
    waiting = _hidden(_get(phone, "/es/"))
    if prepare is not None:
        prepare(node)

    page = _get(phone, "/es/")

    assert page.status_code == 200
    assert title in page.text
    assert again in page.text
    assert "/es/reporte" in page.text
    assert 'action="/es/conectar"' not in page.text
    assert len(page.data) < 8 * 1024
    assert '<html lang="en">' in _get(phone, "/en/").text
    if waiting:
        late = phone.post("/es/conectar", base_url=BASE, data=waiting)
        assert late.status_code == status
        assert title in late.text
        assert node.ledger.facts == []


def test_bytes_used_up_are_said_as_data() -> None:
    node = _node(daily_bytes=1_000_000, session_s=600)
    phone = _phone(node)
    _tap(phone)
    node.ports.gate.spend("127.0.0.1", 1_000_000)  # type: ignore[attr-defined]  # the memory gate

    assert "Ya usó sus datos de hoy" in _get(phone, "/es/").text


def test_limits_are_said_before_and_after_the_tap() -> None:
    node = _node(session_s=3600, session_bytes=1_450_000_000)
    phone = _phone(node)
    assert "La visita dura 1 hora y 1.4\u00a0GB de datos." in _get(phone, "/es/").text

    _tap(phone)

    assert "Datos: 1.4\u00a0GB." in _get(phone, "/es/en-linea").text


def test_near_the_end_one_tap_begins_anew() -> None:
    node = _node(session_s=3600)
    phone = _phone(node)
    _tap(phone)
    assert "Seguir conectado" not in _get(phone, "/es/en-linea").text
    node.clock.pass_seconds(3300)
    page = _get(phone, "/es/en-linea")
    assert "Seguir conectado" in page.text

    phone.post("/es/conectar", base_url=BASE, data=_hidden(page, "/conectar"))

    assert "1 hora" in _get(phone, "/es/en-linea").text


def test_four_words_carry_the_rest_to_another_device_without_cookies() -> None:
    node = _node(session_s=3600)
    phone = _phone(node)
    _tap(phone)
    code = _code(phone)
    node.clock.pass_seconds(600)

    form = _get(phone, "/es/codigo", environ_base=OTHER)
    data = _hidden(form) | {"codigo": code.upper()}
    answer = phone.post("/es/codigo", base_url=BASE, data=data, environ_base=OTHER)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/es/en-linea")
    assert "50 min" in _get(phone, "/es/en-linea", environ_base=OTHER).text
    assert _get(phone, "/es/en-linea").status_code == 303, "the first device gave it up"


def test_the_qr_opens_a_form_and_changes_nothing_by_itself() -> None:
    node = _node()
    phone = _phone(node)
    _tap(phone)
    code = _code(phone).replace(" ", "-")

    scanned = _get(phone, f"/c/{code}", environ_base=OTHER)
    form = _get(phone, scanned.headers["Location"], environ_base=OTHER)

    assert f'value="{code}"' in form.text
    assert len(node.ports.gate.visits()) == 1  # type: ignore[arg-type]  # the memory gate
    assert len(node.ledger.facts) == 1


def test_the_code_page_is_small_and_shows_the_same_words_again() -> None:
    node = _node()
    phone = _phone(node)
    _tap(phone)
    fields = _hidden(_get(phone, "/es/en-linea"), "/mi-codigo")

    first = phone.post("/es/mi-codigo", base_url=BASE, data=fields)
    again = phone.post("/es/mi-codigo", base_url=BASE, data=fields)

    assert first.text == again.text
    sheet = _get(phone, "/portal.css")
    assert len(first.data) + len(sheet.data) < 15 * 1024
    assert "<img" not in first.text


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "luna",
        "a b c d",
        "x" * 4000,
        "<script>",
        "\x00\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ],
)
def test_a_wrong_code_is_said_and_counted(typed: str) -> None:
    node = _node()
    phone = _phone(node)
    form = _get(phone, "/es/codigo")

    answer = phone.post("/es/codigo", base_url=BASE, data=_hidden(form) | {"codigo": typed})

    assert answer.status_code in (413, 422)
    assert "<script>" not in answer.text
    counts = node.ports.door.counters.read()
    assert counts["code_wrong"] + counts["bad_request"] == 1


def test_guessing_is_answered_by_waiting() -> None:
    phone = _phone(_node())
    for _ in range(TRIES_EACH):
        form = _get(phone, "/en/codigo")
        phone.post("/en/codigo", base_url=BASE, data=_hidden(form) | {"codigo": "a b c d"})

    form = _get(phone, "/en/codigo")
    answer = phone.post("/en/codigo", base_url=BASE, data=_hidden(form) | {"codigo": "a b c d"})

    assert answer.status_code == 429
    assert "Too many tries. Wait 10 min." in answer.text


@pytest.mark.parametrize("path", ["codigo", "mi-codigo"])
def test_forged_code_forms_do_nothing(path: str) -> None:
    node = _node()
    phone = _phone(node)
    _tap(phone)

    answer = phone.post(
        f"/es/{path}", base_url=BASE, data={"seal": "1.aa." + "0" * 32, "codigo": "a b c d"}
    )

    assert answer.status_code in (303, 400)
    assert node.ports.door.counters.read()["bad_form"] == 1
    assert node.ports.door.counters.read()["code_given"] == 0


def test_a_code_that_cannot_be_recorded_moves_nothing() -> None:
    node = _node()
    phone = _phone(node)
    _tap(phone)
    code = _code(phone)
    node.ledger.refuse = NotRecorded(NotRecordedCause.DISK_FULL, "full")

    data = _hidden(_get(phone, "/es/codigo", environ_base=OTHER)) | {"codigo": code}
    answer = phone.post("/es/codigo", base_url=BASE, data=data, environ_base=OTHER)

    assert answer.status_code == 503
    assert _get(phone, "/es/en-linea").status_code == 200


def test_a_phone_that_changes_its_address_is_told_why_it_needs_a_code() -> None:
    node = _node()

    class Private(MemoryGate):
        def look(self, ip: str) -> Visit:
            return replace(super().look(ip), rotating=True)

    node.ports.gate.__class__ = Private
    phone = _phone(node)
    _tap(phone)

    assert "Su teléfono cambia de identidad" in _get(phone, "/es/en-linea").text


def test_a_site_speaks_the_languages_it_names() -> None:
    spanish = _get(_phone(_node(languages=("es",))), "/", headers={"Accept-Language": "en"})
    assert "Conéctese a internet" in spanish.text
    assert "English" not in spanish.text
    assert "Connect to the Internet" in _get(_phone(_node(languages=("en", "es"))), "/").text


def test_inside_its_hours_a_site_is_open() -> None:
    node = _node(open_hours=parse_hours(["06:00-11:00"]))
    node.clock.moment = datetime(2026, 1, 20, 16, 0, tzinfo=UTC)

    assert "Aceptar y conectarme" in _get(_phone(node), "/es/").text
