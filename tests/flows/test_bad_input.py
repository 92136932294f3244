"""Bad input, end to end: each case says what is wrong in plain words, and loses nothing.

Real parts throughout: the ledger's file, the city's signed content, central under waitress, printers
and terminals on serial ports, the kiosk's presenters with their threads, the portal over HTTP.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pyrage
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from captive_portal.app import create_app
from captive_portal.wiring import PortalOptions, build_ports
from kiosk.flow import Screen
from kiosk.presenters.views import (
    CardPhase,
    DebtState,
    PayOutcome,
    PrintPhase,
    ReportStep,
)
from municipio.facts import FactDraft, FactType, fact_hash
from municipio.usecases.ports import Recorded
from municipio.wire.ack import ACK_TYPE, Ack, encode_ack
from municipio.wire.batch import Batch, decode_batch
from municipio.wire.envelope import SIGNATURE_HEADER, sign_body
from sync.answers import Reply, signed_json
from sync.keys import KeyMissing, NodeKey, load_city_key
from sync.transport import Courier

OWES = "0620000101023005000007"
"""The demonstration property that owes four years."""
UNKNOWN = "9" * 22
REFUSED = "content refused, the installed one stays: "

Node = Kiosk = Street = Any
OpenKiosk = Callable[[Any], Any]


def enter_clave(kiosk: Kiosk, clave: str = OWES) -> None:
    kiosk.tap("home.predial")
    kiosk.presenter.type(clave)
    kiosk.tap("predial.continue")


def see_debt(kiosk: Kiosk, clave: str = OWES) -> None:
    """As far as the debt, whatever the kiosk then says about it."""
    enter_clave(kiosk, clave)
    places = {Screen.PREDIAL_BENEFICIO, Screen.PREDIAL_ADEUDO}
    kiosk.until(lambda: kiosk.screen in places, "the property is found")
    if kiosk.screen is Screen.PREDIAL_BENEFICIO:
        kiosk.tap("beneficio.no")
    kiosk.until_screen(Screen.PREDIAL_ADEUDO)
    kiosk.until(
        lambda: kiosk.view.state is not DebtState.LOADING and not kiosk.view.refreshing, "a debt"
    )


def write_report(kiosk: Kiosk) -> None:
    """A whole report on its review page."""
    kiosk.tap("home.reporte")
    kiosk.until(lambda: bool(kiosk.view.options), "the services")
    kiosk.tap(kiosk.view.options[0].id, "reporte.colonia.0")
    kiosk.presenter.type("Chabacano 7")
    kiosk.tap("reporte.next")
    kiosk.presenter.type("Hay un hoyo muy hondo.")
    kiosk.tap("reporte.next", "reporte.next")
    assert kiosk.view.stage is ReportStep.REVIEW


def send_report(kiosk: Kiosk) -> None:
    write_report(kiosk)
    kiosk.tap("reporte.send")
    kiosk.until(lambda: kiosk.screen is not Screen.REPORTE, "the report is answered")


def printed(kiosk: Kiosk) -> None:
    """Until the printer has given its verdict."""
    kiosk.until_screen(Screen.IMPRIMIENDO)
    kiosk.until(lambda: kiosk.view.phase is not PrintPhase.PRINTING, "a verdict")


# --- the clave catastral ------------------------------------------------------------------------


def test_an_unknown_clave_is_said_plainly_and_nothing_is_recorded(
    node: Node, open_kiosk: OpenKiosk
) -> None:
    before = node.books()
    kiosk = open_kiosk(node)
    enter_clave(kiosk, UNKNOWN)
    kiosk.until(lambda: bool(kiosk.view.problem), "an answer")
    assert kiosk.screen is Screen.PREDIAL_CLAVE
    assert (
        kiosk.view.problem
        == "No encontramos esa clave. Compárela con su recibo, dígito por dígito."
    )
    assert kiosk.view.problem in kiosk.view.speech
    assert node.books() == before


def test_a_short_clave_says_how_many_digits_are_missing(node: Node, open_kiosk: OpenKiosk) -> None:
    before = node.books()
    kiosk = open_kiosk(node)
    kiosk.tap("home.predial")
    kiosk.type("06200", "predial.key")
    assert not kiosk.view.continue_action.enabled
    kiosk.presenter.look_up()
    assert kiosk.view.problem == "La clave debe tener 16, 17 o 22 dígitos. Usted escribió 5."
    check = node_check("06200")
    assert check.returncode == 1
    assert "Traceback" not in check.stderr
    assert check.stderr.strip()
    assert node.books() == before


@pytest.mark.parametrize(
    "junk",
    [
        "' OR 1=1 --",
        "clave\x00\x1b[2J\u202e",
        "٠٦٢٠٠٠٠١٠١",
        "06-200-001-01-023-005-00-000",
        "½²③",
    ],
)
def test_letters_and_pasted_junk_in_a_clave_are_dropped_or_counted(
    node: Node, open_kiosk: OpenKiosk, junk: str
) -> None:
    before = node.books()
    kiosk = open_kiosk(node)
    kiosk.tap("home.predial")
    kiosk.presenter.type(junk)
    kiosk.presenter.look_up()
    digits = [c for c in junk if c in "0123456789"]
    wanted = (
        f"La clave debe tener 16, 17 o 22 dígitos. Usted escribió {len(digits)}."
        if digits
        else "Escriba su clave catastral."
    )
    assert kiosk.view.problem == wanted
    assert node.books() == before


def test_a_pasted_page_of_digits_is_cut_to_a_clave_and_not_found(
    node: Node, open_kiosk: OpenKiosk
) -> None:
    kiosk = open_kiosk(node)
    kiosk.tap("home.predial")
    kiosk.presenter.type("7" * 100_000)
    assert len(kiosk.view.formatted.replace("-", "")) == 22
    kiosk.tap("predial.continue")
    kiosk.until(lambda: bool(kiosk.view.problem), "an answer")
    assert "No encontramos esa clave" in kiosk.view.problem


@pytest.mark.parametrize(
    ("digits", "says"),
    [
        ("06200", "16, 17"),
        ("9" * 23, "16, 17"),
        ("0620000101023005ABCDEF", "digits, spaces and dashes only"),
        ("", "the clave is empty"),
    ],
)
def test_a_malformed_clave_on_the_command_is_one_clear_line_and_exit_1(
    digits: str, says: str
) -> None:
    check = node_check(digits)
    assert (check.returncode, check.stdout) == (1, "")
    assert len(check.stderr.strip().splitlines()) == 1
    assert says in check.stderr


def node_check(digits: str) -> subprocess.CompletedProcess[str]:
    return command("plaza", "check", "clave", digits)


def command(module: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """A program as a person starts it."""
    argv = [sys.executable, "-P", "-m", module, *map(str, words)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=20)


# --- a liquidación that cannot be used ----------------------------------------------------------


def test_an_expired_liquidacion_is_not_shown_as_a_debt(
    node: Node, open_kiosk: OpenKiosk, refused: str
) -> None:
    node.set(central={"url": refused})
    older = node.plaza("content", "import", node.city.old_content)
    assert older.exit_code == 1
    assert "is older than the installed" in older.stderr
    assert node.plaza("content", "import", node.city.old_content, "--allow-older").exit_code == 0
    before = node.books()
    kiosk = open_kiosk(node)
    see_debt(kiosk)
    view = kiosk.view
    assert view.state is DebtState.EXPIRED
    assert view.headline == "El importe ya venció"
    assert view.message == (
        "El importe que tenemos venció el 31 de enero de 2026 y puede haber cambiado. "
        "Vuelva a intentar cuando haya conexión, o pregunte en Tesorería."
    )
    assert (view.total, view.rows, view.ways) == ("", (), ())
    assert node.books() == before


def sign_content(node: Node, folder: Path) -> None:
    """The city's own signature over a folder whose files were changed."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for name in manifest["files"]:
        manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    raw = rfc8785.dumps(manifest)
    (folder / "manifest.json").write_bytes(raw)
    (folder / "manifest.sig").write_bytes(base64.b64encode(node.city.sign(raw)))


