"""A file of state changes as the attention system (SIAC) writes it: pure, from bytes to rows.

A row that cannot be understood is returned with its line and the reason; it stops no other row. Columns
are found by their titles, in any order; columns that this program has no use for are not read.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from municipio.facts import format_time
from municipio.identifiers import FolioProblem, parse_folio
from municipio.search import fold

MAX_BYTES = 64 * 1024 * 1024
TITLES = {
    "folio": ("folio", "numero", "no. de folio"),
    "state": ("estado", "estatus", "status", "estado final"),
    "at": ("fecha", "fecha de cambio", "fecha cambio", "fecha de estado"),
}
STATES = {
    "pendiente": "Pendiente",
    "pendiente de atencion": "Pendiente",
    "desarrollo": "Desarrollo",
    "en desarrollo": "Desarrollo",
    "atendido": "Atendido",
    "atendida": "Atendido",
    "no procede": "No procede",
}
CITY_FOLIO = re.compile(r"[A-Z]{2,6}-[0-9]{6,9}")
_DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y")
_HOURS = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", "T%H:%M")


@dataclass(frozen=True, slots=True)
class StateRow:
    """One change of one matter. `folio` is the node's or the city's; `at` RFC 3339 UTC."""

    line: int
    folio: str
    state: str
    at: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not taken, and why; `cells` are as they came."""

    line: int
    why: str
    cells: tuple[str, ...]


class SiacFileError(ValueError):
    """A file of which no row can be read; fit for a terminal."""


def read_states(raw: bytes, zone: ZoneInfo, now: datetime) -> Iterator[StateRow | BadRow]:
    """Every row below the titles. Raises SiacFileError."""
    if len(raw) > MAX_BYTES:
        raise SiacFileError(f"the file is over {MAX_BYTES // 2**20} MiB")
    text = _text(raw)
    first, _, _ = text.partition("\n")
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        titles = [_plain(title) for title in next(rows, [])]
        columns = _columns(titles)
        for cells in rows:
            if any(cell.strip() for cell in cells):
                yield _row(rows.line_num, tuple(cells), columns, zone, now)
    except csv.Error as e:
        raise SiacFileError(f"line {rows.line_num} is not CSV: {e}") from e


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _columns(titles: list[str]) -> dict[str, int]:
    found = {}
    for name, known in TITLES.items():
        places = [titles.index(title) for title in known if title in titles]
        if not places:
            raise SiacFileError(f"the first line has no column «{known[0]}»")
        found[name] = places[0]
    return found


def _row(
    line: int, cells: tuple[str, ...], columns: Mapping[str, int], zone: ZoneInfo, now: datetime
) -> StateRow | BadRow:
    said = {name: cells[n].strip() if n < len(cells) else "" for name, n in columns.items()}
    folio = _folio(said["folio"])
    if not folio:
        return BadRow(line, "el folio no está bien escrito", cells)
    state = STATES.get(_plain(said["state"]))
    if state is None:
        return BadRow(line, "el estado no es uno de los cuatro del SIAC", cells)
    at = _moment(said["at"], zone)
    if at is None:
        return BadRow(line, "la fecha no se entiende", cells)
    if at > now + timedelta(days=1):
        return BadRow(line, "la fecha todavía no llega", cells)
    return StateRow(line, folio, state, format_time(at))


def _folio(text: str) -> str:
    if CITY_FOLIO.fullmatch(text.upper()):
        return text.upper()
    parsed = parse_folio(text)
    return "" if isinstance(parsed, FolioProblem) else parsed.text


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    for day in _DAYS:
        for hour in _HOURS:
            try:
                at = datetime.strptime(text, day + hour).replace(tzinfo=zone).astimezone(UTC)
            except (ValueError, OverflowError):
                continue
            return at if at.year >= 2000 else None
    return None


def _plain(text: str) -> str:
    return " ".join(fold(text).split())
