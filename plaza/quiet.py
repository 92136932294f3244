"""Is anybody being served? Nothing restarts a program or the machine while a payment is under way.

Two signs, and either is enough to wait: a payment in the ledger that money may still reach, and a kiosk
that is not on its first screen or was touched a moment ago. A kiosk that gives no sign shows nobody a screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from municipio.payments import Payment, PaymentState
from sync.kiosk_pulse import KioskPulse

QUIET_S = 60
_UNDER_WAY = (PaymentState.INTENDED, PaymentState.COLLECTING)


class Busy(StrEnum):
    PAYMENT = "payment"
    PERSON = "person"


def busy_with(payments: Iterable[Payment], pulse: KioskPulse | None) -> Busy | None:
    """What goes on, or None. `payments` are the ledger's open ones, `pulse` the kiosk's fresh sign.

    An unknown charge may stay open for days and waits for the bank, not for this machine.
    """
    if any(payment.state in _UNDER_WAY for payment in payments):
        return Busy.PAYMENT
    if pulse is not None and not (pulse.at_home and pulse.quiet_s >= QUIET_S):
        return Busy.PERSON
    return None
