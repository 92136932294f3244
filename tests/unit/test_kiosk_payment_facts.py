"""What the kiosk writes is what docs/reference/hechos.md says."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.simulated_city import CLAVE
from kiosk.simulated_kiosk import SimulatedKiosk
from municipio.devices import PrintVerdict

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "hechos.md").read_text(encoding="utf-8")


@pytest.fixture
def busy_kiosk() -> SimulatedKiosk:
    """A payment with an unsure receipt, an unknown payment resolved later, a pase and a report."""
    kiosk = SimulatedKiosk()
    kiosk.world.printer.verdict = PrintVerdict.UNKNOWN
    kiosk.tap("home.predial")
    kiosk.type(CLAVE, "predial.key")
    kiosk.tap("predial.continue", "beneficio.no", "pay.pase", "pase.print", "print.done")
    kiosk.tap("home.predial")
    kiosk.type(CLAVE, "predial.key")
    kiosk.tap("predial.continue", "beneficio.no", "pay.card", "card.charge")
    kiosk.tick()
    kiosk.world.terminal.present()
    kiosk.world.terminal.silent = True
    kiosk.wait(20)
    kiosk.tap("result.done")
    kiosk.world.terminal.silent = False
    kiosk.wait(20)
    kiosk.tap("home.receipt", "print.whole_yes", "print.done", "home.reporte")
    kiosk.tap("reporte.service.bache", "reporte.colonia.0")
    kiosk.type("alamo 1")
    kiosk.tap("reporte.next")
    kiosk.type("una fuga")
    kiosk.tap("reporte.next", "reporte.next", "reporte.send")
    return kiosk


def test_every_type_and_every_key_is_documented(busy_kiosk: SimulatedKiosk) -> None:
    facts = busy_kiosk.world.ledger.facts
    assert {f.type.value for f in facts} >= {
        "payment.pase_issued", "payment.intended", "payment.unknown", "payment.resolved",
        "receipt.unknown", "receipt.printed", "report.filed",
    }  # fmt: skip
    missing = [
        f"{fact.type.value}.{key}"
        for fact in facts
        for key in fact.data
        if f"`{key}`" not in PAGE or f"`{fact.type.value}`" not in PAGE
    ]
    assert missing == []


def test_an_unknown_payment_that_was_taken_is_posted_once(busy_kiosk: SimulatedKiosk) -> None:
    posted = [f for f in busy_kiosk.world.ledger.facts if f.data.get("outcome") == "taken"]
    assert len(posted) == 1
    assert "payment.taken" not in busy_kiosk.world.ledger.types()
    assert posted[0].data["authorization"] == "123456"
