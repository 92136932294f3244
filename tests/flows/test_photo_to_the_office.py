"""A photo from a visitor's telephone to the office that attends: real portal, ledger, wire and city."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pyrage
import pytest
from PIL import Image

from central.attachments import read_attachment
from central.store import open_store

PLACE = (18.0, 8.0, 7.0)


def _photo() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Fabricante secreto"
    exif.get_ifd(0x8825)[2] = PLACE
    out = io.BytesIO()
    street = Image.effect_noise((500, 375), 80).resize((2000, 1500)).convert("RGB")
    street.save(out, "JPEG", exif=exif)
    return out.getvalue()


def _hidden(html: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html))


class Phone:
    def __init__(self, portal: str) -> None:
        self._http = httpx2.Client(base_url=portal, follow_redirects=True, timeout=60)

    def send(self, path: str, photo: bytes | None, **fields: str) -> str:
        seal = _hidden(self._http.get(path).text)
        files = {"photo_now": ("IMG_0001.jpg", photo or b"", "image/jpeg")}
        answer = self._http.post(path, data=seal | fields, files=files)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def report(self, photo: bytes | None) -> str:
        page = self._http.get("/es/reporte").text
        service = re.search(r'<option value="([a-z_]+)"', page)
        assert service is not None
        return self.send(
            "/es/reporte", photo, service_code=service[1], colonia="Centro", street="Hidalgo 12",
            description="Hay un hoyo muy hondo.",
        )  # fmt: skip

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def open_phone(open_portal: Callable[[Any], str]) -> Iterator[Callable[[Any], Phone]]:
    """A telephone at the portal of a node; hung up at the end."""
    with ExitStack() as stack:

        def connect(node: Any) -> Phone:
            phone = Phone(open_portal(node))
            stack.callback(phone.close)
            return phone

        yield connect


@pytest.mark.parametrize("when", ["with the report", "later, with four words"])
def test_the_office_opens_the_photo_and_finds_no_place_in_it(
    node: Any, open_phone: Callable[[Any], Phone], when: str
) -> None:
    phone = open_phone(node)
    if when == "with the report":
        phone.report(_photo())
    else:
        words = re.search(r'lang="es">([a-z]+ [a-z]+ [a-z]+ [a-z]+)</p>', phone.report(None))
        assert words is not None
        assert "Foto agregada" in phone.send("/es/foto", _photo(), codigo=words[1])

    pushed = node.plaza("sync", "push", "--json")

    assert pushed.exit_code == 0, pushed.output
    assert json.loads(pushed.stdout)["waiting"] == 0
    fact = next(f for f in node.facts() if f["data"].get("attachments"))
    kinds = {"with the report": "report.filed"}
    assert fact["type"] == kinds.get(when, "report.photo_added")
    (named,) = fact["data"]["attachments"]
    store = open_store(node.city.db)
    sealed = read_attachment(store, "30039", named["sha256"])
    store.close()
    assert sealed is not None
    identity = (node.city.keys / "siac.agekey").read_text("ascii").strip()
    jpeg = pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(identity)])
    picture = Image.open(io.BytesIO(jpeg))
    assert max(picture.size) == 1600
    assert dict(picture.getexif()) == {}
    assert b"secreto" not in jpeg
    for office in ("tesoreria", "contraloria"):
        other = (node.city.keys / f"{office}.agekey").read_text("ascii").strip()
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(other)])


def test_nothing_on_the_node_shows_the_photo_in_the_clear(
    node: Any, open_phone: Callable[[Any], Phone]
) -> None:
    open_phone(node).report(_photo())

    files = [path for path in node.data.path.rglob("*") if path.is_file()]

    assert [path for path in files if path.parent.name == "attachments"]
    for path in files:
        raw = path.read_bytes()
        assert b"JFIF" not in raw, path
        assert b"secreto" not in raw, path
        assert b"IMG_0001" not in raw, path
