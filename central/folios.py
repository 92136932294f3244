"""Where a folio stands, for nodes and for the citizen's own page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import and_, select

from central.cases import PHOTO, STATE, events_of
from central.cfdi import Stamp, find_stamp
from central.context import Central
from central.doubled import is_doubled, is_in_doubt
from central.problems import Problem, ProblemType
from central.schema import folios
from municipio.identifiers import FolioProblem, parse_folio
from municipio.usecases.folios import DOUBLED


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
    in_doubt: bool = False
    """Two cards of its node speak: until the staff looked, this may be another matter."""

    def document(self) -> dict[str, Any]:
        """What a node is told; the rest is for the citizen's own page."""
        return {name: value for name, value in asdict(self).items() if name not in _PAGE_ONLY}


_PAGE_ONLY = ("stamp", "changes", "photos", "in_doubt")


_AT_THE_WINDOW = "Acuda a ventanilla"


def find_folio(central: Central, text: str) -> FolioState | Problem:
    """Look a folio up as a person typed it; BAD_FOLIO when its check character does not hold."""
    parsed = parse_folio(text)
    if isinstance(parsed, FolioProblem):
        return Problem(ProblemType.BAD_FOLIO, "not a folio, or mistyped")
    f = folios.c
    mine = and_(f.inegi == central.city.inegi, f.folio == parsed.text)
    with central.store.begin() as connection:
        if is_doubled(connection, central.city.inegi, parsed):
            # Neither matter may be shown to the other's citizen: their papers tell them apart.
            return FolioState(parsed.text, DOUBLED, _AT_THE_WINDOW, "", "", "")
        row = connection.execute(select(folios).where(mine)).first()
        stamp = find_stamp(connection, central.city.inegi, parsed.text)
        events = events_of(connection, central.city.inegi, parsed.text)
        in_doubt = is_in_doubt(connection, central.city.inegi, parsed.node_code)
    if row is None:
        return Problem(ProblemType.NOT_FOUND, "the city does not hold this folio yet")
    texts = (row.folio, row.kind, row.state, row.city_folio, row.opened_on, row.updated_on)
    changes = tuple((e.at, e.detail) for e in events if e.what == STATE)
    photos = sum(e.what == PHOTO for e in events)
    return FolioState(*texts, stamp, changes, photos, in_doubt)
