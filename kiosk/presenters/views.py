"""The views of all screens: everything a screen shows, ready to be drawn, already in the person's language.

Amounts are texts (`$ 7,236.09`), dates are texts. Every control has an `Action` (or a row with an `id`)
and is pressed with `presenter.activate(id)`. Typing goes through `activate("key.x")` too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kiosk.presenters.base import Action, Notice, Tone, View
from kiosk.presenters.view_parts import Key, Row
from kiosk.presenters.views_cash import CashEnd, CashPhase, PagoEfectivoView
from kiosk.presenters.views_predial import (
    AdeudoView,
    BeneficioView,
    BenefitPhase,
    CardPhase,
    DebtRow,
    DebtState,
    PagoResultadoView,
    PagoTarjetaView,
    PasePhase,
    PaseView,
    PayOutcome,
    PredialClaveView,
)

__all__ = [
    "AdeudoView",
    "AvisoView",
    "AyudaView",
    "BeneficioView",
    "BenefitPhase",
    "CardPhase",
    "CashEnd",
    "CashPhase",
    "DebtRow",
    "DebtState",
    "EmergenciasView",
    "FieldRow",
    "FolioPhase",
    "FolioView",
    "HeaderView",
    "HomeView",
    "IdleView",
    "ImprimiendoView",
    "Key",
    "LinkLook",
    "MasServiciosView",
    "PagoEfectivoView",
    "PagoResultadoView",
    "PagoTarjetaView",
    "PasePhase",
    "PaseView",
    "PayOutcome",
    "PhoneRow",
    "PredialClaveView",
    "PrintPhase",
    "ReportStep",
    "ReporteView",
    "RequirementRow",
    "Row",
    "TramiteRow",
    "TramiteView",
    "TramitesView",
]


# --- frame ------------------------------------------------------------------------------------


class LinkLook(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class HeaderView:
    """Top of every screen. `link_text` is one sentence that also says what still works."""

    city: str
    site: str
    link: LinkLook
    link_text: str
    link_icon: str
    link_tone: Tone
    speech: str


@dataclass(frozen=True, slots=True)
class IdleView:
    """Overlay "¿Sigue aquí?". `stay` is the only control besides doing nothing (and `finish`)."""

    visible: bool
    title: str
    text: str
    seconds_left: int
    stay: Action
    finish: Action
    speech: str


# --- screens ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView(View):
    """`choices`: home.tramites home.predial home.reporte home.mas (exactly four, in this order).

    `offer` (home.receipt) is set when a payment waits for its receipt, with `offer_notice` beside it; a
    notice alone tells how far a USB stick is. `wifi` is a heading and a sentence for passers-by, where a
    tall screen has room for them; empty while the network may be off.
    """

    choices: tuple[Action, ...]
    offer_notice: Notice | None = None
    offer: Action | None = None
    wifi: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class TramiteRow:
    """One result: `activate(id)` opens it (id `tramites.open.<homoclave>`)."""

    id: str
    name: str
    dependency: str
    cost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TramitesView(View):
    """Search as you type. `keyboard_open` shows `keyboard`; tramites.search opens it.

    `categories` have ids `tramites.category.<id>`; `heading` names what `results` are.
    """

    query: str
    query_hint: str
    keyboard_open: bool
    keyboard: tuple[tuple[Key, ...], ...]
    categories: tuple[Action, ...]
    heading: str
    results: tuple[TramiteRow, ...]
    empty_text: str
    clear: Action | None = None


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """One thing to bring; `detail` says originals and copies; `held` things need not be brought."""

    name: str
    detail: str
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TramiteView(View):
    """The card. `facts` are cost, time, validity, place, hours, phone. `print_action`: tramite.print."""

    name: str
    dependency: str
    description: str
    requirements_heading: str
    requirements: tuple[RequirementRow, ...]
    facts: tuple[Row, ...]
    obtains: tuple[str, ...]
    legal_basis: tuple[str, ...]
    qr: str
    qr_caption: str
    print_action: Action
    notice: Notice | None = None


class ReportStep(StrEnum):
    SERVICE = "service"
    COLONIA = "colonia"
    STREETS = "streets"
    DESCRIPTION = "description"
    PHONE = "phone"
    REVIEW = "review"
    SENDING = "sending"


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A text field: `activate(id)` gives it the keyboard; `active` has the caret."""

    id: str
    label: str
    value: str
    hint: str
    active: bool
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporteView(View):
    """One question per step. `options`: reporte.service.<code> or reporte.colonia.<n>.

    `fields` with `keyboard` (a keypad for the phone), `consent` (reporte.consent, role check), `privacy`
    (simplified notice), `review` rows, `problem` under the field; `actions`: reporte.next, reporte.send.
    `answered` are the rows of the steps before this one, where a tall screen has room for them.
    """

    stage: ReportStep
    question: str
    options: tuple[Action, ...]
    fields: tuple[FieldRow, ...]
    keyboard: tuple[tuple[Key, ...], ...]
    consent: Action | None
    privacy: str
    review: tuple[Row, ...]
    problem: str
    actions: tuple[Action, ...]
    answered: tuple[Row, ...] = ()


class FolioPhase(StrEnum):
    ENTRY = "entry"
    LOOKING = "looking"
    FOUND = "found"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class FolioView(View):
    """`actions`: folio.look / folio.copy / folio.again / folio.done."""

    phase: FolioPhase
    text: str
    hint: str
    problem: str
    keyboard: tuple[tuple[Key, ...], ...]
    headline: str
    rows: tuple[Row, ...]
    notice: Notice | None
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AyudaView(View):
    """`paragraphs` of help, phone, and what the kiosk can do."""

    paragraphs: tuple[str, ...]
    phone_label: str
    phone: str
    site: str
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class PhoneRow:
    name: str
    number: str
    speech: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergenciasView(View):
    main_name: str
    main_number: str
    note: str
    phones: tuple[PhoneRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MasServiciosView(View):
    """A menu (`choices`: mas.wifi mas.privacidad mas.folio mas.emergencias) or, if `reading`, a page."""

    choices: tuple[Action, ...]
    reading: bool
    paragraphs: tuple[str, ...]


class PrintPhase(StrEnum):
    PRINTING = "printing"
    PRINTED = "printed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_SAVED = "not_saved"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImprimiendoView(View):
    """`headline` says what was done (stays), `status` how the paper goes. `qr` is empty or its content.

    `details` repeat on screen what the paper says when it did not come out.
    `actions`: print.retry print.copy print.whole_yes print.whole_no print.done.
    """

    phase: PrintPhase
    headline: str
    status: str
    question: str
    folio_label: str
    folio: str
    qr: str
    qr_caption: str
    details: tuple[Row, ...]
    icon: str
    tone: Tone
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AvisoView(View):
    """Trouble in plain words: what happened, what is safe, whom to call. `actions`: aviso.done."""

    headline: str
    text: str
    phone_label: str
    phone: str
    icon: str
    tone: Tone
    actions: tuple[Action, ...]
