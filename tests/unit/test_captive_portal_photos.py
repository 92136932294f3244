"""A photo with a report, or later with four words: sealed before it is stored, and never in the way."""

from __future__ import annotations

import io
import json
import re
import sys
import threading
from pathlib import Path
from typing import Any

import pyrage
import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from captive_portal.app import create_app
from captive_portal.photo_codes import LIFE_MS, CodeState, PhotoCodes
from captive_portal.photos import PhotoCleaner, PhotoFlaw, PhotoProblem, PhotoStore
from captive_portal.simulator import SimulatedClock, SimulatedNode, simulated_node
from captive_portal.tries import Tries
from municipio.clock import Instant, TimeQuality
from municipio.usecases.ports import (
    AttachmentRef,
    NotRecorded,
    NotRecordedCause,
    NotStored,
    NotStoredCause,
)
from sync.attachments import AttachmentStore
from sync.sealing import AgeSealer

BASE = "http://127.0.0.1:8380"
REPORT = {
    "service_code": "bache",
    "colonia": "Centro",
    "street": "Hidalgo",
    "description": "Hay un hoyo muy hondo.",
}


def _jpeg(width: int = 320, height: int = 240) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "Fabricante secreto"
    Image.effect_noise((width, height), 50).convert("RGB").save(out, "JPEG", exif=exif)
    return out.getvalue()


@pytest.fixture
def node() -> SimulatedNode:
    return simulated_node()


@pytest.fixture
def phone(node: SimulatedNode) -> FlaskClient:
    return create_app(node.ports).test_client()


def _send(
    phone: FlaskClient, path: str, fields: dict[str, str], photo: bytes | None, field: str
) -> TestResponse:
    form = phone.get(path, base_url=BASE).text
    data: dict[str, Any] = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    data |= fields
    data["photo_now"] = data["photo_kept"] = (io.BytesIO(b""), "")
    if photo is not None:
        data[field] = (io.BytesIO(photo), "IMG_0001.jpg")
    return phone.post(path, base_url=BASE, data=data, content_type="multipart/form-data")


def _report(
    phone: FlaskClient, photo: bytes | None, field: str = "photo_now", **changes: str
) -> TestResponse:
    return _send(phone, "/es/reporte", REPORT | changes, photo, field)


def _add(phone: FlaskClient, code: str, photo: bytes | None) -> TestResponse:
    return _send(phone, "/es/foto", {"codigo": code}, photo, "photo_kept")


def _shown(phone: FlaskClient, answer: TestResponse) -> str:
    assert answer.status_code == 303, answer.text
    return phone.get(answer.headers["Location"], base_url=BASE).text


def _code(page: str) -> str:
    found = re.search(r'<p class="folio" lang="es">([a-z ]+)</p>', page)
    assert found is not None, page
    return found[1]


def _facts(node: SimulatedNode) -> list[Any]:
    return [json.loads(raw) for raw in node.ledger.facts]


@pytest.mark.parametrize("field", ["photo_now", "photo_kept"])
def test_a_photo_travels_with_its_report(
    node: SimulatedNode, phone: FlaskClient, field: str
) -> None:
    page = _shown(phone, _report(phone, _jpeg(), field))

    (fact,) = _facts(node)
    ((name, sealed),) = node.attachments.kept.items()
    assert fact["type"] == "report.filed"
    assert fact["data"]["attachments"] == [
        {"sha256": name, "bytes": len(sealed), "media_type": "image/jpeg"}
    ]
    assert "La foto va con su reporte." in page
    assert "cuatro palabras" not in page


