"""Every transfer on the cash bus fails once, in every way: no peso is lost, doubled, or credited unstacked.

The script is one payment with a coin, a note and change. Fault kind K strikes at the N-th transfer on the
wire, for N = 1, 2, 3... until the script ends before it strikes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from kiosk.simulated_cash import NOTES, CashCorner
from kiosk.simulators import PowerCut
from kiosk.usecases.cash_progress import CashSettled, CashStarted, Inserting
from municipio.payments import Payment, PaymentState

DUE, COIN, NOTE = 5300, 500, 5000
S = PaymentState


@dataclass
class Wire:
    """Counts transfers, and strikes at the chosen one."""

    corner: CashCorner
    strike_at: int
    strike: Callable[[Wire, bytes, bool], bytes]
    count: int = 0

    def __call__(self, data: bytes, to_device: bool) -> bytes:
        self.count += 1
        return self.strike(self, data, to_device) if self.count == self.strike_at else data

    @property
    def has_struck(self) -> bool:
        return self.count >= self.strike_at


def short_read(wire: Wire, data: bytes, to_device: bool) -> bytes:
    return data[: len(data) // 2]


def dropped_byte(wire: Wire, data: bytes, to_device: bool) -> bytes:
    where = wire.strike_at % len(data)
    return data[:where] + data[where + 1 :]


def flipped_byte(wire: Wire, data: bytes, to_device: bool) -> bytes:
    where = wire.strike_at % len(data)
    return data[:where] + bytes((data[where] ^ 0x41,)) + data[where + 1 :]


def stall(wire: Wire, data: bytes, to_device: bool) -> bytes:
    """Six seconds without a byte in either direction."""
    line = wire.corner.line
    until = line.now + 6.0
    line.fault = lambda data, to_device: b"" if line.now < until else data
    return b""


def unplug(wire: Wire, data: bytes, to_device: bool) -> bytes:
    """The cable out for a second."""
    line = wire.corner.line
    until = line.now + 1.0
    line.fault = lambda data, to_device: b"" if line.now < until else data
    return b""


def killed(wire: Wire, data: bytes, to_device: bool) -> bytes:
    raise PowerCut


def power_cut(wire: Wire, data: bytes, to_device: bool) -> bytes:
    wire.corner.bus.pull_plug()
    raise PowerCut


def coins_lose_power(wire: Wire, data: bytes, to_device: bool) -> bytes:
    wire.corner.bus.coins.pull_plug()
    return data


def notes_lose_power(wire: Wire, data: bytes, to_device: bool) -> bytes:
    wire.corner.bus.notes.pull_plug()
    return data


def hopper_loses_power(wire: Wire, data: bytes, to_device: bool) -> bytes:
    wire.corner.bus.hopper.pull_plug()
    return data


KINDS = (
    short_read,
    dropped_byte,
    flipped_byte,
    stall,
    unplug,
    killed,
    power_cut,
    coins_lose_power,
    notes_lose_power,
    hopper_loses_power,
)


def pays(corner: CashCorner) -> None:
    """A coin first, then a note; after a minute the person leaves."""
    started = corner.pay.start(corner.owed(DUE), (), fresh=True)
    if not isinstance(started, CashStarted):
        return
    key = started.payment.key
    left = [COIN, NOTE]
    for turn in range(200):
        progress = corner.poll(key, 0.3)
        if isinstance(progress, CashSettled):
            return
        if isinstance(progress, Inserting) and left and not progress.stacking_centavos:
            offered = progress.coins | progress.notes
            if left[0] in offered and corner.insert(left[0]):
                left.pop(0)
        if turn == 60:
            corner.pay.finish(key, refund=False)
        if turn == 25:
            corner.bus.restore(corner.line.now)
    corner.pay.release(key)


def mend(corner: CashCorner) -> None:
    """Power and cable are back; the kiosk settles what is left."""
    corner.line.fault = None
    corner.bus.restore(corner.line.now)
    corner.ready()
    corner.idle(1.0)


def judge(corner: CashCorner, where: str) -> None:
    assert corner.books_agree() == "", where
    payments: list[Payment] = list(corner.ledger.payments.values())
    assert len(payments) <= 1, where
    for payment in payments:
        unread = payment.unread_pieces * max(NOTES) + payment.doubt_centavos
        went_in = corner.bus.inside_centavos
        assert 0 <= went_in - payment.collected_centavos <= unread, where
        came_out = corner.bus.hopper.paid * 100
        if not corner.box.change_doubt_centavos:
            assert came_out == payment.change_centavos, where
        assert came_out <= max(0, went_in - DUE), where
        assert payment.state in (S.TAKEN, S.CANCELLED, S.REFUND_OWED, S.UNKNOWN), where
        if payment.state is not S.UNKNOWN:
            debt = DUE if payment.state is S.TAKEN else 0
            kept = payment.collected_centavos - payment.change_centavos
            assert payment.owed_centavos == kept - debt, where
        taken = sum(f.type.value == "payment.taken" for f in corner.ledger.facts)
        assert taken <= (payment.state is S.TAKEN), where


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
@pytest.mark.parametrize("power_up", ["return", "stack_unnamed"])
def test_every_transfer_may_fail(kind: Callable[[Wire, bytes, bool], bytes], power_up: str) -> None:
    nth = 1
    while True:
        corner = CashCorner()
        corner.bus.notes.power_up = "return" if power_up == "return" else "stack_unnamed"
        corner.ready()
        wire = Wire(corner, nth, kind)
        corner.line.fault = wire
        try:
            pays(corner)
        except PowerCut:
            corner.line.fault = None
            corner.line.run(0.5)
            corner.kill()
        struck = wire.has_struck
        mend(corner)
        judge(corner, f"{kind.__name__} at transfer {nth}")
        if not struck:
            break
        nth += 1
    assert nth > 100, "the script is long enough to mean something"
    [payment] = corner.ledger.payments.values()
    assert (payment.state, payment.change_centavos) == (S.TAKEN, 200)