def forge(folder: Path) -> None:
    """One property's liquidación signed by somebody else."""
    padron = folder / "padron.ndjson"
    rows = [json.loads(line) for line in padron.read_text().splitlines()]
    [row] = [row for row in rows if row["clave"] == OWES]
    forged = Ed25519PrivateKey.generate().sign(row["liquidacion"]["payload"].encode())
    row["liquidacion"]["signature"] = base64.b64encode(forged).decode()
    padron.write_bytes(b"".join(rfc8785.dumps(row) + b"\n" for row in rows))


def test_a_liquidacion_with_a_bad_signature_shows_no_amount_and_names_the_phone(
    node: Node, open_kiosk: OpenKiosk, content_copy: Path, refused: str
) -> None:
    node.set(central={"url": refused})
    forge(content_copy)
    sign_content(node, content_copy)
    imported = node.plaza("content", "import", content_copy)
    assert imported.exit_code == 0, imported.output
    before = node.books()
    kiosk = open_kiosk(node)
    see_debt(kiosk)
    view = kiosk.view
    assert view.state is DebtState.BAD_SIGNATURE
    assert view.headline == "No podemos mostrar este adeudo"
    assert view.message == (
        "El dato que recibió este kiosco no es confiable. Llame al 921 000 0000 (demostración)."
    )
    assert (view.total, view.rows, view.ways) == ("", (), ())
    assert node.books() == before


def test_a_clock_that_nobody_set_shows_the_debt_but_lets_nobody_pay(
    node: Node, open_kiosk_without_time: OpenKiosk
) -> None:
    before = node.books()
    kiosk = open_kiosk_without_time(node)
    see_debt(kiosk)
    view = kiosk.view
    assert view.state is DebtState.TIME_UNSURE
    assert view.ways == ()
    assert view.notices[0].text.startswith("El kiosco no está seguro de la fecha.")
    assert "pero no pagar" in view.notices[0].text
    assert "pay.ficha" in [a.id for a in view.actions]
    assert node.books() == before


# --- a content folder that is damaged -----------------------------------------------------------


def flip(folder: Path) -> None:
    padron = folder / "padron.ndjson"
    raw = bytearray(padron.read_bytes())
    raw[len(raw) // 2] ^= 1
    padron.write_bytes(raw)


def lose(folder: Path) -> None:
    (folder / "terms.json").unlink()


def resign(folder: Path) -> None:
    manifest = (folder / "manifest.json").read_bytes()
    wrong = Ed25519PrivateKey.generate().sign(manifest)
    (folder / "manifest.sig").write_bytes(base64.b64encode(wrong))


def cut(folder: Path) -> None:
    manifest = folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:100])


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def spoil_recipient(folder: Path) -> None:
    """A key that no seal can be made for, under the city's own signature."""
    (folder / "recipients.json").write_bytes(
        rfc8785.dumps({name: ["age1noesunallave"] for name in ("siac", "tesoreria", "contraloria")})
    )


def test_a_key_that_nothing_can_be_sealed_for_takes_no_report_and_crashes_nothing(
    node: Node, open_kiosk: OpenKiosk, open_portal: OpenKiosk, content_copy: Path
) -> None:
    spoil_recipient(content_copy)
    sign_content(node, content_copy)
    result = node.plaza("content", "import", content_copy)
    assert result.exit_code == 1
    assert "recipients.json" in result.stderr
    kiosk = open_kiosk(node)
    send_report(kiosk)
    assert node.types() == ["report.filed"]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (flip, "padron.ndjson"),
        (lose, "terms.json: the file is missing"),
        (resign, "manifest"),
        (cut, "manifest"),
        (empty, "manifest.json: the file is missing"),
    ],
)
def test_damaged_content_is_refused_whole_and_the_old_content_is_still_served(
    node: Node,
    open_kiosk: OpenKiosk,
    content_copy: Path,
    damage: Callable[[Path], None],
    says: str,
) -> None:
    installed = node.data.catalogue.read_bytes()
    before = node.books()
    kiosk = open_kiosk(node)
    damage(content_copy)
    result = node.plaza("content", "import", content_copy)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: {REFUSED}")
    assert len(result.stderr.splitlines()) == 1
    assert says in result.stderr
    assert node.data.catalogue.read_bytes() == installed
    assert not list(node.data.path.glob("*.new"))
    see_debt(kiosk)
    assert kiosk.view.state is DebtState.DUE
    assert node.books() == before


