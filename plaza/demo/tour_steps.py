"""The citizen's day, step by step. Each docstring is the promise that the step shows."""

from __future__ import annotations

import contextlib
import json
import shutil
import urllib.request
from typing import Any

from plaza.demo.bench_app import receipt_stems
from plaza.demo.processes import ProgramFailed, python_m, run_once
from plaza.demo.tour import StepFailed, Walk
from plaza.demo.visitor import Visitor

CLAVE_WITH_ARREARS = "0620000101023005000007"


def the_node_starts(walk: Walk) -> None:
    """A fresh node trusts its city, imports its content and shows the first screen."""
    said = walk.stage.prepare()
    walk.notes["demo_data"] = said.strip().splitlines()
    walk.stage.start()
    walk.wait_screen("home")
    walk.picture("inicio")


def a_citizen_finds_a_tramite(walk: Walk) -> None:
    """Plain words without accents find the trámite, and its requirements come out on paper."""
    before = papers(walk)
    walk.tap_to("home.tramites", "tramites")
    walk.picture("tramites")
    walk.tap("tramites.search")
    walk.type("key", "alineam")
    walk.wait_text("Alineamiento y número oficial")
    walk.picture("tramites-busqueda")
    first = next(
        t["id"] for t in walk.kiosk.targets()["targets"] if t["id"].startswith("tramites.open.")
    )
    walk.tap_to(first, "tramite")
    walk.picture("tramite")
    walk.tap("tramite.print")
    wait_papers(walk, before + 1)
    back_home(walk)


def a_citizen_pays_a_predial(walk: Walk) -> None:
    """A debt is shown by year, paid once by card, and the receipt comes out."""
    before = papers(walk)
    open_debt(walk, CLAVE_WITH_ARREARS)
    walk.picture("predial-adeudo")
    _present_card(walk)
    walk.picture("pago-en-terminal")
    walk.stage.terminal.approve()
    wait_papers(walk, before + 1)
    walk.wait_screen("imprimiendo")
    walk.wait_text("Comprobante impreso", "Recibo impreso", "impreso", timeout_s=15)
    walk.picture("pago-aprobado")
    walk.expect(_approved(walk) == 1, "the terminal charged exactly once")
    walk.tap_to("print.done", "home")


def the_kiosk_dies_while_paying(walk: Walk) -> None:
    """Killed while the card is at the terminal, the kiosk asks it, charges once, offers the receipt."""
    before = papers(walk)
    clave = _other_clave(walk)
    open_debt(walk, clave)
    _present_card(walk)
    walk.stage.kiosk.kill()
    walk.stage.terminal.approve()
    walk.stage.kiosk.start()
    walk.stage.wait_kiosk()
    walk.wait_screen("home")
    walk.tap("home.receipt", timeout_s=15)
    wait_papers(walk, before + 1)
    walk.picture("recibo-recuperado")
    walk.expect(_approved(walk) == 2, "two payments, two charges: none was doubled or lost")
    walk.tap_to("print.done", "home", timeout_s=15)


def without_network_a_card_is_refused_before_it_starts(walk: Walk) -> None:
    """With the cable cut the kiosk says so, and no card is asked for."""
    walk.stage.cut_network()
    walk.wait_text("Sin conexión", timeout_s=15)
    walk.picture("sin-conexion")
    asked = len(walk.stage.terminal.charges())
    open_debt(walk, third_clave(walk))
    card = next(t for t in walk.kiosk.targets()["targets"] if t["id"] == "pay.card")
    if card["enabled"]:
        walk.tap("pay.card")
        walk.wait_screen("pago_resultado", timeout_s=15)
    walk.picture("tarjeta-rechazada-sin-red")
    walk.expect(len(walk.stage.terminal.charges()) == asked, "the terminal was never asked")


