"""Filing a citizen's report: checked, sealed to the attention office, and committed before anyone says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import rfc8785

from municipio.facts import FactDraft, FactType
from municipio.reports import ReportDraft, ReportProblem, Service, check_report
from municipio.usecases.ports import (
    AttachmentRef,
    Catalogue,
    Change,
    FolioStub,
    Ledger,
    NotRecorded,
    Numbered,
    Sealer,
)

RECIPIENT = "siac"
FILED = "recibido"
"""State of the folio on the node until the city gives its own."""


@dataclass(frozen=True, slots=True)
class ReportFiled:
    """Safe on the card. `folio` is provisional: the city adds its own number when it receives it."""

    folio: str
    service: Service
    colonia: str
    has_photo: bool = False


def no_photo() -> AttachmentRef | None:
    return None


def file_report(
    draft: ReportDraft,
    *,
    ledger: Ledger,
    catalogue: Catalogue,
    sealer: Sealer,
    channel: str,
    language: str,
    today: date | None,
    photo: Callable[[], AttachmentRef | None] = no_photo,
) -> ReportFiled | ReportProblem | NotRecorded:
    """Check and queue a report. `channel` is `kiosco` or `portal`, `language` the one it was written
    in, `today` the civil date if known. `photo` puts the sealed photo on the card, if there is one; it
    is called once the report itself is known to be right, and None never stops the report.

    What a person typed freely (streets, description, phone) travels sealed for `siac` only; service
    and colonia stay readable, because routing needs them.
    """
    services = catalogue.services()
    checked = check_report(draft, services, catalogue.colonias())
    if isinstance(checked, ReportProblem):
        return checked
    service = next(s for s in services if s.code == checked.service_code)
    data = _data(checked, sealer, channel, language)
    attached = photo()
    if attached is not None:
        data["attachments"] = [attached.document()]
    recorded = ledger.record(
        FactDraft(FactType.REPORT_FILED, data), lambda numbered: _stub(numbered, service, today)
    )
    if isinstance(recorded, NotRecorded):
        return recorded
    colonia = checked.colonia if checked.colonia_listed else ""
    return ReportFiled(recorded.folio, service, colonia, attached is not None)


def add_photo(
    folio: str, photo: AttachmentRef, *, ledger: Ledger, channel: str
) -> NotRecorded | None:
    """Queue a photo for a report that was filed before; None means recorded."""
    data = {
        "folio": folio,
        "channel": channel,
        "recipient": RECIPIENT,
        "attachments": [photo.document()],
    }
    recorded = ledger.record(FactDraft(FactType.REPORT_PHOTO_ADDED, data))
    return recorded if isinstance(recorded, NotRecorded) else None


def _data(report: ReportDraft, sealer: Sealer, channel: str, language: str) -> dict[str, Any]:
    personal: dict[str, Any] = {
        "street": report.street,
        "between": [b for b in (report.between_1, report.between_2) if b],
        "description": report.description,
        "phone": report.phone,
    }
    data: dict[str, Any] = {
        "service_code": report.service_code,
        "channel": channel,
        "language": language,
        "recipient": RECIPIENT,
    }
    if report.colonia_listed:
        data["colonia"] = report.colonia
    else:
        # Free text may hold anything, a name too: it travels sealed.
        data["colonia"] = ""
        personal["colonia"] = report.colonia
    data["sealed"] = sealer.seal(RECIPIENT, rfc8785.dumps(personal))
    return data


def _stub(numbered: Numbered, service: Service, today: date | None) -> tuple[Change, ...]:
    opened = "" if today is None else today.isoformat()
    return (FolioStub(numbered.folio, "reporte", FILED, opened, {"service_code": service.code}),)
