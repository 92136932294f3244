"""Asking the city to look again at a page that the public Wi-Fi does not open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from municipio.facts import FactDraft, FactType
from municipio.usecases.ports import Change, FolioStub, Ledger, NotRecorded

FILED = "recibido"


class Reason(StrEnum):
    """What the page is needed for. A closed list: free text would be a place for names."""

    HEALTH = "salud"
    SCHOOL = "escuela"
    WORK = "trabajo"
    GOVERNMENT = "gobierno"
    OTHER = "otro"


@dataclass(frozen=True, slots=True)
class AppealFiled:
    folio: str


def file_appeal(
    *,
    name: str,
    category: str,
    listed_since: date | None,
    reason: Reason,
    language: str,
    ledger: Ledger,
    today: date | None,
) -> AppealFiled | NotRecorded:
    """Queue an appeal. `name` is the listed name, not the address that somebody visited, and nothing
    says who asked; `category` is empty for a name that the site itself blocks."""
    data = {
        "name": name,
        "category": category,
        "listed_since": "" if listed_since is None else listed_since.isoformat(),
        "reason": reason.value,
        "language": language,
    }
    opened = "" if today is None else today.isoformat()

    def stub(folio: str) -> tuple[Change, ...]:
        return (FolioStub(folio, "apelacion", FILED, opened),)

    recorded = ledger.record(
        FactDraft(FactType.FILTER_APPEALED, data), lambda numbered: stub(numbered.folio)
    )
    return recorded if isinstance(recorded, NotRecorded) else AppealFiled(recorded.folio)
