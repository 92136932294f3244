"""Somebody takes a node's card after a busy day and reads every byte of it: nobody is on it.

What people typed is planted as words that occur nowhere else, and looked for in everything that the
node wrote: ledger and its log, catalogue, print spool, photos, codes, settings, keys, logs.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pyrage
import pytest
from PIL import Image

from kiosk.flow import Screen
from municipio.clock import Instant, TimeQuality
from municipio.devices import PrintVerdict
from municipio.usecases.ports import PrintJob
from sync.ledger import SqliteLedger, open_ledger
from sync.outbox import Outbox

NAME = "Xochiquetzalli Tzompantzin"
PHONE = "9215550187"
STREET = "Callejon Zempoalxochitl 77"
COMPLAINT = "el inspector Cuauhtlatoatzin me pidio dinero"
SEARCH = "acta de mi hijo Nezahualpilli"
ADDRESS = "127.77.77.7"
AGENT = "Telefono-De-Tlacaelel/1.0"
PHOTO_MARK = b"foto de Citlalmina"
OWES = "0620000101023005000007"
PLANTED = [
    NAME, PHONE, STREET, COMPLAINT, SEARCH, ADDRESS, AGENT,
    "Xochiquetzalli", "Zempoalxochitl", "Cuauhtlatoatzin", "Nezahualpilli", "Citlalmina",
]  # fmt: skip

Node = Any


class Phone:
    """One visitor's telephone, from an address of its own."""

    def __init__(self, base: str) -> None:
        self._http = httpx2.Client(
            base_url=base,
            timeout=10,
            follow_redirects=True,
            headers={"User-Agent": AGENT},
            transport=httpx2.HTTPTransport(local_address=ADDRESS),
        )

    def get(self, path: str) -> str:
        return str(self._http.get(path).text)

    def send(self, path: str, files: dict[str, Any] | None = None, **fields: str) -> str:
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', self.get(path))
        answer = self._http.post(path, data=dict(hidden) | fields, files=files)
        return str(answer.text)

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def open_phone(open_portal: Callable[[Node], str]) -> Iterator[Callable[[Node], Phone]]:
    with ExitStack() as stack:

        def connect(node: Node) -> Phone:
            phone = Phone(open_portal(node))
            stack.callback(phone.close)
            return phone

        yield connect


def photo() -> bytes:
    picture = Image.effect_noise((900, 700), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x010E] = PHOTO_MARK.decode()
    raw = io.BytesIO()
    picture.save(raw, "JPEG", exif=exif)
    return raw.getvalue()


def a_busy_day(kiosk: Any, phone: Phone) -> None:
    """A kiosk report, a debt looked up, a portal report with a photo, a visit, a search, an appeal."""
    kiosk.tap("home.reporte")
    kiosk.until(lambda: bool(kiosk.view.options), "the services")
    kiosk.tap(kiosk.view.options[0].id, "reporte.colonia.0")
    kiosk.presenter.type(STREET)
    kiosk.tap("reporte.next")
    kiosk.presenter.type(f"{NAME}: {COMPLAINT}")
    kiosk.tap("reporte.next")
    kiosk.presenter.type(PHONE)
    kiosk.tap("reporte.consent", "reporte.next", "reporte.send")
    kiosk.until(lambda: kiosk.screen is not Screen.REPORTE, "the report is answered")
    kiosk.flow.end_session()
    kiosk.tap("home.predial")
    kiosk.presenter.type(OWES)
    kiosk.tap("predial.continue")
    found = {Screen.PREDIAL_BENEFICIO, Screen.PREDIAL_ADEUDO}
    kiosk.until(lambda: kiosk.screen in found, "the property is found")
    kiosk.flow.end_session()
    page = phone.get("/es/reporte")
    service = re.search(r'<option value="([a-z_0-9]+)"', page)
    assert service is not None
    filed = phone.send(
        "/es/reporte",
        {"photo_now": ("IMG.jpg", photo(), "image/jpeg")},
        service_code=service[1], colonia=NAME, street=STREET,
        description=f"{COMPLAINT}, {NAME}", phone=PHONE, phone_consent="si",
    )  # fmt: skip
    assert "COA" in filed, re.sub(r"<[^>]+>", " ", filed)[:3000]
    phone.send("/es/conectar", terms="1")
    phone.get(f"/es/tramites?q={SEARCH}")
    phone.get(f"/es/predial?clave={OWES}")


