"""Files that banks, shops and acquirers send, read by a mapping that says what their columns mean.

Each agreement has a format of its own, so none is built in: a TOML file names the columns. A file is
taken whole or not at all; the first row that cannot be read is named with its line and column.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from municipio.references import (
    ReferenceProblem,
    check_bbva_10,
    check_oxxo_25,
    read_condensed_date,
)

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_CENTAVOS = 10**13
_AMOUNT = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,2}))?", re.ASCII)


class Kind(StrEnum):
    CARD = "adquirente"
    BANK = "banco"
    OXXO = "oxxo"
    DEPOSIT = "deposito"


class SettlementError(ValueError):
    """A mapping or a file that cannot be used; the message names the key, or line and column."""


@dataclass(frozen=True, slots=True)
class FileMapping:
    """What the columns of one agreement's file mean. Empty column name: the file has none."""

    name: str
    kind: Kind
    encoding: str
    delimiter: str
    skip: int
    date_format: str
    in_centavos: bool
    decimal: str
    columns: Mapping[str, str]
    returns: frozenset[str]
    ignored: frozenset[str]
    reference_form: str
    prefix: str
    base_year: int
    is_demo: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One movement. `id` is the same wherever the same movement is reported again.

    `collection` is what follows the prefix in the referencia de cobro: three digits of node and the
    running number; `due` the date that the reference carries (empty: none). A returned charge has
    negative amounts.
    """

    id: str
    number: int
    kind: Kind
    day: date
    gross_centavos: int
    commission_centavos: int
    net_centavos: int
    reference: str = ""
    authorization: str = ""
    last4: str = ""
    node: str = ""
    collection: str = ""
    due: str = ""


@dataclass(frozen=True, slots=True)
class SettlementFile:
    sha256: str
    lines: tuple[Line, ...] = field(default=())


_COLUMNS = (
    *("identificador", "fecha", "importe", "comision", "iva_comision", "neto", "autorizacion"),
    *("terminacion", "referencia", "nodo", "movimiento"),
)
_TOP: dict[str, tuple[type, Any]] = {
    "nombre": (str, None),
    "clase": (str, None),
    "demostracion": (bool, False),
    "codificacion": (str, "utf-8"),
    "separador": (str, ","),
    "renglones_antes": (int, 0),
    "fecha": (str, None),
    "importes": (str, "pesos"),
    "decimal": (str, "."),
    "columnas": (dict, None),
    "movimientos": (dict, {}),
    "referencia": (dict, {}),
}
_FORMS = ("", "cobro", "ventanilla", "oxxo")


def parse_mapping(text: str) -> FileMapping:
    """Read a mapping file. Raises SettlementError that names the key."""
    try:
        doc = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise SettlementError(f"not TOML: {e}") from e
    top = _typed(doc, _TOP, "")
    columns = _typed(top["columnas"], {name: (str, "") for name in _COLUMNS}, "columnas.")
    moves = _typed(
        top["movimientos"], {"devolucion": (list, []), "ignorar": (list, [])}, "movimientos."
    )
    known: dict[str, tuple[type, Any]] = {
        "forma": (str, ""), "prefijo": (str, ""), "anio_base": (int, 2014),
    }  # fmt: skip
    reference = _typed(top["referencia"], known, "referencia.")
    _choice("clase", top["clase"], tuple(Kind))
    _choice("importes", top["importes"], ("pesos", "centavos"))
    _choice("decimal", top["decimal"], (".", ","))
    _choice("referencia.forma", reference["forma"], _FORMS)
    if reference["forma"] and not re.fullmatch(r"\d{1,4}", reference["prefijo"], re.ASCII):
        raise SettlementError("referencia.prefijo: one to four digits")
    if len(top["separador"]) != 1:
        raise SettlementError("separador: one character")
    for needed in ("fecha", "importe"):
        if not columns[needed]:
            raise SettlementError(f"columnas.{needed}: missing")
    if (moves["devolucion"] or moves["ignorar"]) and not columns["movimiento"]:
        raise SettlementError("columnas.movimiento: missing, and movimientos are named")
    return FileMapping(
        name=top["nombre"],
        kind=Kind(top["clase"]),
        encoding=top["codificacion"],
        delimiter=top["separador"],
        skip=top["renglones_antes"],
        date_format=top["fecha"],
        in_centavos=top["importes"] == "centavos",
        decimal=top["decimal"],
        columns=columns,
        returns=frozenset(map(str, moves["devolucion"])),
        ignored=frozenset(map(str, moves["ignorar"])),
        reference_form=reference["forma"],
        prefix=reference["prefijo"],
        base_year=reference["anio_base"],
        is_demo=top["demostracion"],
    )


def read_file(raw: bytes, mapping: FileMapping) -> SettlementFile:
    """Every movement of a file. Raises SettlementError with the line and the column."""
    if len(raw) > MAX_FILE_BYTES:
        raise SettlementError(f"over {MAX_FILE_BYTES} bytes")
    try:
        text = raw.decode(mapping.encoding).removeprefix("\ufeff")
    except (UnicodeDecodeError, LookupError) as e:
        raise SettlementError(f"cannot be read as {mapping.encoding}: {e}") from e
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mapping.delimiter)
    lines: list[Line] = []
    seen: dict[str, int] = {}
    try:
        for _ in range(mapping.skip):
            next(rows, None)
        places = _places(next(rows, []), mapping)
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            line = _line(_Row(row, places, rows.line_num), mapping, seen)
            if line is not None:
                lines.append(line)
    except csv.Error as e:
        raise SettlementError(f"line {rows.line_num}: {e}") from e
    return SettlementFile(hashlib.sha256(raw).hexdigest(), tuple(lines))


@dataclass(frozen=True, slots=True)
class _Row:
    cells: Sequence[str]
    places: Mapping[str, int]
    number: int

    def text(self, name: str) -> str:
        """Empty when the file has no such column."""
        if name not in self.places:
            return ""
        if self.places[name] >= len(self.cells):
            raise self.wrong(name, "the row is too short")
        return self.cells[self.places[name]].strip()

    def wrong(self, name: str, why: str) -> SettlementError:
        return SettlementError(f"line {self.number}, {name}: {why}")


def _places(header: Sequence[str], mapping: FileMapping) -> dict[str, int]:
    titles = [title.strip() for title in header]
    found = {}
    for name, title in mapping.columns.items():
        if not title:
            continue
        if titles.count(title) != 1:
            raise SettlementError(f"the file has {titles.count(title)} columns named «{title}»")
        found[name] = titles.index(title)
    return found


def _line(row: _Row, mapping: FileMapping, seen: dict[str, int]) -> Line | None:
    move = row.text("movimiento")
    if move and move in mapping.ignored:
        return None
    sign = -1 if move and move in mapping.returns else 1
    gross = sign * abs(_amount(row, "importe", mapping))
    commission = _amount(row, "comision", mapping) + _amount(row, "iva_comision", mapping)
    net = _amount(row, "neto", mapping) if row.text("neto") else gross - commission
    if sign < 0:
        net = -abs(net)
        # A returned charge gives its commission back, or costs one more: the net says which.
        given_back = not row.text("neto") or gross + abs(commission) == net
        commission = -abs(commission) if given_back else abs(commission)
        net = net if row.text("neto") else gross - commission
    day = _day(row, mapping)
    names = ("referencia", "autorizacion", "terminacion", "nodo")
    texts = {name: row.text(name) for name in names}
    for name, text in texts.items():
        if not text.isprintable() or len(text) > 200:
            raise row.wrong(name, "not a reference")
    collection, due = read_reference(texts["referencia"], mapping)
    return Line(
        id=_identity(row, mapping, (day, gross, *texts.values()), seen),
        number=row.number,
        kind=mapping.kind,
        day=day,
        gross_centavos=gross,
        commission_centavos=commission,
        net_centavos=net,
        reference=texts["referencia"],
        authorization=texts["autorizacion"],
        last4=texts["terminacion"][-4:],
        node=texts["nodo"],
        collection=collection,
        due=due,
    )


def _identity(
    row: _Row, mapping: FileMapping, parts: Sequence[object], seen: dict[str, int]
) -> str:
    """The bank's own number, or what the movement says and which of its equals in the file it is."""
    own = row.text("identificador")
    what = f"{mapping.name}|{own}" if own else "|".join(map(str, (mapping.name, *parts)))
    seen[what] = seen.get(what, 0) + 1
    if own and seen[what] > 1:
        raise row.wrong("identificador", f"«{own}» is there twice")
    return hashlib.sha256(f"{what}|{seen[what]}".encode()).hexdigest()