def without_network_a_pase_is_printed(walk: Walk) -> None:
    """A pase de caja is printed off line, from the signed liquidación on the node."""
    before = papers(walk)
    walk.tap(_first_shown(walk, "pay.pase", "result.pase"))
    walk.wait_screen("pase_de_caja", "pase")
    walk.tap("pase.print")
    wait_papers(walk, before + 1)
    walk.picture("pase-de-caja")
    walk.tap_to("print.done", "home", timeout_s=15)


def without_network_a_report_gets_its_folio(walk: Walk) -> None:
    """A report filed off line gets a folio at once, on screen and on paper."""
    before = papers(walk)
    back_home(walk)
    walk.tap_to("home.reporte", "reporte")
    walk.picture("reporte")
    walk.tap(_first_with(walk, "reporte.service."))
    walk.tap(_first_with(walk, "reporte.colonia."))
    for _ in range(6):
        shown = {t["id"] for t in walk.kiosk.targets()["targets"] if t["enabled"]}
        if "reporte.send" in shown:
            break
        _fill_what_is_asked(walk)
        walk.tap("reporte.next")
    walk.picture("reporte-revision")
    walk.tap("reporte.send")
    wait_papers(walk, before + 1)
    walk.picture("reporte-enviado")
    walk.tap_to("print.done", "home", timeout_s=15)


def without_network_a_visitor_accepts_and_reports(walk: Walk) -> None:
    """A park visitor accepts the terms and files a report on the portal, off line too."""
    visitor = Visitor(walk.stage.plan.portal_url)
    try:
        welcome = visitor.get("/")
        accepted = visitor.send(welcome, "conectar")
        walk.expect(accepted.status == 200, f"accepting answered {accepted.status}")
        form = visitor.get("/es/reporte")
        sent = visitor.send(
            form,
            "reporte",
            service_code=form.forms[0].choices["service_code"][0],
            colonia="Iquisa",
            street="Av. Independencia, frente al kiosco (demostración)",
            description="Luminaria apagada desde el lunes (demostración)",
        )
        walk.expect("COA007-R" in sent.text, f"the portal gave no folio ({sent.status})")
    finally:
        visitor.close()


def everything_arrives_once(walk: Walk) -> None:
    """When the cable is mended everything arrives, once, acceptance and portal report included."""
    walk.stage.restore_network()
    walk.until(lambda: waiting(walk) == 0, "the queue empties", timeout_s=30)
    facts = collect(walk)
    types = [f["type"] for f in facts]
    for kind, times in (
        ("payment.taken", 2),
        ("payment.pase_issued", 1),
        ("report.filed", 2),
        ("terms.accepted", 1),
    ):
        walk.expect(
            types.count(kind) == times, f"{times} {kind} at the city, not {types.count(kind)}"
        )
    walk.expect(len({f["id"] for f in facts}) == len(facts), "no fact arrived twice")
    walk.wait_text("En línea", timeout_s=15)
    walk.picture("otra-vez-en-linea")


def the_receipt_is_valid_at_the_city(walk: Walk) -> None:
    """The receipt's QR opens the city's page, which now says that the payment is registered."""
    texts = [p.read_text() for p in sorted(walk.stage.plan.receipts.glob("*.txt"))]
    codes = [word.rstrip("]") for text in texts for word in text.split() if "/r/COA007-P" in word]
    walk.expect(len(codes) >= 2, "both receipts carry a verification address")
    for code in codes[:2]:
        with urllib.request.urlopen(code, timeout=5) as reply:  # noqa: S310 - loopback
            page = reply.read().decode()
        walk.expect("lido y registrado" in page, f"{code[:60]}… is not «válido y registrado»")


DAY = (
    the_node_starts,
    a_citizen_finds_a_tramite,
    a_citizen_pays_a_predial,
    the_kiosk_dies_while_paying,
    without_network_a_card_is_refused_before_it_starts,
    without_network_a_pase_is_printed,
    without_network_a_report_gets_its_folio,
    without_network_a_visitor_accepts_and_reports,
    everything_arrives_once,
    the_receipt_is_valid_at_the_city,
)


