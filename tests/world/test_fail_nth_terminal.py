"""Something goes wrong with the N-th transfer, for N = 1, 2, 3... until a whole payment survives.

Over the real ledger on a disk and the real money machine, with both terminals: after each fault the
journal and the bank agree, a charge in doubt stays in doubt while nobody answers, and nobody pays
twice.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.terminal.in_numbers import (
    POINT_FAULTS,
    SERIAL_FAULTS,
    PointInNumbers,
    ProgramDied,
    SerialInNumbers,
    VirtualTerminal,
)
from kiosk.simulated_city import debt
from kiosk.simulators import MemoryClock
from kiosk.usecases.pay_by_card import AlreadyStarted, PayByCard, Settled, Started
from municipio.devices import ChargeState
from municipio.payments import Payment, PaymentState
from sync.ledger import SqliteLedger, open_ledger

OWED = debt()
CONCEPTS = (("Predial", OWED.total_centavos),)
DEAD_WIRE = {SerialInNumbers: "unplug", PointInNumbers: "never_left"}
SETTLED_WITHOUT_MONEY = {PaymentState.DECLINED, PaymentState.CANCELLED}
CASES = [("serial", f) for f in SERIAL_FAULTS] + [("mercadopago", f) for f in POINT_FAULTS]


class Node:
    """One kiosk with its card in a folder; the terminal and its bank outlive it."""

    def __init__(self, folder: Path, adapter: str) -> None:
        self.folder = folder
        folder.mkdir()
        self.terminal: VirtualTerminal = (
            SerialInNumbers(think_s=0.3)
            if adapter == "serial"
            else PointInNumbers(folder / "orders.jsonl", think_s=4.0)
        )
        self.ledger = self.opened()
        self.pay = self.program()

    def opened(self) -> SqliteLedger:
        ledger = open_ledger(self.folder / "ledger.sqlite", MemoryClock(), "COA007", "30039")
        assert isinstance(ledger, SqliteLedger)
        return ledger

    def program(self) -> PayByCard:
        clock = MemoryClock()
        return PayByCard(
            ledger=self.ledger,
            terminal=self.terminal,
            now=clock.now,
            today=clock.today,
            new_key=lambda: "the-key",
        )

    def restart(self) -> None:
        self.ledger.close()
        self.terminal.reborn()
        self.ledger = self.opened()
        self.pay = self.program()

    def close(self) -> None:
        self.ledger.close()
        self.terminal.close()

    def run(self, seconds: float) -> None:
        end = self.terminal.now + seconds
        while self.terminal.now < end:
            self.terminal.step()

    def payment(self) -> Payment:
        found = self.ledger.payment("the-key")
        assert found is not None
        return found

    def one_payment(self) -> None:
        """What a screen does from the button to the end of its patience."""
        started = self.pay.start(OWED, CONCEPTS)
        assert isinstance(started, Started)
        for _ in range(20):
            self.run(0.5)
            if isinstance(self.pay.poll("the-key"), Settled):
                return
        self.pay.give_up("the-key")
        self.pay.release("the-key")

    def check(self) -> None:
        """Never said paid when the bank did not take it; never said unpaid when it did."""
        state, bank = self.payment().state, self.terminal.approved()
        if state is PaymentState.TAKEN:
            assert bank == {"the-key": OWED.total_centavos}
        if state in SETTLED_WITHOUT_MONEY:
            assert bank == {}


def fail_at(node: Node, nth: int, fault: str) -> bool:
    """A payment whose N-th transfer after the button fails, the answer in doubt, the mended end.

    False when the payment was over before its N-th transfer.
    """
    node.run(1.0)
    first = node.terminal.transfers
    node.terminal.fault = lambda n: fault if n - first == nth else ""
    try:
        node.one_payment()
        node.check()
        node.pay.recover()
    except ProgramDied:
        node.restart()
    came = node.terminal.transfers - first >= nth
    doubtful = node.payment().state
    node.terminal.fault = lambda _: DEAD_WIRE[type(node.terminal)]
    node.pay.recover()
    node.check()
    if doubtful is PaymentState.UNKNOWN and node.terminal.approved():
        assert node.payment().state is PaymentState.UNKNOWN
        assert isinstance(node.pay.start(OWED, CONCEPTS), AlreadyStarted)
    node.terminal.fault = lambda _: ""
    for _ in range(3):
        node.run(40)
        node.pay.recover()
    node.check()
    assert node.payment().state in SETTLED_WITHOUT_MONEY | {PaymentState.TAKEN}
    return came


@pytest.mark.parametrize(("adapter", "fault"), CASES)
def test_whatever_transfer_fails_the_journal_and_the_bank_agree(
    adapter: str, fault: str, tmp_path: Path
) -> None:
    ended: set[PaymentState] = set()
    nth, came = 0, True
    while came:
        nth += 1
        node = Node(tmp_path / str(nth), adapter)
        came = fail_at(node, nth, fault)
        ended.add(node.payment().state)
        node.close()

    assert nth > 3
    assert PaymentState.TAKEN in ended
    assert ended <= {PaymentState.TAKEN, PaymentState.CANCELLED}


@pytest.mark.parametrize("adapter", ["serial", "mercadopago"])
def test_unknown_stays_unknown_through_deaths_until_the_terminal_speaks(
    adapter: str, tmp_path: Path
) -> None:
    node = Node(tmp_path / "node", adapter)
    node.terminal.hold()
    node.run(1.0)
    node.pay.start(OWED, CONCEPTS)
    node.run(2.0)
    node.terminal.fault = lambda _: DEAD_WIRE[type(node.terminal)]
    node.pay.give_up("the-key")
    node.terminal.decide("approve")
    states = []
    for _ in range(4):
        node.restart()
        node.pay.recover()
        states.append(node.payment().state)
    asked = node.terminal.charge("the-key").state
    node.terminal.fault = lambda _: ""
    node.run(60)
    node.pay.recover()
    node.close()

    assert states == [PaymentState.UNKNOWN] * 4
    assert asked is ChargeState.UNKNOWN
    assert node.terminal.approved() == {"the-key": OWED.total_centavos}
