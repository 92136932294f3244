"""Looking for a trámite, for kiosk and portal alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from municipio.tramites import Requirement, Tramite
from municipio.usecases.ports import Catalogue, TramiteHit

RESULTS_LIMIT = 20
CONSULTED_LIMIT = 6


class Heading(StrEnum):
    """What a list of trámites is."""

    MOST_CONSULTED = "most_consulted"
    CATEGORY = "category"
    RESULTS = "results"


@dataclass(frozen=True, slots=True)
class TramiteList:
    heading: Heading
    hits: tuple[TramiteHit, ...]


def search(
    catalogue: Catalogue, query: str, category: str = "", limit: int = RESULTS_LIMIT
) -> TramiteList:
    """What to show: the hits of a query, else those of a category, else the most consulted."""
    if query.strip():
        return TramiteList(Heading.RESULTS, catalogue.search_tramites(query, limit))
    if category:
        return TramiteList(Heading.CATEGORY, catalogue.tramites_in(category))
    return TramiteList(Heading.MOST_CONSULTED, catalogue.most_consulted(CONSULTED_LIMIT))


def requirements(tramite: Tramite) -> tuple[Requirement, ...]:
    """What the citizen must bring, first; what the government already holds comes last."""
    return tuple(sorted(tramite.requirements, key=lambda r: r.held_by_government))
