"""What became of a matter: the node's own stub first, then the city's answer when there is one."""

from __future__ import annotations

from dataclasses import dataclass

from municipio.identifiers import FolioProblem, parse_folio
from municipio.usecases.ports import City, CityFolio, FolioStub, Ledger, NoAnswer

DOUBLED = "doble"
"""The city's word for a folio of two matters: it tells neither."""


@dataclass(frozen=True, slots=True)
class FolioFound:
    """At least one of the two knows the folio; the city's word counts more than the node's.

    `no_answer` is set when the city was asked and did not answer: `stub` may be behind.
    """

    folio: str
    stub: FolioStub | None
    city: CityFolio | None
    no_answer: NoAnswer | None = None

    @property
    def kind(self) -> str:
        return self.city.kind if self.city else self.stub.kind if self.stub else ""

    @property
    def state(self) -> str:
        return self.city.state if self.city else self.stub.state if self.stub else ""

    @property
    def is_doubled(self) -> bool:
        """Two copies of a card gave it to two people; which of them asks is not known here."""
        return self.kind == DOUBLED


@dataclass(frozen=True, slots=True)
class FolioNotFound:
    """A well-formed folio that nobody knows; with `no_answer` the city could not be asked."""

    folio: str
    no_answer: NoAnswer | None = None


FolioAnswer = FolioFound | FolioNotFound | FolioProblem


def look_up(ledger: Ledger, city: City, text: str) -> FolioAnswer:
    """Find a folio as a person typed it. Asks the city, so never call it on a screen's thread."""
    parsed = parse_folio(text)
    if isinstance(parsed, FolioProblem):
        return parsed
    stub = ledger.folio(parsed.text)
    answer = city.folio(parsed.text)
    no_answer = answer if isinstance(answer, NoAnswer) else None
    known = None if isinstance(answer, NoAnswer) else answer
    if stub is None and known is None:
        return FolioNotFound(parsed.text, no_answer)
    return FolioFound(parsed.text, stub, known, no_answer)