def everything_on(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def found_in(image: dict[str, bytes], words: list[str]) -> list[str]:
    """Where a word stands: as it is, in JSON's escapes, in UTF-16, in any case."""
    hits: list[str] = []
    for name, raw in image.items():
        low = raw.lower()
        for word in words:
            for spelled in (
                word.encode(),
                word.encode("utf-16-le"),
                json.dumps(word)[1:-1].encode(),
            ):
                if spelled.lower() in low:
                    hits.append(f"{word} in {name}")
                    break
    return hits


class NextDay:
    def __init__(self, boot: str, boot_ms: int) -> None:
        self._now = Instant(
            datetime.now(UTC) + timedelta(days=2),
            TimeQuality.SYNCED,
            boot,
            boot_ms + 2 * 86_400_000,
        )

    def now(self) -> Instant:
        return self._now


def test_a_card_taken_after_a_busy_day_names_nobody(
    node: Node,
    printer: Any,
    open_kiosk: Callable[[Node], Any],
    open_phone: Callable[[Node], Phone],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    node.say_online()
    kiosk = open_kiosk(node)
    a_busy_day(kiosk, open_phone(node))
    kiosk.until(lambda: len(printer.receipts()) >= 1, "the paper")
    image = everything_on(node.data.path)

    assert found_in(image, PLANTED) == []
    told = capfd.readouterr()
    # Libraries at DEBUG name addresses; on a node only our own loggers speak.
    log = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("plaza"))
    said = {"log": log.encode(), "out": told.out.encode(), "err": told.err.encode()}
    assert found_in(said, PLANTED) == []
    assert b"JFIF" not in b"".join(image.values()), "no photo in the clear"


def test_what_was_planted_did_arrive_sealed_to_the_office_and_to_its_escrow(
    node: Node,
    printer: Any,
    open_kiosk: Callable[[Node], Any],
    open_phone: Callable[[Node], Phone],
) -> None:
    """The test above would also pass if nothing had been written."""
    node.say_online()
    kiosk = open_kiosk(node)
    a_busy_day(kiosk, open_phone(node))
    reports = [f["data"]["sealed"] for f in node.facts() if f["type"] == "report.filed"]
    assert len(reports) == 2
    for holder in ("siac", "siac-respaldo"):
        key = (node.city.keys / f"{holder}.agekey").read_text("ascii").strip()
        identity = pyrage.x25519.Identity.from_str(key)
        opened = [json.loads(pyrage.decrypt(sealed.encode(), [identity])) for sealed in reports]
        assert all(report["street"] == STREET for report in opened)
        assert all(NAME in report["description"] for report in opened)
        assert opened[1]["phone"] == PHONE
    for holder in ("tesoreria", "contraloria", "contraloria-respaldo"):
        key = (node.city.keys / f"{holder}.agekey").read_text("ascii").strip()
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(reports[0].encode(), [pyrage.x25519.Identity.from_str(key)])


def test_papers_leave_no_bytes_behind_once_their_day_is_over(node: Node) -> None:
    paper = b"".join(f"RENGLON {n} DEL RECIBO DE PRUEBA {n * 7919}\n".encode() for n in range(60))
    ledger = node.open_ledger()
    for n, verdict in enumerate((PrintVerdict.PRINTED, PrintVerdict.PRINTED, PrintVerdict.FAILED)):
        job = PrintJob(f"j{n}", "F", "recibo", n, "", paper, PrintVerdict.PENDING)
        assert ledger.save([job]) is None
        assert ledger.save([replace(job, verdict=verdict)]) is None
    now = ledger.clock.now()
    ledger.save([PrintJob("report", "G", "reporte", 0, "", b"CALLE " * 40, PrintVerdict.FAILED)])
    ledger.close()
    assert b"CALLE CALLE" not in b"".join(everything_on(node.data.path).values())
    code = node.data.settings().node_code
    later = open_ledger(node.data.ledger, NextDay(now.boot, now.boot_ms), code, "30039")
    assert isinstance(later, SqliteLedger)
    assert later.save([replace(later.print_jobs_for("F")[2], verdict=PrintVerdict.PRINTED)]) is None
    later.close()
    much_later = NextDay(now.boot, now.boot_ms + 3 * 86_400_000)
    last = open_ledger(node.data.ledger, much_later, code, "30039")
    assert isinstance(last, SqliteLedger)
    Outbox(last).prune()
    last.close()
    image = everything_on(node.data.path)
    assert [name for name, raw in image.items() if b"DEL RECIBO DE PRUEBA" in raw] == []