def collect(walk: Walk) -> list[dict[str, Any]]:
    """Copy the receipts and the facts as the city stored them into the tour's folder."""
    shutil.copytree(walk.stage.plan.receipts, walk.out / "receipts", dirs_exist_ok=True)
    try:
        raw = run_once(python_m("central", "facts", f"--db={walk.stage.plan.database_url}"))
    except ProgramFailed:
        return []
    (walk.out / "facts.ndjson").write_text(raw)
    return [json.loads(line) for line in raw.splitlines()]


def papers(walk: Walk) -> int:
    return len(receipt_stems(walk.stage.plan.receipts))


def wait_papers(walk: Walk, count: int) -> None:
    walk.until(lambda: papers(walk) >= count, f"paper number {count} comes out", timeout_s=20)


def _approved(walk: Walk) -> int:
    return sum(1 for c in walk.stage.terminal.charges() if c["state"] == "approved")


def _present_card(walk: Walk) -> None:
    """Choose the card, confirm the amount, and hold the terminal while it waits for the person."""
    walk.stage.terminal.hold()
    walk.tap_to("pay.card", "pago_tarjeta")
    for _ in range(4):
        walk.tap("card.charge", timeout_s=12)
        # A person who sees no change presses again, but not within two seconds.
        with contextlib.suppress(StepFailed):
            walk.until(lambda: _at_terminal(walk), "the charge is at the terminal", timeout_s=3)
            return
    raise StepFailed("the charge never reached the terminal")


def _at_terminal(walk: Walk) -> bool:
    return any(c["state"] == "at_terminal" for c in walk.stage.terminal.charges())


def waiting(walk: Walk) -> int:
    lanes = walk.stage.queue()["lanes"]
    return sum(int(lane["waiting"]) for lane in lanes)


def back_home(walk: Walk) -> None:
    if walk.kiosk.targets()["screen"] != "home":
        walk.tap_to(_first_shown(walk, "print.done", "bar.restart"), "home", timeout_s=15)


def open_debt(walk: Walk, clave: str) -> None:
    """From wherever the screen is to the debt of one clave, answering «no» to the benefit question."""
    back_home(walk)
    walk.tap_to("home.predial", "predial_clave")
    walk.type("predial.key", clave)
    walk.tap("predial.continue")
    if walk.wait_screen("predial_beneficio", "predial_adeudo") == "predial_beneficio":
        walk.tap_to("beneficio.no", "predial_adeudo")
    walk.wait(
        lambda shown: next((t["id"] for t in shown["targets"] if t["id"] == "pay.pase"), None),
        "the ways to pay",
        12,
    )


def _first_with(walk: Walk, prefix: str) -> str:
    return walk.wait(
        lambda shown: next(
            (t["id"] for t in shown["targets"] if t["id"].startswith(prefix) and t["enabled"]), None
        ),
        f"choice {prefix}*",
        8,
    )


def _first_shown(walk: Walk, *ids: str) -> str:
    return walk.wait(
        lambda shown: next((i for i in ids if any(t["id"] == i for t in shown["targets"])), None),
        f"one of {ids}",
        8,
    )


def _fill_what_is_asked(walk: Walk) -> None:
    """Type a short answer when the step has a letter keyboard; the phone stays empty."""
    shown = {t["id"] for t in walk.kiosk.targets()["targets"]}
    if "key.a" in shown:
        walk.type("key", "chabacano")


def _due_claves(walk: Walk) -> list[str]:
    """Claves with a debt, from the content that the node imported."""
    lines = (walk.stage.plan.content / "padron.ndjson").read_text().splitlines()
    rows = [json.loads(line) for line in lines[:200]]
    due = [
        r["clave"]
        for r in rows
        if json.loads(r["liquidacion"]["payload"])["total_centavos"] > 0
        and r["clave"] != CLAVE_WITH_ARREARS
    ]
    if len(due) < 2:
        raise StepFailed("the demo padrón has too few debts")
    return due


def _other_clave(walk: Walk) -> str:
    return _due_claves(walk)[0]


def third_clave(walk: Walk) -> str:
    return _due_claves(walk)[1]