def test_a_catalogue_damaged_on_the_card_is_said_and_a_new_import_repairs_it(
    node: Node, open_kiosk: OpenKiosk, open_portal: OpenKiosk
) -> None:
    raw = node.data.catalogue.read_bytes()
    node.data.catalogue.write_bytes(raw[: len(raw) // 2])
    shown = node.plaza("content", "show")
    assert shown.exit_code == 1
    assert "the catalogue is damaged; import the content again" in shown.stderr
    kiosk = open_kiosk(node)
    enter_clave(kiosk)
    kiosk.until(lambda: bool(kiosk.view.problem), "an answer")
    assert kiosk.view.problem == (
        "Por ahora este kiosco no tiene los datos de predial. Llame al 921 000 0000 (demostración)."
    )
    base = open_portal(node)
    closed = httpx2.get(f"{base}/es/reporte")
    assert closed.status_code == 503
    assert "No podemos recibir reportes aquí por ahora" in closed.text
    assert "Los términos no están disponibles" in httpx2.get(f"{base}/es/").text
    assert node.plaza("content", "import", node.city.content).exit_code == 0
    assert httpx2.get(f"{base}/es/reporte").status_code == 200
    kiosk.tap("predial.continue")
    kiosk.until(lambda: kiosk.screen is not Screen.PREDIAL_CLAVE, "the property is found")


# --- the city does not answer as it should ------------------------------------------------------


def error_500(_: Any) -> Any:
    return 500, {"Content-Type": "text/html"}, b"<h1>Internal Server Error</h1>"


def garbage(_: Any) -> Any:
    return 200, {"Content-Type": "application/json"}, bytes(range(256))


def login_page(_: Any) -> Any:
    page = "<html><title>Bienvenido al Wi-Fi del hotel</title><form>Acepte</form></html>"
    return 200, {"Content-Type": "text/html; charset=utf-8"}, page.encode()


def redirect(_: Any) -> Any:
    return 302, {"Location": "http://127.0.0.1:1/login"}, b""


def slow(question: Any) -> Any:
    answer = question.honest()
    time.sleep(1.4)
    return answer


def hang_up(_: Any) -> Any:
    return None


def half(question: Any) -> Any:
    answer = question.honest()
    return answer._replace(body=answer.body[: len(answer.body) // 2])


STREETS = [
    pytest.param(error_500, "city_error: HTTP 500", id="500"),
    pytest.param(garbage, "bad_answer: ", id="garbage"),
    pytest.param(login_page, "bad_answer: ", id="login-page"),
    pytest.param(redirect, "bad_answer: ", id="redirect"),
    pytest.param(slow, "timeout: no answer in time", id="slow"),
    pytest.param(hang_up, "", id="hangs-up"),
    pytest.param(half, "bad_answer: ", id="half-an-answer"),
]


def queue_three(node: Node) -> list[bytes]:
    """Two reports and a payment that wait for the city; the books as they then are."""
    ledger = node.open_ledger()
    for kind in (FactType.REPORT_FILED, FactType.REPORT_FILED, FactType.TERMS_ACCEPTED):
        assert isinstance(ledger.record(FactDraft(kind, {"demo": True})), Recorded)
    ledger.close()
    books: list[bytes] = node.books()
    assert node.waiting() == 3
    return books


def push_fails(node: Node, books: list[bytes], says: str) -> None:
    """One line of trouble, exit 1, and the queue as it was."""
    result = node.plaza("sync", "push")
    assert result.exit_code == 1
    assert result.stdout == "carried 0, waiting 3\n"
    assert result.stderr.startswith(says)
    assert result.stderr.endswith("; nothing is lost, 3 wait\n")
    assert len(result.stderr.splitlines()) == 1
    assert node.books() == books
    assert node.waiting() == 3


def push_arrives_once(node: Node, books: list[bytes]) -> None:
    """The street is good again: everything reaches the city, once."""
    result = node.plaza("sync", "push")
    assert (result.exit_code, result.stdout) == (0, "carried 3, waiting 0\n")
    assert sorted(node.city.facts_of(node.code)) == sorted(body.decode() for body in books)
    verified = node.plaza("sync", "verify")
    assert (verified.exit_code, verified.stdout) == (0, "ok: 3 facts, every chain whole\n")


@pytest.mark.parametrize("greets", [False, True], ids=["at-once", "after-the-greeting"])
@pytest.mark.parametrize(("mood", "says"), STREETS)
def test_a_bad_street_keeps_the_queue_whole_and_a_good_one_carries_it_once(
    node: Node, street: Street, mood: Any, says: str, greets: bool
) -> None:
    books = queue_three(node)
    good = street.mood

    def bad(question: Any) -> Any:
        healthy = greets and question.path == "/v1/health"
        return good(question) if healthy else mood(question)

    street.mood = bad
    push_fails(node, books, says)
    street.mood = good
    push_arrives_once(node, books)


def test_a_city_that_nobody_serves_keeps_the_queue_whole(
    node: Node, street: Street, refused: str
) -> None:
    books = queue_three(node)
    node.set(central={"url": refused})
    push_fails(node, books, "offline: the city cannot be reached")
    node.set(central={"url": street.url})
    push_arrives_once(node, books)


def test_a_city_in_a_black_hole_keeps_the_queue_whole(
    node: Node, street: Street, black_hole: str
) -> None:
    books = queue_three(node)
    node.set(central={"url": black_hole})
    push_fails(node, books, "timeout: no answer in time")
    node.set(central={"url": street.url})
    push_arrives_once(node, books)


@pytest.mark.parametrize("whose", ["another key", "another node", "another chain"])
def test_an_acknowledgement_that_is_not_ours_clears_nothing(
    node: Node, street: Street, whose: str
) -> None:
    books = queue_three(node)
    good = street.mood

    def lie(question: Any) -> Any:
        if question.method == "GET":
            return good(question)
        batch = decode_batch(question.body)
        assert isinstance(batch, Batch)
        head = batch.header
        code = "COA999" if whose == "another node" else head.node
        chain = "ab" * 32 if whose == "another chain" else fact_hash(batch.facts[-1])
        other = Ed25519PrivateKey.generate().sign
        sign = other if whose == "another key" else node.city.sign
        ack = Ack(code, head.epoch, head.lane, head.last, chain)
        return 200, {"Content-Type": ACK_TYPE}, encode_ack(ack, sign)

    street.mood = lie
    says = {
        "another key": "bad_answer: ",
        "another node": "bad_answer: acknowledgement of another node or chain",
        "another chain": "chain: ",
    }
    push_fails(node, books, says[whose])
    street.mood = good
    push_arrives_once(node, books)


# --- a card while the city does not answer ------------------------------------------------------


def ask_for_card(kiosk: Kiosk) -> None:
    """As far as the press on `Tarjeta`; a terminal takes a moment to say that it is there."""
    for _ in range(20):
        see_debt(kiosk)
        if kiosk.view.ways and kiosk.view.ways[0].enabled:
            break
        kiosk.tap("bar.restart")
    kiosk.tap("pay.card")


def no_charge(kiosk: Kiosk, node: Node, terminal: Any, before: list[bytes]) -> None:
    kiosk.until_screen(Screen.PAGO_RESULTADO)
    view = kiosk.view
    assert view.outcome is PayOutcome.NO_ANSWER
    assert view.headline == "Ahora no se puede cobrar con tarjeta"
    assert view.text == "La ciudad no respondió y no cobramos. Puede llevar un pase de caja."
    assert "result.pase" in [a.id for a in view.actions]
    assert terminal.charges() == []
    assert node.books() == before


def tampered(question: Any) -> Any:
    """A reply of the city's whose amount somebody changed on the way."""
    answer = question.honest()
    return answer._replace(body=answer.body.replace(b"total_centavos", b"total_centavo5"))


@pytest.mark.parametrize(
    "mood",
    [error_500, garbage, login_page, redirect, slow, hang_up, half, tampered],
    ids=lambda mood: mood.__name__,
)
def test_a_card_is_not_charged_while_the_street_is_bad_and_a_pase_is_offered(
    node: Node, street: Street, terminal: Any, open_kiosk: OpenKiosk, mood: Any
) -> None:
    node.say_online()
    before = node.books()
    street.mood = mood
    kiosk = open_kiosk(node)
    ask_for_card(kiosk)
    no_charge(kiosk, node, terminal, before)


@pytest.mark.parametrize("place", ["refused", "black_hole"])
def test_a_card_is_not_charged_while_the_city_is_nowhere(
    node: Node, terminal: Any, open_kiosk: OpenKiosk, request: pytest.FixtureRequest, place: str
) -> None:
    node.set(central={"url": request.getfixturevalue(place)})
    node.say_online()
    before = node.books()
    kiosk = open_kiosk(node)
    ask_for_card(kiosk)
    no_charge(kiosk, node, terminal, before)


def test_the_offered_pase_is_recorded_once_and_needs_no_city(
    node: Node, street: Street, terminal: Any, open_kiosk: OpenKiosk
) -> None:
    node.say_online()
    street.mood = login_page
    kiosk = open_kiosk(node)
    ask_for_card(kiosk)
    kiosk.tap("result.pase", "pase.print")
    kiosk.until(lambda: kiosk.screen is Screen.IMPRIMIENDO, "the pase is made")
    kiosk.until_quiet()
    assert node.types() == ["payment.pase_issued"]
    assert node.facts()[0]["data"]["clave"] == OWES
    assert terminal.charges() == []


def answered_with(node: Node, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """A street on which the city itself signs a changed answer about a property."""

    def mood(question: Any) -> Any:
        answer = question.honest()
        if "/v1/predial/" not in question.path:
            return answer
        body = json.dumps(change(json.loads(answer.body))).encode()
        headers = {"Content-Type": "application/json"}
        return answer.status, headers | {SIGNATURE_HEADER: sign_body(body, node.city.sign)}, body

    return mood


def test_a_forged_liquidacion_inside_a_signed_answer_is_not_charged(
    node: Node, street: Street, terminal: Any, open_kiosk: OpenKiosk
) -> None:
    def forge_inside(document: dict[str, Any]) -> dict[str, Any]:
        inner = document["liquidacion"]
        forged = Ed25519PrivateKey.generate().sign(inner["payload"].encode())
        return document | {"liquidacion": inner | {"signature": base64.b64encode(forged).decode()}}

    node.say_online()
    street.mood = answered_with(node, forge_inside)
    kiosk = open_kiosk(node)
    ask_for_card(kiosk)
    no_charge(kiosk, node, terminal, [])


def test_an_expired_liquidacion_from_the_city_is_not_charged(
    node: Node, street: Street, terminal: Any, open_kiosk: OpenKiosk
) -> None:
    lines = (node.city.old_content / "padron.ndjson").read_text().splitlines()
    [old] = [row for row in map(json.loads, lines) if row["clave"] == OWES]
    good = street.mood
    node.say_online()
    kiosk = open_kiosk(node)
    for _ in range(20):
        see_debt(kiosk)
        if kiosk.view.ways[0].enabled:
            break
        kiosk.tap("bar.restart")
    street.mood = answered_with(node, lambda d: d | {"liquidacion": old["liquidacion"]})
    kiosk.tap("pay.card")
    kiosk.until_screen(Screen.PAGO_RESULTADO)
    assert kiosk.view.outcome is PayOutcome.NOT_PAYABLE
    assert kiosk.view.headline == "No se puede pagar por ahora"
    assert kiosk.view.text == "Este importe no se puede cobrar ahora. No se cobró nada."
    assert terminal.charges() == []
    assert node.books() == []
    street.mood = good


def test_a_silent_terminal_disables_the_card_and_says_what_to_use(
    node: Node, terminal: Any, open_kiosk: OpenKiosk
) -> None:
    terminal.silence()
    node.say_online()
    kiosk = open_kiosk(node)
    see_debt(kiosk)
    card, pase = kiosk.view.ways
    assert not card.enabled
    assert card.detail == "La terminal no responde: use el pase de caja"
    assert pase.enabled
    assert node.books() == []


@pytest.mark.parametrize("clave", ["06200", "abc", "%2e%2e%2fhealth", UNKNOWN])
def test_the_city_refuses_a_clave_that_it_cannot_know_with_a_signed_problem(
    node: Node, clave: str
) -> None:
    before = node.city.facts_of(node.code)
    key, public = NodeKey.load(node.data), load_city_key(node.data)
    assert not isinstance(key, KeyMissing)
    assert not isinstance(public, KeyMissing)
    courier = Courier(f"http://127.0.0.1:{node.city.port}", key, 2)
    reply = courier.get(f"/v1/predial/{clave}")
    courier.close()
    assert isinstance(reply, Reply)
    assert reply.status in {400, 401, 404}
    problem = signed_json(reply, public)
    assert problem is not None
    assert problem["title"]
    assert node.city.facts_of(node.code) == before


# --- the printer --------------------------------------------------------------------------------


def test_a_silent_printer_is_said_and_the_report_is_kept(
    node: Node, printer: Any, open_kiosk: OpenKiosk
) -> None:
    printer.silence()
    kiosk = open_kiosk(node)
    send_report(kiosk)
    printed(kiosk)
    assert kiosk.view.phase is PrintPhase.FAILED
    assert kiosk.view.headline == "Su reporte quedó guardado"
    assert kiosk.view.status == (
        "La impresora no responde. Anote su folio o tómele foto a esta pantalla."
    )
    assert kiosk.view.folio.startswith(f"{node.code}-R1-000001-")
    assert node.types() == ["report.filed"]
    books = node.books()
    printer.speak()
    kiosk.tap("print.retry")
    printed(kiosk)
    assert kiosk.view.phase is PrintPhase.PRINTED
    papers = whole_papers(printer, 1)
    assert "COPIA" not in papers[0]
    assert node.books() == books


def whole_papers(printer: Any, number: int) -> list[str]:
    """Texts of the papers once so many lie in the tray."""
    by = time.monotonic() + 5
    while len(printer.receipts()) < number and time.monotonic() < by:
        time.sleep(0.02)
    stems = printer.receipts()
    assert len(stems) == number
    return [(printer.out_dir / f"{stem}.txt").read_text(encoding="utf-8") for stem in stems]


def test_no_paper_before_the_job_is_said_and_the_original_comes_out_once_there_is(
    node: Node, printer: Any, open_kiosk: OpenKiosk
) -> None:
    printer.paper_out()
    kiosk = open_kiosk(node)
    send_report(kiosk)
    printed(kiosk)
    assert kiosk.view.phase is PrintPhase.FAILED
    assert kiosk.view.status == (
        "La impresora no tiene papel. Anote su folio o tómele foto a esta pantalla."
    )
    assert kiosk.view.details
    books = node.books()
    assert node.types() == ["report.filed"]
    printer.load_paper()
    kiosk.tap("print.retry")
    printed(kiosk)
    assert kiosk.view.phase is PrintPhase.PRINTED
    assert "COPIA" not in whole_papers(printer, 1)[0]
    assert node.books() == books


def test_paper_that_ends_inside_the_job_is_said_and_what_follows_is_marked(
    node: Node, printer: Any, open_kiosk: OpenKiosk
) -> None:
    printer.set_paper(30)
    kiosk = open_kiosk(node)
    send_report(kiosk)
    printed(kiosk)
    phase = kiosk.view.phase
    assert phase in {PrintPhase.FAILED, PrintPhase.UNKNOWN}
    assert kiosk.view.status.startswith("La impresora no tiene papel.")
    assert kiosk.view.folio
    assert printer.receipts() == []
    books = node.books()
    assert node.types() == ["report.filed"]
    printer.load_paper()
    kiosk.tap("print.retry" if phase is PrintPhase.FAILED else "print.whole_no")
    printed(kiosk)
    assert kiosk.view.phase is PrintPhase.PRINTED
    [paper] = whole_papers(printer, 1)
    assert ("COPIA 1" in paper) is (phase is PrintPhase.UNKNOWN)
    assert node.books() == books


def pay(kiosk: Kiosk) -> None:
    ask_for_card(kiosk)
    kiosk.tap("card.charge")


def test_a_printer_unplugged_inside_the_job_asks_the_person_and_never_makes_two_originals(
    node: Node, slow_printer: Any, terminal: Any, open_kiosk: OpenKiosk
) -> None:
    node.say_online()
    kiosk = open_kiosk(node)
    pay(kiosk)
    kiosk.until_screen(Screen.IMPRIMIENDO)
    kiosk.until(lambda: slow_printer.state()["buffered_bytes"] > 0, "bytes reach the printer")
    time.sleep(0.5)
    slow_printer.unplug()
    printed(kiosk)
    assert kiosk.view.phase is PrintPhase.UNKNOWN
    assert kiosk.view.status == "La impresora no nos confirmó."
    assert kiosk.view.question == "¿Salió completo su papel?"
    assert node.types() == ["payment.intended", "payment.taken", "receipt.unknown"]
    slow_printer.replug()
    kiosk.tap("print.whole_no")
    printed(kiosk)
    if kiosk.view.phase is not PrintPhase.PRINTED:
        kiosk.tap("print.retry")
        printed(kiosk)
    assert kiosk.view.phase is PrintPhase.PRINTED
    assert node.types()[2:] == ["receipt.unknown", "receipt.reprinted"]
    assert "COPIA 1" in whole_papers(slow_printer, len(slow_printer.receipts()))[-1]
    assert len(terminal.charges()) == 1


@pytest.mark.parametrize("trouble", ["silence", "unplug", "paper_out"])
def test_a_printer_in_trouble_is_announced_before_a_card_is_charged(
    node: Node, printer: Any, terminal: Any, open_kiosk: OpenKiosk, trouble: str
) -> None:
    node.say_online()
    kiosk = open_kiosk(node)
    getattr(printer, trouble)()
    time.sleep(2.6)
    ask_for_card(kiosk)
    kiosk.until(lambda: kiosk.view.phase is CardPhase.CONFIRM, "the amount is confirmed")
    [notice] = kiosk.view.notices
    lacks = "no tiene papel" if trouble == "paper_out" else "no responde"
    assert notice.text == (
        f"La impresora {lacks}. Su recibo quedará guardado con un folio que verá en la pantalla."
    )
    assert node.books() == []


# --- a full disk --------------------------------------------------------------------------------


@pytest.fixture
def small(make_node: Callable[[Path], Any], disk: Any) -> Any:
    """A node whose data lie on a small card."""
    return make_node(disk.path / "node")


def test_a_report_on_a_full_disk_is_not_promised_and_can_be_sent_once_there_is_room(
    small: Node, disk: Any, plug_printer: OpenKiosk, open_kiosk: OpenKiosk
) -> None:
    printer = plug_printer(small)
    before = small.books()
    kiosk = open_kiosk(small)
    write_report(kiosk)
    disk.fill()
    kiosk.tap("reporte.send")
    kiosk.until_screen(Screen.AVISO)
    assert kiosk.view.headline == "No pudimos guardar lo que hizo"
    assert kiosk.view.text == (
        "No se guardó nada y no se cobró nada. Intente más tarde o pida ayuda."
    )
    disk.free()
    assert small.books() == before == []
    assert printer.receipts() == []
    kiosk.tap("aviso.done")
    send_report(kiosk)
    printed(kiosk)
    assert small.types() == ["report.filed"]


def test_a_card_on_a_full_disk_is_not_charged(
    small: Node, disk: Any, plug_terminal: OpenKiosk, open_kiosk: OpenKiosk
) -> None:
    terminal = plug_terminal(small)
    small.say_online()
    kiosk = open_kiosk(small)
    ask_for_card(kiosk)
    kiosk.until(lambda: kiosk.view.phase is CardPhase.CONFIRM, "the amount is confirmed")
    disk.fill()
    kiosk.tap("card.charge")
    kiosk.until_screen(Screen.PAGO_RESULTADO)
    assert kiosk.view.outcome is PayOutcome.NOT_SAVED
    assert kiosk.view.headline == "No pudimos guardar su pago"
    assert kiosk.view.text == (
        "Por eso no cobramos. No perdió nada. Intente más tarde o pida ayuda."
    )
    disk.free()
    assert terminal.charges() == []
    assert small.books() == []


def test_a_pase_on_a_full_disk_is_neither_numbered_nor_printed(
    small: Node, disk: Any, plug_printer: OpenKiosk, open_kiosk: OpenKiosk
) -> None:
    printer = plug_printer(small)
    kiosk = open_kiosk(small)
    see_debt(kiosk)
    kiosk.tap("pay.pase")
    kiosk.until(lambda: any(a.id == "pase.print" for a in kiosk.view.focus), "the pase is offered")
    disk.fill()
    kiosk.tap("pase.print")
    kiosk.until_screen(Screen.AVISO)
    assert kiosk.view.headline == "No pudimos guardar lo que hizo"
    disk.free()
    assert small.books() == []
    assert printer.receipts() == []


def test_an_approval_that_cannot_be_stored_is_found_again_after_a_restart(
    small: Node, disk: Any, plug_terminal: OpenKiosk, open_kiosk: OpenKiosk
) -> None:
    terminal = plug_terminal(small)
    terminal.hold()
    small.say_online()
    kiosk = open_kiosk(small)
    pay(kiosk)
    kiosk.until(lambda: kiosk.view.phase is CardPhase.AT_TERMINAL, "the terminal asks for a card")
    kiosk.until(lambda: len(terminal.charges()) == 1, "the terminal has the charge")
    disk.fill()
    fill_log(small)
    terminal.approve()
    kiosk.until_screen(Screen.PAGO_RESULTADO)
    assert kiosk.view.outcome is PayOutcome.TAKEN_NOT_SAVED
    assert kiosk.view.emphasis == "No vuelva a pagar:"
    assert kiosk.view.text == (
        "El banco aprobó su pago, pero el kiosco no pudo guardarlo. Anote su folio."
    )
    assert kiosk.view.folio.startswith(f"{small.code}-P1-000001-")
    assert small.types() == ["payment.intended"]
    kiosk.close()
    disk.free()
    again = open_kiosk(small)
    again.until(lambda: small.types()[1:] == ["payment.taken"], "the approval is in the books")
    assert len(terminal.charges()) == 1


def fill_log(node: Node) -> None:
    """The write-ahead log may own room that it can use again: take that too."""
    ledger = node.open_ledger()
    while isinstance(ledger.record(FactDraft(FactType.DEVICE_CHANGED, {"demo": "x"})), Recorded):
        pass
    ledger.close()


@pytest.mark.parametrize("is_new", [False, True], ids=["old-ledger", "first-start"])
def test_a_node_that_starts_on_a_full_disk_says_that_it_is_full_and_not_damaged(
    small: Node, disk: Any, open_kiosk: OpenKiosk, is_new: bool
) -> None:
    books = [] if is_new else queue_three(small)
    disk.fill()
    kiosk = open_kiosk(small)
    assert kiosk.screen is Screen.FUERA_DE_SERVICIO
    assert kiosk.view.headline == "Este kiosco está fuera de servicio"
    for words in (["sync", "status"], ["sync", "verify"], ["sync", "push"], ["portal", "run"]):
        result = small.plaza(*words)
        assert result.exit_code == 1, words
        assert "No hay espacio en el disco del nodo" in result.stderr, words
        assert "libere espacio y vuelva a iniciar" in result.stderr, words
        assert "dañado" not in result.stderr, words
        assert len(result.stderr.splitlines()) == 1, words
    assert not list(small.data.path.glob(".ledger*"))
    disk.free()
    assert small.books() == books


def test_content_that_does_not_fit_on_the_disk_is_refused_and_the_old_content_stays(
    small: Node, disk: Any, open_kiosk: OpenKiosk
) -> None:
    installed = small.data.catalogue.read_bytes()
    kiosk = open_kiosk(small)
    disk.fill()
    result = small.plaza("content", "import", small.city.content)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {REFUSED}")
    assert len(result.stderr.splitlines()) == 1
    assert small.data.catalogue.read_bytes() == installed
    see_debt(kiosk)
    assert kiosk.view.state is DebtState.DUE
    disk.free()
    assert small.plaza("content", "import", small.city.content).exit_code == 0


# --- the portal ---------------------------------------------------------------------------------


def fields_of(page: Any) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))


def may_pass(base: str) -> bool:
    """As a phone's RFC 8908 client asks."""
    answer = httpx2.get(f"{base}/captive-portal/api", timeout=5)
    assert answer.status_code == 200
    return not answer.json()["captive"]


def test_on_a_full_disk_no_acceptance_is_stored_and_the_gate_stays_shut(
    small: Node, disk: Any, open_portal: OpenKiosk
) -> None:
    base = open_portal(small)
    terms = fields_of(httpx2.get(f"{base}/es/"))
    disk.fill()
    refusal = httpx2.post(f"{base}/es/conectar", data=terms)
    assert refusal.status_code == 503
    assert "No pudimos guardar su aceptación" in refusal.text
    assert "Por eso no abrimos el internet." in refusal.text
    assert not may_pass(base)
    disk.free()
    assert small.books() == []
    again = httpx2.post(f"{base}/es/conectar", data=terms)
    assert again.status_code == 303
    assert may_pass(base)
    assert small.types() == ["terms.accepted"]


def test_on_a_full_disk_a_report_from_a_phone_gets_no_folio(
    small: Node, disk: Any, open_portal: OpenKiosk
) -> None:
    base = open_portal(small)
    form = report_form(base)
    disk.fill()
    refusal = httpx2.post(f"{base}/es/reporte", data=form)
    assert refusal.status_code == 503
    assert "No pudimos guardar su reporte" in refusal.text
    assert "No se guardó nada y no hay folio." in refusal.text
    assert small.code not in refusal.text.split("<main")[-1].split("</main")[0]
    disk.free()
    assert small.books() == []
    assert httpx2.post(f"{base}/es/reporte", data=form).status_code == 303
    assert small.types() == ["report.filed"]


def test_a_ledger_that_cannot_grow_grants_no_visit(node: Node, stop_growing: OpenKiosk) -> None:
    ports = build_ports(PortalOptions(node.data.path, "127.0.0.1:8380", "memory"))
    phone = create_app(ports).test_client()
    here = "http://127.0.0.1:8380"
    terms = fields_of(phone.get("/es/", base_url=here))
    stop_growing(ports.ledger)
    refusal = phone.post("/es/conectar", base_url=here, data=terms)
    while refusal.status_code == 303:  # rows that still fit into the last page
        ports.gate.revoke("127.0.0.1")
        terms = fields_of(phone.get("/es/", base_url=here))
        refusal = phone.post("/es/conectar", base_url=here, data=terms)
    assert refusal.status_code == 503
    assert "Por eso no abrimos el internet." in refusal.text
    assert not ports.gate.look("127.0.0.1").is_open
    ports.ledger.close()
    assert set(node.types()) <= {"terms.accepted"}


def report_form(base: str, **typed: str) -> dict[str, str]:
    page = httpx2.get(f"{base}/es/reporte")
    [code, *_] = re.findall(r'<option value="([a-z_0-9]+)"', page.text)
    written = {"service_code": code, "colonia": "Centro", "street": "Hidalgo 7",
               "description": "Hay un hoyo muy hondo."}  # fmt: skip
    return fields_of(page) | written | typed


def opened(node: Node) -> dict[str, Any]:
    """What the only report says, opened with the attention office's key."""
    [fact] = node.facts()
    key = (node.city.keys / "siac.agekey").read_text().strip()
    identity = pyrage.x25519.Identity.from_str(key)
    clear = pyrage.decrypt(fact["data"]["sealed"].encode(), [identity])
    report: dict[str, Any] = json.loads(clear)
    return report


HOSTILE = "<script>alert('x')</script>\x1b[2J\x00\x1b@\x1dV\x00\u202e{{7*7}}"
HARMLESS = "<script>alert('x')</script> [2J @ V {{7*7}}"


def is_printable(text: str) -> bool:
    return all(c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"} for c in text)


def test_hostile_text_from_a_phone_is_shown_as_text_and_stored_clean(
    node: Node, open_portal: OpenKiosk
) -> None:
    base = open_portal(node)
    wrong = httpx2.post(
        f"{base}/es/reporte", data=report_form(base, description=HOSTILE, service_code="")
    )
    assert wrong.status_code == 422
    assert "Elija qué desea reportar." in wrong.text
    assert "<script" not in wrong.text
    assert "&lt;script&gt;" in wrong.text
    assert "{{7*7}}" in wrong.text
    assert node.books() == []
    filed = httpx2.post(
        f"{base}/es/reporte",
        data=report_form(base, description=HOSTILE, street=HOSTILE, colonia=HOSTILE),
        follow_redirects=True,
    )
    assert filed.status_code == 200
    assert "<script" not in filed.text
    report = opened(node)
    assert report["street"] == HARMLESS
    assert report["description"].replace("\n", " ") == HARMLESS
    assert is_printable(json.dumps(report, ensure_ascii=False))
    assert node.facts()[0]["data"]["colonia"] == ""


@pytest.mark.parametrize(
    ("letters", "status", "says"),
    [
        (100_000, 413, "El texto es demasiado largo"),
        (10_000, 422, "La descripción es demasiado larga; déjela en 600 letras."),
    ],
)
def test_a_description_without_end_from_a_phone_is_refused_in_words(
    node: Node, open_portal: OpenKiosk, letters: int, status: int, says: str
) -> None:
    base = open_portal(node)
    form = report_form(base, description="a" * letters)
    refusal = httpx2.post(f"{base}/es/reporte", data=form)
    assert refusal.status_code == status
    assert says in refusal.text
    assert node.books() == []


def test_hostile_text_on_the_kiosk_is_cut_cleaned_and_never_commands_the_printer(
    node: Node, printer: Any, open_kiosk: OpenKiosk
) -> None:
    kiosk = open_kiosk(node)
    kiosk.tap("home.reporte")
    kiosk.until(lambda: bool(kiosk.view.options), "the services")
    kiosk.tap(kiosk.view.options[0].id, "reporte.colonia.0")
    kiosk.presenter.type(HOSTILE)
    kiosk.tap("reporte.next")
    kiosk.presenter.type(HOSTILE + "á" * 100_000)
    kiosk.tap("reporte.next", "reporte.next", "reporte.send")
    printed(kiosk)
    assert kiosk.view.phase is PrintPhase.PRINTED
    report = opened(node)
    assert report["street"] == HARMLESS
    assert report["description"].replace("\n", " ").startswith(HARMLESS)
    assert len(report["description"]) <= 600
    assert is_printable(report["description"])
    [paper] = whole_papers(printer, 1)
    assert is_printable(paper)


# --- a ledger that is damaged -------------------------------------------------------------------


def half_of(raw: bytes) -> bytes:
    return raw[: len(raw) // 2]


def last_page_gone(raw: bytes) -> bytes:
    return raw[:-4096]


def header_only(raw: bytes) -> bytes:
    return raw[:100]


def nothing(_: bytes) -> bytes:
    return b""


def noise(raw: bytes) -> bytes:
    return hashlib.shake_256(b"noise").digest(len(raw))


def prose(_: bytes) -> bytes:
    return b"Esto no es un registro.\n" * 400


DAMAGES = [half_of, last_page_gone, header_only, nothing, noise, prose]


@pytest.fixture
def damaged(node: Node, request: pytest.FixtureRequest) -> Any:
    """A node whose ledger was cut short or overwritten while nobody held it."""
    queue_three(node)
    node.data.ledger.write_bytes(request.param(node.data.ledger.read_bytes()))
    return node


@pytest.mark.parametrize("damaged", DAMAGES, indirect=True, ids=lambda d: d.__name__)
def test_a_damaged_ledger_is_salvaged_when_the_kiosk_starts_and_kept_as_it_was(
    damaged: Node, open_kiosk: OpenKiosk
) -> None:
    before = damaged.data.ledger.read_bytes()
    kiosk = open_kiosk(damaged)
    assert kiosk.screen is Screen.HOME
    assert (damaged.data.path / "damaged" / "1" / "ledger.sqlite").read_bytes() == before
    send_report(kiosk)
    assert damaged.facts()[-1]["epoch"] == 2
    assert damaged.plaza("sync", "verify").exit_code == 0


def test_a_ledger_of_a_later_generation_puts_the_kiosk_out_of_service_and_is_left_as_it_is(
    node: Node, open_kiosk: OpenKiosk
) -> None:
    queue_three(node)
    newer = sqlite3.connect(node.data.ledger)
    newer.execute("PRAGMA user_version = 100")
    newer.close()
    before = node.data.ledger.read_bytes()
    kiosk = open_kiosk(node)
    assert kiosk.screen is Screen.FUERA_DE_SERVICIO
    assert kiosk.view.headline == "Este kiosco está fuera de servicio"
    assert kiosk.view.text == (
        "Por ahora no haga pagos ni reportes aquí. Avise, por favor, al teléfono de ayuda."
    )
    assert kiosk.view.phone == "921 000 0000 (demostración)"
    assert {item.id for item in kiosk.view.focus} <= {"bar.listen", "bar.language"}
    assert node.data.ledger.read_bytes() == before


@pytest.mark.parametrize("damaged", DAMAGES, indirect=True, ids=lambda d: d.__name__)
def test_a_damaged_ledger_is_named_by_every_command_and_left_as_it_is(damaged: Node) -> None:
    before = damaged.data.ledger.read_bytes()
    for words in (["status"], ["verify"], ["push"]):
        result = damaged.plaza("sync", *words)
        assert result.exit_code == 1, words
        assert result.stdout == ""
        assert result.stderr.startswith(
            f"El registro del nodo está dañado: {damaged.data.ledger} ("
        )
        assert "No se sobrescribió; guarde una copia y llame a soporte." in result.stderr
        assert "The node's ledger is damaged" in result.stderr
        assert len(result.stderr.splitlines()) == 1
    assert damaged.data.ledger.read_bytes() == before
    assert damaged.plaza("sync", "salvage").exit_code == 0
    assert (damaged.data.path / "damaged" / "1" / "ledger.sqlite").read_bytes() == before
    assert damaged.plaza("sync", "verify").exit_code == 0


def test_a_ledger_cut_while_the_kiosk_runs_ends_its_service_without_a_crash(
    node: Node, open_kiosk: OpenKiosk
) -> None:
    queue_three(node)
    kiosk = open_kiosk(node)
    os.truncate(node.data.ledger, node.data.ledger.stat().st_size // 2)
    kiosk.until_screen(Screen.FUERA_DE_SERVICIO)
    assert kiosk.view.headline == "Este kiosco está fuera de servicio"
    kiosk.flow.end_session()
    assert kiosk.screen is Screen.FUERA_DE_SERVICIO


def test_a_ledger_cut_while_the_portal_runs_opens_nothing(
    node: Node, open_portal: OpenKiosk
) -> None:
    queue_three(node)
    base = open_portal(node)
    terms = fields_of(httpx2.get(f"{base}/es/"))
    os.truncate(node.data.ledger, node.data.ledger.stat().st_size // 2)
    refusal = httpx2.post(f"{base}/es/conectar", data=terms)
    assert refusal.status_code == 503
    assert "No pudimos guardar su aceptación" in refusal.text
    assert not may_pass(base)


@pytest.mark.parametrize("which", ["node_key", "city_pub"])
def test_a_key_file_that_is_no_key_is_named_and_nothing_is_sent(
    node: Node, street: Street, which: str
) -> None:
    books = queue_three(node)
    file = getattr(node.data, which)
    file.write_text("basura")
    street.asked.clear()
    result = node.plaza("sync", "push")
    assert result.exit_code == 1
    assert str(file) in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert street.asked == []
    assert node.books() == books


def test_a_fact_changed_inside_the_ledger_is_found_by_verify(node: Node) -> None:
    queue_three(node)
    raw = node.data.ledger.read_bytes()
    at = raw.rindex(b'"demo":true')
    changed = raw[:at] + b'"demo":null' + raw[at + 11 :]
    node.data.ledger.write_bytes(changed)
    result = node.plaza("sync", "verify")
    assert result.exit_code == 1
    assert "does not fit its seal" in result.stderr or "cannot be read" in result.stderr
    assert node.data.ledger.read_bytes() == changed


# --- settings and usage -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "[kiosk]\nidle_warning = 5\n",
            "unknown setting «kiosk.idle_warning»; the nearest known one is «kiosk.idle_warning_s»",
        ),
        ("[kiosk]\nwidth = 'ancha'\n", "«kiosk.width» must be int, not 'ancha'"),
        ("[portal]\ngate = 'abierta'\n", "«portal.gate» must be one of memory, nft"),
        ("width = 5\n", "«width» must be a section such as [city]"),
        ("[kiosk\n", "settings.toml: "),
        ("[kiosk]\nwidth = \x00\n", "settings.toml: "),
    ],
)
def test_a_wrong_settings_file_is_named_with_its_key_by_every_program(
    node: Node, text: str, says: str
) -> None:
    node.data.settings_file.write_text(text)
    for words in (["sync", "status"], ["sync", "push"], ["sync", "run"], ["portal", "run"],
                  ["content", "import", node.city.content]):  # fmt: skip
        result = node.plaza(*words)
        assert result.exit_code == 1, words
        assert says in result.stderr, words
        assert str(node.data.settings_file) in result.stderr, words
        assert len(result.stderr.splitlines()) == 1, words
    checked = command("plaza", "settings", "check", node.data.settings_file)
    assert checked.returncode == 1
    assert says in checked.stderr


def test_the_kiosk_names_a_wrong_setting_before_it_opens_a_window(node: Node) -> None:
    node.data.settings_file.write_text("[kiosk]\nidle_warning = 5\n")
    started = command("kiosk", "--data", node.data.path, "--offscreen")
    assert started.returncode == 1
    assert "unknown setting «kiosk.idle_warning»" in started.stderr
    assert "Traceback" not in started.stderr


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("plaza", ["cobrar"]),
        ("plaza", ["sync", "limpiar"]),
        ("plaza", ["sync", "push", "--todo"]),
        ("plaza", ["check", "words"]),
        ("plaza", ["content", "import"]),
        ("central", ["node", "add"]),
        ("central", ["demo-data", "--on", "ayer"]),
        ("sync", ["run", "--rapido"]),
        ("kiosk", ["--pantalla"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_command_that_does_not_exist_is_usage_and_exit_2(module: str, words: list[str]) -> None:
    result = command(module, *words)
    assert (result.returncode, result.stdout) == (2, "")
    assert "sage:" in result.stderr
    assert "Traceback" not in result.stderr
