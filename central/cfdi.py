"""CFDI that were stamped for a payment, brought back to its folio. The city stamps; kiosks never do.

Read from the XML itself (CFDI 4.0, SAT): the folio stands in `Folio` of the Comprobante, with or without
`Serie`. The QR's address is the SAT's verification page. It names the receiver's RFC, so it is shown to
anybody with the folio only for the general public's RFC.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from urllib.parse import urlencode
from xml.etree import ElementTree

import qrcode
from qrcode.constants import ERROR_CORRECT_M
from sqlalchemy import Connection, and_, select

from central.schema import payments
from central.schema_money import cfdi
from central.store import insert_missing
from municipio.identifiers import FolioProblem, parse_folio

MAX_BYTES = 1024 * 1024
GENERAL_PUBLIC = "XAXX010101000"
"""RFC of a receiver who gave none (Anexo 20 of the Resolución Miscelánea Fiscal)."""

_PAGE = "https://verificacfdi.facturaelectronica.sat.gob.mx/default.aspx"
_CFDI = "{http://www.sat.gob.mx/cfd/4}"
_STAMP = "{http://www.sat.gob.mx/TimbreFiscalDigital}TimbreFiscalDigital"
_TOTAL = re.compile(r"(\d{1,13})(?:\.(\d{1,6}))?", re.ASCII)
_RFC = re.compile(r"[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3}")


class CfdiError(ValueError):
    """A file that is no stamped CFDI of ours, or one that contradicts the books; fit for a terminal."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A stamped CFDI. `seal` are the last eight characters of the issuer's seal."""

    folio: str
    uuid: str
    issuer: str
    receiver: str
    total: str
    total_centavos: int
    seal: str
    stamped_at: str

    @property
    def address(self) -> str:
        """What the QR says."""
        said = {"id": self.uuid, "re": self.issuer, "rr": self.receiver, "tt": self.total}
        return f"{_PAGE}?{urlencode(said | {'fe': self.seal})}"

    @property
    def qr(self) -> tuple[str, int]:
        """The QR as SVG path data, and its modules a side: the pages' policy lets no image data in."""
        code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4)
        code.add_data(self.address)
        rows = code.get_matrix()
        dark = ((x, y) for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
        return "".join(f"M{x} {y}h1v1h-1z" for x, y in dark), len(rows)

    @property
    def is_public(self) -> bool:
        """May be shown to anybody who has the folio: it names nobody."""
        return self.receiver == GENERAL_PUBLIC


def parse_cfdi(raw: bytes) -> Stamp:
    """Read a stamped CFDI. Raises CfdiError."""
    if len(raw) > MAX_BYTES or b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise CfdiError("not a CFDI: too large, or with a document type")
    try:
        root = ElementTree.fromstring(raw)  # noqa: S314 - no document type, so no entities
    except (ElementTree.ParseError, ValueError, LookupError) as e:
        raise CfdiError(f"not XML: {e}") from e
    stamp = root.find(f"{_CFDI}Complemento/{_STAMP}")
    issuer, receiver = root.find(f"{_CFDI}Emisor"), root.find(f"{_CFDI}Receptor")
    if root.tag != f"{_CFDI}Comprobante" or stamp is None or issuer is None or receiver is None:
        raise CfdiError("not a stamped CFDI 4.0")
    total = _TOTAL.fullmatch(root.get("Total", ""))
    if total is None or (total[2] or "")[2:].strip("0"):
        raise CfdiError("Total is no amount in centavos")
    rfcs = (issuer.get("Rfc", ""), receiver.get("Rfc", ""))
    if not all(_RFC.fullmatch(rfc) for rfc in rfcs):
        raise CfdiError("an RFC is missing or not one")
    try:
        number = str(uuid.UUID(stamp.get("UUID", ""))).upper()
    except ValueError as e:
        raise CfdiError("UUID is missing or not one") from e
    return Stamp(
        folio=_folio(root.get("Serie", ""), root.get("Folio", "")),
        uuid=number,
        issuer=rfcs[0],
        receiver=rfcs[1],
        total=root.get("Total", ""),
        total_centavos=int(total[1]) * 100 + int((total[2] or "0")[:2].ljust(2, "0")),
        seal=root.get("Sello", "")[-8:],
        stamped_at=stamp.get("FechaTimbrado", "")[:30],
    )


def _folio(series: str, number: str) -> str:
    for text in (number, f"{series}-{number}", f"{series}{number}"):
        found = parse_folio(text)
        if not isinstance(found, FolioProblem):
            return found.text
    raise CfdiError("neither Folio nor Serie with Folio is a folio of ours")


def keep_stamp(connection: Connection, inegi: str, stamp: Stamp, at: str) -> bool:
    """Bind a CFDI to its payment; False when it was there. Raises CfdiError when books disagree."""
    p = payments.c
    mine = and_(p.inegi == inegi, p.folio == stamp.folio, p.state != "unmatched")
    amounts = connection.scalars(select(p.amount_centavos).where(mine)).all()
    if stamp.total_centavos not in amounts:
        raise CfdiError(f"{stamp.folio}: no payment of this amount is in the books")
    known = find_stamp(connection, inegi, stamp.folio)
    if known is not None and known != stamp:
        raise CfdiError(f"{stamp.folio} has another CFDI already: {known.uuid}")
    other = and_(cfdi.c.inegi == inegi, cfdi.c.uuid == stamp.uuid, cfdi.c.folio != stamp.folio)
    if connection.execute(select(cfdi.c.folio).where(other)).first() is not None:
        raise CfdiError(f"{stamp.uuid} belongs to another folio")
    row = {name: getattr(stamp, name) for name in Stamp.__slots__}
    insert_missing(connection, cfdi, [row | {"inegi": inegi, "imported_at": at}])
    return known is None


def find_stamp(connection: Connection, inegi: str, folio: str) -> Stamp | None:
    mine = and_(cfdi.c.inegi == inegi, cfdi.c.folio == folio)
    row = connection.execute(select(cfdi).where(mine)).first()
    return None if row is None else Stamp(*(getattr(row, name) for name in Stamp.__slots__))