def read_reference(text: str, mapping: FileMapping) -> tuple[str, str]:
    """(node and running number, ISO due date) inside what was keyed in; empty when it is not ours."""
    digits = text.replace(" ", "")
    collection, due = (
        _inside(digits, mapping) if digits.isascii() and digits.isdigit() else ("", "")
    )
    if not collection.startswith(mapping.prefix):
        return "", ""
    return collection[len(mapping.prefix) :], due


def _inside(digits: str, mapping: FileMapping) -> tuple[str, str]:
    """The ten-digit referencia de cobro and the due date, as the form of the reference has them."""
    if mapping.reference_form == "cobro" and len(digits) == 10:
        return digits, ""
    if mapping.reference_form == "oxxo" and check_oxxo_25(digits):
        try:
            due = datetime.strptime(digits[12:18], "%y%m%d").date()  # noqa: DTZ007 - a civil date
        except ValueError:
            return "", ""
        return digits[2:12], due.isoformat()
    if mapping.reference_form == "ventanilla" and len(digits) == 18 and check_bbva_10(digits):
        try:
            due = read_condensed_date(int(digits[10:14]), mapping.base_year)
        except ReferenceProblem:
            return "", ""
        return digits[:10], due.isoformat()
    return "", ""


def _amount(row: _Row, name: str, mapping: FileMapping) -> int:
    text = row.text(name)
    if not text:
        if name == "importe":
            raise row.wrong(name, "empty")
        return 0
    sign = -1 if text.startswith("-") else 1
    plain = text.lstrip("-").replace("$", "").strip()
    if mapping.decimal == ",":
        plain = plain.translate(str.maketrans(",.", ".,"))
    found = _AMOUNT.fullmatch(plain)
    if found is None or (mapping.in_centavos and found[2]):
        raise row.wrong(name, f"«{text}» is no amount")
    whole = int(found[1].replace(",", ""))
    cents = whole if mapping.in_centavos else whole * 100 + int((found[2] or "0").ljust(2, "0"))
    if cents > MAX_CENTAVOS:
        raise row.wrong(name, f"«{text}» is too large")
    return sign * cents


def _day(row: _Row, mapping: FileMapping) -> date:
    text = row.text("fecha")
    try:
        return datetime.strptime(text, mapping.date_format).date()  # noqa: DTZ007 - a civil date
    except ValueError as e:
        raise row.wrong("fecha", f"«{text}» is not {mapping.date_format}") from e


def _typed(
    doc: Mapping[str, Any], known: Mapping[str, tuple[type, Any]], at: str
) -> dict[str, Any]:
    for key in doc:
        if key not in known:
            raise SettlementError(f"{at}{key}: unknown key")
    found = {}
    for key, (kind, default) in known.items():
        value = doc.get(key, default)
        if value is None:
            raise SettlementError(f"{at}{key}: missing")
        if type(value) is not kind:
            raise SettlementError(f"{at}{key}: must be {kind.__name__}")
        found[key] = value
    return found


def _choice(key: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise SettlementError(f"{key}: «{value}» is not one of {', '.join(filter(None, allowed))}")
