"""The views of the predial: clave, benefit, debt, card payment and pase de caja."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kiosk.presenters.base import Action, Notice, Tone, View
from kiosk.presenters.view_parts import Key, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class PredialClaveView(View):
    """`formatted` is what was typed in the mask's groups, `placeholder` the rest of the mask in zeros.

    `keys` are four rows of three: predial.key.1..9, predial.key.erase, predial.key.0, predial.key.clear.
    `continue_action`: predial.continue.
    """

    formatted: str
    placeholder: str
    hint: str
    counter: str
    problem: str
    keys: tuple[tuple[Key, ...], ...]
    continue_action: Action
    where_to_find: str


class BenefitPhase(StrEnum):
    ASK = "ask"
    WHAT_TO_BRING = "what_to_bring"


@dataclass(frozen=True, slots=True, kw_only=True)
class BeneficioView(View):
    """ASK: `groups` are the words of the question, `actions` beneficio.yes / beneficio.no.

    WHAT_TO_BRING: `bring` lists papers, `warning`; `actions` are beneficio.print, beneficio.pay_anyway
    and beneficio.end.
    """

    phase: BenefitPhase
    question: str
    groups: tuple[Action, ...]
    bring: tuple[str, ...]
    warning: Notice | None
    actions: tuple[Action, ...]


class DebtState(StrEnum):
    LOADING = "loading"
    DUE = "due"
    UP_TO_DATE = "up_to_date"
    ALREADY_PAID = "already_paid"
    IN_VERIFICATION = "in_verification"
    EXPIRED = "expired"
    BAD_SIGNATURE = "bad_signature"
    TIME_UNSURE = "time_unsure"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class DebtRow:
    """One fiscal year. `lines` are its concepts with amounts, for the opened row and for audio."""

    year: str
    concepts: str
    amount: str
    lines: tuple[Row, ...]
    speech: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdeudoView(View):
    """DUE and TIME_UNSURE show `rows` and `total`; the other states show `headline` and `message`.

    `ways`: pay.card, pay.cash, pay.pase (enabled or not, `detail` says why not); TIME_UNSURE has pay.ficha.
    `actions` are what the message states offer (adeudo.print_ficha, adeudo.folio, adeudo.other...).
    """

    state: DebtState
    clave: str
    owner: str
    rows: tuple[DebtRow, ...]
    total_label: str
    total: str
    validity: str
    ways_heading: str
    ways: tuple[Action, ...]
    notices: tuple[Notice, ...]
    headline: str
    message: str
    folio: str
    actions: tuple[Action, ...]
    refreshing: bool


class CardPhase(StrEnum):
    ASKING_CITY = "asking_city"
    CONFIRM = "confirm"
    STARTING = "starting"
    AT_TERMINAL = "at_terminal"
    CANCELLING = "cancelling"


@dataclass(frozen=True, slots=True, kw_only=True)
class PagoTarjetaView(View):
    """`amount` is empty until the city answered. `actions`: card.charge / card.no / card.cancel."""

    phase: CardPhase
    amount: str
    headline: str
    text: str
    notices: tuple[Notice, ...]
    actions: tuple[Action, ...]
    seconds_left: int = 0


class PayOutcome(StrEnum):
    DECLINED = "declined"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    ALREADY_PAID = "already_paid"
    IN_VERIFICATION = "in_verification"
    NO_ANSWER = "no_answer"
    NOT_PAYABLE = "not_payable"
    TERMINAL_NOT_READY = "terminal_not_ready"
    NOT_SAVED = "not_saved"
    TAKEN_NOT_SAVED = "taken_not_saved"
    SAVING_ENERGY = "saving_energy"


@dataclass(frozen=True, slots=True, kw_only=True)
class PagoResultadoView(View):
    """Every end of a card payment but success (that is `imprimiendo`). `emphasis` is drawn bold.

    `actions`: result.print_notice, result.pase, result.retry, result.done.
    """

    outcome: PayOutcome
    headline: str
    text: str
    emphasis: str
    folio: str
    promise: str
    icon: str
    tone: Tone
    actions: tuple[Action, ...]


class PasePhase(StrEnum):
    READY = "ready"
    ISSUING = "issuing"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaseView(View):
    """`actions`: pase.print (issues and prints), pase.no. REFUSED has `message` and pase.done."""

    phase: PasePhase
    amount: str
    due: str
    where: tuple[Row, ...]
    message: str
    notices: tuple[Notice, ...]
    actions: tuple[Action, ...]
