"""The report while it is being typed: texts by field, and which step asks for which field."""

from __future__ import annotations

from kiosk.presenters.views import ReportStep
from kiosk.presenters.wording import TextEntry
from municipio.reports import COLONIA_MAX, DESCRIPTION_MAX, STREET_MAX, ReportDraft

ORDER = (
    ReportStep.SERVICE,
    ReportStep.COLONIA,
    ReportStep.STREETS,
    ReportStep.DESCRIPTION,
    ReportStep.PHONE,
    ReportStep.REVIEW,
)
STEP_OF_FIELD = {
    "service_code": ReportStep.SERVICE,
    "colonia": ReportStep.COLONIA,
    "street": ReportStep.STREETS,
    "between_1": ReportStep.STREETS,
    "between_2": ReportStep.STREETS,
    "description": ReportStep.DESCRIPTION,
    "phone": ReportStep.PHONE,
    "phone_consent": ReportStep.PHONE,
}
FIELD_STEPS = {
    "colonia": COLONIA_MAX,
    "street": STREET_MAX,
    "between_1": STREET_MAX,
    "between_2": STREET_MAX,
    "description": DESCRIPTION_MAX,
    "phone": 15,
}
"""Typed fields with their greatest length in characters."""


class Draft:
    """Mutable, and thrown away whole when the person leaves."""

    def __init__(self) -> None:
        self.service_code = ""
        self.consent = False
        self.active = ""
        self._entries = {
            name: TextEntry(limit, sentence=True) for name, limit in FIELD_STEPS.items()
        }

    def entry(self, name: str) -> TextEntry:
        return self._entries[name]

    @property
    def active_entry(self) -> TextEntry:
        return self._entries[self.active]

    def report(self) -> ReportDraft:
        text = {name: entry.text for name, entry in self._entries.items()}
        return ReportDraft(
            service_code=self.service_code,
            colonia=text["colonia"],
            street=text["street"],
            between_1=text["between_1"],
            between_2=text["between_2"],
            description=text["description"],
            phone=text["phone"],
            phone_consent=self.consent,
        )
