"""What this kiosk may say and do about one property's debt right now.

Reads the catalogue's signed liquidación, this node's own payments, and (in `refresh`) the city. Every
method may block: never call one on a screen's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from kiosk.usecases.cash_progress import CashBlock
from kiosk.usecases.pay_by_card import DOUBTFUL, PayByCard
from kiosk.usecases.pay_by_cash import PayByCash
from kiosk.usecases.printing import PrintDesk
from municipio.clock import Clock
from municipio.payments import Payment
from municipio.predial import (
    Account,
    BadSignature,
    Expired,
    Liquidacion,
    SignedLiquidacion,
    TimeUnsure,
    check_liquidacion,
)
from municipio.settings import Settings
from municipio.usecases.pase import possible_references
from municipio.usecases.ports import (
    AlreadyPaid,
    Catalogue,
    City,
    Link,
    LinkState,
    NoAnswer,
    UnknownAccount,
)

FRESH_FOR = timedelta(days=1)
"""An older snapshot may not know of a payment made elsewhere."""


class DebtState(StrEnum):
    DUE = "due"
    UP_TO_DATE = "up_to_date"
    ALREADY_PAID = "already_paid"
    IN_VERIFICATION = "in_verification"
    EXPIRED = "expired"
    BAD_SIGNATURE = "bad_signature"
    TIME_UNSURE = "time_unsure"
    NOT_FOUND = "not_found"


class CardBlock(StrEnum):
    """Why no card can be charged now; NONE when it can be tried."""

    NONE = "none"
    OFFLINE = "offline"
    TERMINAL = "terminal"
    DISABLED = "disabled"
    ENERGY = "energy"
    """The node keeps what energy is left: no payment is begun."""


@dataclass(frozen=True, slots=True)
class Debt:
    """`stale`: it may have been paid elsewhere since. `fresh`: the city said so just now."""

    clave: str
    state: DebtState
    account: Account | None = None
    signed: SignedLiquidacion | None = None
    liquidacion: Liquidacion | None = None
    payment: Payment | None = None
    paid_on: str = ""
    paid_folio: str = ""
    stale: bool = False
    fresh: bool = False
    card: CardBlock = CardBlock.NONE
    cash: CashBlock = CashBlock.DISABLED
    pase: bool = True
    printer_cause: str = ""


@dataclass(frozen=True, slots=True)
class DebtDesk:
    catalogue: Catalogue
    city: City
    link: Link
    pay: PayByCard
    cash: PayByCash
    printing: PrintDesk
    settings: Settings
    clock: Clock
    verify: Callable[[bytes, bytes], bool]

    def load(self, clave: str) -> Debt:
        """From this node alone; works with the cable cut."""
        return self._judge(clave, self.catalogue.liquidacion(clave), fresh=False)

    def link_is_up(self) -> bool:
        return self.link.report().state is LinkState.ONLINE

    def refresh(self, clave: str) -> Debt | NoAnswer:
        """From the city, now: what every charge must ask first."""
        answer = self.city.fresh_liquidacion(clave)
        match answer:
            case NoAnswer():
                return answer
            case UnknownAccount():
                return Debt(clave, DebtState.NOT_FOUND, fresh=True)
            case AlreadyPaid():
                return Debt(
                    clave,
                    DebtState.ALREADY_PAID,
                    account=self.catalogue.account(clave),
                    paid_on=answer.paid_on,
                    paid_folio=answer.folio,
                    fresh=True,
                )
            case SignedLiquidacion():
                return self._judge(clave, answer, fresh=True)

    def newest(self, clave: str) -> Debt:
        """From the city when it answers, else from this node: what cash may be taken for."""
        if self.link_is_up():
            answer = self.refresh(clave)
            # An answer that no key of the city signed is no answer.
            if isinstance(answer, Debt) and answer.state is not DebtState.BAD_SIGNATURE:
                return answer
        return self.load(clave)

    def today(self) -> date | None:
        """The civil date where the kiosk stands, if anything is known of it."""
        return self.clock.now().local_date(ZoneInfo(self.settings.text("city.timezone")))

    def _judge(self, clave: str, signed: SignedLiquidacion | None, *, fresh: bool) -> Debt:
        account = self.catalogue.account(clave)
        if account is None or signed is None:
            return Debt(clave, DebtState.NOT_FOUND, account=account, fresh=fresh)
        verdict = check_liquidacion(
            signed,
            verify=self.verify,
            today=self.today(),
            trusted_time=self.clock.now().is_trusted,
        )
        if isinstance(verdict, BadSignature) or verdict.liquidacion.clave != clave:
            return Debt(clave, DebtState.BAD_SIGNATURE, account=account, fresh=fresh)
        owed = verdict.liquidacion
        blocking = self.pay.blocking_payment(owed)
        state = _state(owed, blocking, type(verdict))
        return Debt(
            clave,
            state,
            account=account,
            signed=signed,
            liquidacion=owed,
            payment=blocking,
            paid_folio=blocking.folio if blocking else "",
            paid_on=blocking.taken_at if blocking else "",
            stale=not fresh and self._is_stale(),
            fresh=fresh,
            card=self._card_block(),
            cash=self._cash_block(owed, state, fresh=fresh),
            pase=state is DebtState.DUE and possible_references(self.settings, owed) is not None,
            printer_cause=self.printing.cause(),
        )

    def _is_stale(self) -> bool:
        """The snapshot has a day but no hour: from the next day on it may be older than 24 hours."""
        snapshot, today = self.catalogue.content_date(), self.today()
        return snapshot is None or today is None or today - snapshot >= FRESH_FOR

    def _cash_block(self, owed: Liquidacion, state: DebtState, *, fresh: bool) -> CashBlock:
        """While the link is up the city will be asked first, so that an old snapshot is no obstacle."""
        if state is not DebtState.DUE:
            return CashBlock.DISABLED
        return self.cash.block(owed, fresh=fresh or self.link_is_up())

    def _card_block(self) -> CardBlock:
        if not self.settings.flag("terminal.enabled"):
            return CardBlock.DISABLED
        if not self.pay.may_start():
            return CardBlock.ENERGY
        if not self.link_is_up():
            return CardBlock.OFFLINE
        return CardBlock.NONE if self.pay.terminal_is_ready() else CardBlock.TERMINAL


def _state(owed: Liquidacion, blocking: Payment | None, verdict: type[object]) -> DebtState:
    if blocking is not None:
        doubtful = blocking.state in DOUBTFUL
        return DebtState.IN_VERIFICATION if doubtful else DebtState.ALREADY_PAID
    if not owed.total_centavos:
        return DebtState.UP_TO_DATE
    return {Expired: DebtState.EXPIRED, TimeUnsure: DebtState.TIME_UNSURE}.get(
        verdict, DebtState.DUE
    )
