"""CFDI back to the folio of their payment; what contradicts the books is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.app import create_app
from central.cfdi import GENERAL_PUBLIC, CfdiError, find_stamp, keep_stamp, parse_cfdi
from central.cfdi_cli import cfdi
from central.city import City
from central.context import Central
from central.keys import CityKey
from central.projector import Projector
from central.schema import folios, payments
from central.store import Store, open_store
from central.wiring import demo_perfil
from municipio.facts import Lane
from municipio.identifiers import make_folio

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
AT = "2026-01-20T18:00:00.000Z"
FOLIO = make_folio("COA007", Lane.PAY, 1, 1)
UUID = "5DA4A6B8-0C54-4C4F-9F0B-3C9D7C1E2A11"


def xml(folio: str = FOLIO, total: str = "1095.60", receiver: str = GENERAL_PUBLIC) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<cfdi:Comprobante xmlns:cfdi="http://www.sat.gob.mx/cfd/4" Version="4.0" Folio="{folio}"
 Total="{total}" Sello="abcdefghijkl+/==">
<cfdi:Emisor Rfc="AAA010101AAA"/><cfdi:Receptor Rfc="{receiver}"/>
<cfdi:Complemento><tfd:TimbreFiscalDigital
 xmlns:tfd="http://www.sat.gob.mx/TimbreFiscalDigital" UUID="{UUID.lower()}"
 FechaTimbrado="2026-01-20T12:00:00"/></cfdi:Complemento></cfdi:Comprobante>""".encode()


@pytest.fixture
def store(store: Store) -> Store:
    fill(store)
    return store


def fill(store: Store) -> None:
    row = {"inegi": CITY.inegi, "folio": FOLIO, "node": "COA007"}
    paid = {"fact_id": "f", "clave": "1", "liquidacion_id": "L", "amount_centavos": 109_560}
    paid |= {
        "method": "card",
        "paid_on": "2026-01-20",
        "state": "posted",
        "note": "",
        "posted_at": AT,
    }
    about = {"kind": "predial", "state": "Pagado", "city_folio": "", "opened_on": "2026-01-20"}
    with store.begin() as connection:
        connection.execute(payments.insert().values(**row, **paid))
        connection.execute(folios.insert().values(**row, **about, updated_on="2026-01-20"))


def test_a_stamp_comes_back_to_its_folio_and_its_page(store: Store) -> None:
    stamp = parse_cfdi(xml())
    with store.begin() as connection:
        assert keep_stamp(connection, CITY.inegi, stamp, AT)
        assert not keep_stamp(connection, CITY.inegi, stamp, AT)
        assert find_stamp(connection, CITY.inegi, FOLIO) == stamp
    said = parse_qs(urlsplit(stamp.address).query)
    assert said == {
        "id": [UUID], "re": ["AAA010101AAA"], "rr": [GENERAL_PUBLIC], "tt": ["1095.60"],
        "fe": ["ijkl+/=="],
    }  # fmt: skip
    assert UUID in page(store)
    assert "<path d=" in page(store)


def page(store: Store) -> str:
    projector = Projector(store, CITY, lambda: NOW)
    key = CityKey(Ed25519PrivateKey.generate())
    app = create_app(Central(store, CITY, key, demo_perfil(), "t", lambda: NOW, projector))
    return app.test_client().get(f"/f/{FOLIO}").text


def test_a_persons_rfc_is_on_no_public_page(store: Store) -> None:
    with store.begin() as connection:
        keep_stamp(connection, CITY.inegi, parse_cfdi(xml(receiver="LOMA800101AB1")), AT)
    assert UUID in page(store)
    assert "LOMA800101AB1" not in page(store)
    assert "<path d=" not in page(store)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"<x/>", "not a stamped CFDI"),
        (b"nothing", "not XML"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "document type"),
        (xml("A-12"), "is a folio of ours"),
        (xml(total="1095.605"), "Total is no amount"),
        (xml().replace(UUID.lower().encode(), b"1234"), "UUID is missing"),
        (xml(receiver="nobody"), "an RFC is missing"),
    ],
)
def test_what_is_no_cfdi_of_ours_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(CfdiError, match=said):
        parse_cfdi(raw)


def test_another_amount_or_another_uuid_is_refused(store: Store) -> None:
    with store.begin() as connection:
        with pytest.raises(CfdiError, match="no payment of this amount"):
            keep_stamp(connection, CITY.inegi, parse_cfdi(xml(total="1.00")), AT)
        keep_stamp(connection, CITY.inegi, parse_cfdi(xml()), AT)
        other = xml().replace(b"5da4a6b8", b"6da4a6b8")
        with pytest.raises(CfdiError, match="another CFDI already"):
            keep_stamp(connection, CITY.inegi, parse_cfdi(other), AT)


def test_the_command_keeps_the_good_and_tells_the_bad(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path}/c.sqlite"
    opened = open_store(db)
    fill(opened)
    opened.close()
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_bytes(xml())
    bad.write_bytes(b"<x/>")
    done = CliRunner().invoke(cfdi, ["import", str(bad), str(good), "--db", db])
    assert done.exit_code == 1
    assert "bad.xml: not a stamped CFDI" in done.stderr
    assert "1 of 2 CFDI are new" in done.stdout