def test_without_a_photo_the_page_gives_an_address_and_four_words(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    page = _shown(phone, _report(phone, None))

    code = _code(page)
    assert "127.0.0.1:8380/foto" in page
    assert len(code.split()) == 4
    assert "attachments" not in _facts(node)[0]["data"]
    added = _shown(phone, _add(phone, code.upper(), _jpeg()))
    assert "Foto agregada" in added
    report, photo = _facts(node)
    assert photo["type"] == "report.photo_added"
    assert photo["data"]["folio"] in page
    assert photo["data"]["attachments"][0]["sha256"] in node.attachments.kept
    assert (report["seq"], photo["lane"]) == (1, "rep")


def test_four_words_are_good_for_one_photo(node: SimulatedNode, phone: FlaskClient) -> None:
    code = _code(_shown(phone, _report(phone, None)))
    _add(phone, code, _jpeg())

    again = _add(phone, code, _jpeg())

    assert again.status_code == 409
    assert "ya se usaron" in again.text
    assert len(node.ledger.facts) == 2


def test_the_same_form_twice_is_one_photo(node: SimulatedNode, phone: FlaskClient) -> None:
    code = _code(_shown(phone, _report(phone, None)))
    form = phone.get("/es/foto", base_url=BASE).text
    seal = dict(re.findall(r'name="(seal)" value="([^"]*)"', form))

    answers = [
        phone.post(
            "/es/foto",
            base_url=BASE,
            data=seal | {"codigo": code, "photo_now": (io.BytesIO(_jpeg()), "a.jpg")},
            content_type="multipart/form-data",
        )
        for _ in range(2)
    ]

    assert [a.status_code for a in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert len(node.ledger.facts) == 2


def test_that_the_report_was_saved_all_the_same_is_said_in_english_too(phone: FlaskClient) -> None:
    listed = _report(phone, b"this is no photo").headers["Location"]
    page = phone.get(listed.replace("/es/", "/en/"), base_url=BASE).text

    assert "Your report was saved." in page
    assert "quedó guardado" not in page


def test_a_photo_that_cannot_be_opened_does_not_stop_the_report(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    page = _shown(phone, _report(phone, b"esto no es una foto"))

    assert "No pudimos abrir esa foto" in page
    assert "Su reporte sí quedó guardado." in page
    assert _code(page)
    assert _facts(node)[0]["type"] == "report.filed"
    assert node.attachments.kept == {}


def test_a_full_card_does_not_stop_the_report(node: SimulatedNode, phone: FlaskClient) -> None:
    node.attachments.refuse = NotStored(NotStoredCause.FULL, "no room")

    page = _shown(phone, _report(phone, _jpeg()))

    assert "No pudimos guardar la foto" in page
    assert len(node.ledger.facts) == 1


def test_a_report_with_a_mistake_stores_no_photo_and_asks_for_it_again(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    answer = _report(phone, _jpeg(), street="")

    assert answer.status_code == 422
    assert "Elija otra vez la foto" in answer.text
    assert (node.attachments.kept, node.ledger.facts) == ({}, [])


@pytest.mark.parametrize(
    ("photo", "words"),
    [(None, "Tome una foto o elija una"), (b"nada", "No pudimos abrir esa foto")],
)
def test_a_failed_photo_leaves_its_words_good(
    node: SimulatedNode, phone: FlaskClient, photo: bytes | None, words: str
) -> None:
    code = _code(_shown(phone, _report(phone, None)))

    answer = _add(phone, code, photo)

    assert answer.status_code == 422
    assert words in answer.text
    assert _add(phone, code, _jpeg()).status_code == 303


def test_a_photo_that_cannot_be_recorded_leaves_its_words_good(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    code = _code(_shown(phone, _report(phone, None)))
    node.ledger.refuse = NotRecorded(NotRecordedCause.DISK_FULL, "no space")

    assert _add(phone, code, _jpeg()).status_code == 422
    node.ledger.refuse = None
    assert _add(phone, code, _jpeg()).status_code == 303


def test_words_of_another_day_or_of_nobody_add_nothing(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    code = _code(_shown(phone, _report(phone, None)))
    node.clock.boot_ms += LIFE_MS

    for typed in (code, "luna mesa tren pato", "hola", "x" * 200, "<script>"):
        answer = _add(phone, typed, _jpeg())
        assert answer.status_code == 422
        assert "<script>" not in answer.text
    assert len(node.ledger.facts) == 1


def test_guessing_words_soon_has_to_wait_and_then_not(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    code = _code(_shown(phone, _report(phone, None)))
    answers = [_add(phone, "luna mesa tren pato", _jpeg()).status_code for _ in range(7)]

    assert answers == [422] * 6 + [429]
    assert _add(phone, code, _jpeg()).status_code == 429
    node.clock.pass_seconds(601)
    assert _add(phone, code, _jpeg()).status_code == 303


def test_the_page_of_a_folio_shows_no_words_that_are_not_its_own(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    answer = _report(phone, None)
    other = _report(phone, None).headers["Location"]
    mine = answer.headers["Location"].partition("?")[0]

    page = phone.get(f"{mine}?{other.partition('?')[2]}", base_url=BASE).text

    assert 'class="folio" lang="es"' not in page


def test_a_form_from_elsewhere_adds_no_photo(node: SimulatedNode, phone: FlaskClient) -> None:
    code = _code(_shown(phone, _report(phone, None)))

    answer = phone.post(
        "/es/foto",
        base_url=BASE,
        data={"codigo": code, "seal": "0.0.0", "photo_now": (io.BytesIO(_jpeg()), "a.jpg")},
        content_type="multipart/form-data",
    )

    assert answer.status_code == 400
    assert len(node.ledger.facts) == 1


@pytest.mark.parametrize(
    ("what", "status"), [("parts", 413), ("text", 413), ("boundary", 400), ("name", 400)]
)
def test_an_odd_form_gets_a_small_page_and_stores_nothing(
    node: SimulatedNode, phone: FlaskClient, what: str, status: int
) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    body = {
        "parts": b"".join(head % (b"x%d" % n, b"y") for n in range(40)) + b"--b--\r\n",
        "text": head % (b"description", b"x" * 300_000) + b"--b--\r\n",
        "boundary": b"no boundary anywhere" * 50,
        "name": b"--b\r\nContent-Disposition: form-data\r\n\r\ny\r\n--b--\r\n",
    }[what]

    answer = phone.post(
        "/es/reporte", base_url=BASE, data=body, content_type="multipart/form-data; boundary=b"
    )

    assert answer.status_code == status
    assert len(answer.data) < 8000
    assert "Traceback" not in answer.text
    assert (node.ledger.facts, node.attachments.kept) == ([], {})


def test_what_happened_is_counted(node: SimulatedNode, phone: FlaskClient) -> None:
    _report(phone, _jpeg())
    _report(phone, b"nada")

    counted = node.ports.door.counters.read()

    assert (counted["report_filed"], counted["photo_kept"], counted["photo_refused"]) == (2, 1, 1)


# --- the parts --------------------------------------------------------------------------------


def test_what_is_stored_opens_for_the_office_and_holds_no_exif(tmp_path: Path) -> None:
    key = pyrage.x25519.Identity.generate()
    store = PhotoStore(
        PhotoCleaner().clean,
        AgeSealer(lambda _: (str(key.to_public()),)),
        AttachmentStore(tmp_path, free_bytes=0),
    )

    kept = store.keep(_jpeg(), "siac")

    assert isinstance(kept, AttachmentRef)
    sealed = (tmp_path / kept.sha256).read_bytes()
    opened = pyrage.decrypt(sealed, [key])
    assert sealed.startswith(b"age-encryption.org/v1")
    assert dict(Image.open(io.BytesIO(opened)).getexif()) == {}
    assert b"secreto" not in opened


def test_without_a_key_nothing_is_stored(tmp_path: Path) -> None:
    store = PhotoStore(lambda raw: raw, AgeSealer(lambda _: ()), AttachmentStore(tmp_path))

    assert store.keep(b"x", "siac") == PhotoProblem(PhotoFlaw.NOT_STORED)
    assert list(tmp_path.iterdir()) == []


def test_a_decoder_that_dies_hangs_or_lies_is_a_photo_that_cannot_be_opened() -> None:
    def cleaner(program: str, wait_s: float = 30) -> PhotoCleaner:
        return PhotoCleaner((sys.executable, "-c", program), wait_s)

    assert cleaner("import os; os.abort()").clean(b"x") == PhotoProblem(PhotoFlaw.NOT_A_PHOTO)
    assert cleaner("print('no jpeg')").clean(b"x") == PhotoProblem(PhotoFlaw.NOT_A_PHOTO)
    assert cleaner("import time; time.sleep(60)", 0.5).clean(b"x") == PhotoProblem(
        PhotoFlaw.TOO_LARGE
    )


def test_only_so_many_photos_are_looked_at_together() -> None:
    """Both wait at most a second; the one who has the turn keeps it longer than that."""
    cleaner = PhotoCleaner((sys.executable, "-c", "import time; time.sleep(60)"), 1.0)
    answers: list[bytes | PhotoProblem] = []
    threads = [
        threading.Thread(target=lambda: answers.append(cleaner.clean(b"x"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert PhotoProblem(PhotoFlaw.BUSY) in answers
    assert PhotoProblem(PhotoFlaw.TOO_LARGE) in answers, "whose turn ended by time"


def test_codes_outlive_a_restart_and_the_file_holds_no_word(tmp_path: Path) -> None:
    clock, file = SimulatedClock(), tmp_path / "codes.json"
    code = PhotoCodes(file, clock).issue("COA007-R1-000001-X")

    assert not any(word.encode() in file.read_bytes() for word in code.split("-"))
    assert file.stat().st_mode & 0o777 == 0o600
    claim = PhotoCodes(file, clock).claim(code)
    assert (claim.state, claim.folio) == (CodeState.OPEN, "COA007-R1-000001-X")


def test_a_used_code_stays_used_after_a_restart(tmp_path: Path) -> None:
    clock, file = SimulatedClock(), tmp_path / "codes.json"
    codes = PhotoCodes(file, clock)
    code = codes.issue("COA007-R1-000001-X")
    codes.finish(codes.claim(code))

    assert PhotoCodes(file, clock).claim(code).state is CodeState.USED


def test_two_phones_with_the_same_words_do_not_both_get_in() -> None:
    codes = PhotoCodes(None, SimulatedClock())
    code = codes.issue("COA007-R1-000001-X")

    first, second = codes.claim(code), codes.claim(code)

    assert (first.state, second.state) == (CodeState.OPEN, CodeState.USED)


def test_a_damaged_file_of_codes_is_an_empty_one(tmp_path: Path) -> None:
    file = tmp_path / "codes.json"
    file.write_bytes(b'{"salt":"zz","given":[')

    codes = PhotoCodes(file, SimulatedClock())

    assert codes.claim("luna mesa tren pato").state is CodeState.UNKNOWN
    assert codes.issue("COA007-R1-000001-X")


def test_a_card_that_refuses_gives_no_code(tmp_path: Path) -> None:
    assert PhotoCodes(tmp_path / "none" / "codes.json", SimulatedClock()).issue("F") == ""


@pytest.mark.parametrize(("hours", "state"), [(23, CodeState.OPEN), (25, CodeState.UNKNOWN)])
@pytest.mark.parametrize("quality", [TimeQuality.SYNCED, TimeQuality.UNKNOWN])
def test_a_day_is_counted_across_a_restart(
    tmp_path: Path, hours: int, state: CodeState, quality: TimeQuality
) -> None:
    """By believable times if both are; else anew from the boot, so that nobody gets less than a day."""

    class Later(SimulatedClock):
        def now(self) -> Instant:
            moment = self.moment.timestamp() + hours * 3600
            at = type(self.moment).fromtimestamp(moment, self.moment.tzinfo)
            since_boot = hours * 3_600_000 if quality is TimeQuality.UNKNOWN else 5_000
            return Instant(at, quality, "otro-arranque", since_boot)

    file = tmp_path / "codes.json"
    code = PhotoCodes(file, SimulatedClock()).issue("F")

    assert PhotoCodes(file, Later()).claim(code).state is state


def test_many_devices_guessing_together_meet_the_limit_for_all() -> None:
    clock = SimulatedClock()
    tries = Tries(clock.ms, most_each=3, most_all=10, window_s=60)
    for n in range(10):
        assert tries.may(f"10.0.0.{n}")
        tries.count(f"10.0.0.{n}")

    assert not tries.may("10.0.0.99")
    clock.pass_seconds(61)
    assert tries.may("10.0.0.99")
    assert tries._each == {}
