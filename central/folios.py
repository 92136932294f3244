"""Where a folio stands, for nodes and for the citizen's own page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import and_, select

from central.cases import PHOTO, STATE, events_of
from central.cfdi import Stamp, find_stamp
from central.context import Central
from central.problems import Problem, ProblemType
from central.schema import folios
from municipio.identifiers import FolioProblem, parse_folio


@dataclass(frozen=True, slots=True)
class FolioState:
    """One matter in the city's words. Days are ISO dates, empty when not known."""

    folio: str
    kind: str
    state: str
    city_folio: str
    opened_on: str
    updated_on: str
    stamp: Stamp | None = None
    changes: tuple[tuple[str, str], ...] = ()
    """Moment (RFC 3339 UTC) and state, oldest first, as the attention system said."""
    photos: int = 0
    """That came after the report itself."""

    def document(self) -> dict[str, Any]:
        """What a node is told; the rest is for the citizen's own page."""
        return {name: value for name, value in asdict(self).items() if name not in _PAGE_ONLY}


_PAGE_ONLY = ("stamp", "changes", "photos")


def find_folio(central: Central, text: str) -> FolioState | Problem:
    """Look a folio up as a person typed it; BAD_FOLIO when its check character does not hold."""
    parsed = parse_folio(text)
    if isinstance(parsed, FolioProblem):
        return Problem(ProblemType.BAD_FOLIO, "not a folio, or mistyped")
    f = folios.c
    mine = and_(f.inegi == central.city.inegi, f.folio == parsed.text)
    with central.store.begin() as connection:
        row = connection.execute(select(folios).where(mine)).first()
        stamp = find_stamp(connection, central.city.inegi, parsed.text)
        events = events_of(connection, central.city.inegi, parsed.text)
    if row is None:
        return Problem(ProblemType.NOT_FOUND, "the city does not hold this folio yet")
    texts = (row.folio, row.kind, row.state, row.city_folio, row.opened_on, row.updated_on)
    changes = tuple((e.at, e.detail) for e in events if e.what == STATE)
    return FolioState(*texts, stamp, changes, sum(e.what == PHOTO for e in events))
