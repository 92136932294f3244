"""Thousands of card payments with faults on the wire, dying programs and people who walk away.

After each world is over and the wires are whole again, the journal and the bank agree to the peso:
what the bank took is recorded, once, and nothing is recorded that the bank did not take. The normal
run plays 2,400 payments; `PLAZA_PAYMENTS=10000` plays more. Everything follows from the seed:

    python tests/world/test_card_payments_world.py serial 17       # tells world 17 step by step
    python tests/world/test_card_payments_world.py mercadopago 17
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hardware.terminal.in_numbers import (
    Decision,
    PointInNumbers,
    ProgramDied,
    SerialInNumbers,
    VirtualTerminal,
)
from kiosk.simulated_city import debt
from kiosk.simulators import Fuse, MemoryClock, MemoryLedger, PowerCut
from kiosk.usecases.pay_by_card import PayByCard, Settled, Started
from municipio.payments import LATE_LOOKS_S, PaymentState
from municipio.predial import Liquidacion

PAYMENTS_PER_WORLD = 40
PAYMENTS = int(os.environ.get("PLAZA_PAYMENTS", "2400"))
ADAPTERS = ("serial", "mercadopago")
DECISIONS: tuple[Decision, ...] = ("approve", "decline", "cancel", "expire", "doubt")
WAIT_S = 12.0
DEAD = (ProgramDied, PowerCut)


class World:
    """One kiosk's life: a ledger on its card, a terminal, a bank, and a row of people."""

    def __init__(self, adapter: str, seed: int, folder: Path, tell: Callable[[str], None]) -> None:
        self.random = random.Random(f"{adapter} {seed}")
        self.tell = tell
        self.ledger = MemoryLedger(MemoryClock(), Fuse())
        self.terminal: VirtualTerminal = (
            SerialInNumbers()
            if adapter == "serial"
            else PointInNumbers(folder / f"orders-{seed}.jsonl")
        )
        self.terminal.hold()
        self.keys = 0
        self.seen: Counter[str] = Counter()
        self.owed: dict[str, Liquidacion] = {}
        self.pay = self.program()

    def program(self) -> PayByCard:
        return PayByCard(
            ledger=self.ledger,
            terminal=self.terminal,
            now=self.ledger.clock.now,
            today=self.ledger.clock.today,
            new_key=self.new_key,
        )

    def new_key(self) -> str:
        self.keys += 1
        return f"key-{self.keys:05d}"

    def live(self, payments: int) -> None:
        self.terminal.fault = self.chance
        number = 0
        while self.seen["started"] < payments:
            number += 1
            try:
                self.person(number)
            except DEAD:
                self.die()
        self.mend()
        self.judge()
        self.terminal.close()

    def chance(self, transfer: int) -> str:
        if self.random.random() > 0.03:
            return ""
        fault = self.random.choice(self.terminal.faults)
        self.tell(f"  transfer {transfer}: {fault}")
        self.seen[fault] += 1
        return fault

    def person(self, number: int) -> None:
        """Somebody pays: a new debt, or one that an earlier person could not pay."""
        owed = self.a_debt(number)
        self.run_until_ready()
        if self.random.random() < 0.1:
            self.ledger.fuse.at = self.ledger.fuse.calls + self.random.randint(1, 6)
            self.ledger.fuse.after = self.random.random() < 0.5
        started = self.pay.start(owed, (("Predial", owed.total_centavos),))
        self.tell(f"{number}: {owed.id} {type(started).__name__}")
        if not isinstance(started, Started):
            self.pay.recover()
            return
        self.seen["started"] += 1
        self.watch(started.payment.key)

    def a_debt(self, number: int) -> Liquidacion:
        if self.owed and self.random.random() < 0.3:
            return self.random.choice(list(self.owed.values()))
        base = debt(f"{number:022d}", id=f"L-{number}")
        centavos = self.random.randint(1, 3_000_000)
        row = replace(base.rows[0], tax_centavos=centavos, subtotal_centavos=centavos)
        self.owed[base.id] = replace(base, rows=(row,), total_centavos=centavos)
        return self.owed[base.id]

    def watch(self, key: str) -> None:
        """What the screen does: look often, stop when the person asks, give up at the end."""
        decision = self.random.choice((*DECISIONS, "approve", "approve", "nothing"))
        decides_at = self.terminal.now + self.random.uniform(0.2, WAIT_S * 1.2)
        stops_at = self.terminal.now + self.random.choice((4.0, WAIT_S * 2, WAIT_S * 2))
        end = self.terminal.now + WAIT_S
        self.seen[str(decision)] += 1
        while self.terminal.now < end:
            self.run(0.5)
            if decision != "nothing" and self.terminal.now >= decides_at:
                self.decide(decision)
                decides_at = float("inf")
            if self.terminal.now >= stops_at:
                self.pay.cancel(key)
            if isinstance(self.pay.poll(key), Settled):
                break
        else:
            self.pay.give_up(key)
        self.pay.release(key)
        self.pay.recover()
        self.bank_changes_its_mind()

    def bank_changes_its_mind(self) -> None:
        """Some charges that were already called cancelled or expired are approved after all."""
        key = self.random.choice(list(self.ledger.payments))
        if self.random.random() < 0.3 and self.terminal.approve_late(key):
            self.tell("  approved after its end")
            self.seen["approved after its end"] += 1

    def decide(self, decision: str) -> None:
        word = next(d for d in DECISIONS if d == decision)
        self.tell(f"  the person: {word}")
        self.terminal.decide(word)
        if word == "doubt" and self.random.random() < 0.5:
            self.run(1.0)
            self.tell("  late approval")
            self.terminal.decide("approve")

    def run_until_ready(self) -> None:
        end = self.terminal.now + self.random.choice((1.5, 1.5, 60.0))
        while self.terminal.now < end and not self.pay.terminal_is_ready():
            self.run(0.5)
            self.pay.recover()

    def run(self, seconds: float) -> None:
        end = self.terminal.now + seconds
        while self.terminal.now < end:
            self.terminal.step()

    def die(self) -> None:
        """The program is gone; the next one looks after what it left, and may die of it too."""
        self.tell("  the program died")
        self.seen["deaths"] += 1
        self.ledger.fuse.at = 0
        self.terminal.reborn()
        self.pay = self.program()
        try:
            self.run(self.random.uniform(0.0, 3.0))
            self.pay.recover()
        except DEAD:
            self.die()

    def mend(self) -> None:
        """No more faults; everything is asked until there is nothing left to ask."""
        self.tell("mended")
        self.terminal.fault = lambda _: ""
        self.ledger.fuse.at = 0
        for _ in range(12):
            self.run(40)
            self.terminal.decide(self.random.choice(("approve", "decline")))
            self.pay.recover()
        while any(p.looks_left for p in self.ledger.payments.values()):
            self.ledger.clock.boot_ms += LATE_LOOKS_S[-1] * 1000
            self.pay.recover()

    def judge(self) -> None:
        payments = self.ledger.payments.values()
        states = Counter(p.state for p in payments)
        self.seen.update(s.value for s in states.elements())
        held = {PaymentState.TAKEN, PaymentState.REFUND_OWED}
        taken = {p.key: p.amount_centavos for p in payments if p.state in held}
        bank = self.terminal.approved()
        assert set(states) <= {
            PaymentState.TAKEN,
            PaymentState.DECLINED,
            PaymentState.CANCELLED,
            PaymentState.REFUND_OWED,
        }, f"left open: {states}"
        assert taken == bank, f"{set(taken.items()) ^ set(bank.items())}"
        owed_back = PaymentState.REFUND_OWED
        debts = Counter(
            p.liquidacion_id for p in payments if p.key in bank and p.state is not owed_back
        )
        assert set(debts.values()) <= {1}, f"paid twice: {debts.most_common(3)}"
        assert self.by_facts() == sum(bank.values())

    def by_facts(self) -> int:
        return sum(
            f.data["amount_centavos"]
            for f in self.ledger.facts
            if f.type.value == "payment.taken" or f.data.get("outcome") == "taken"
        )


@pytest.fixture
def fast_folder() -> Iterator[Path]:
    """In memory where there is such a place: thousands of fsyncs are not what is proven here."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_over_thousands_of_payments_the_journal_and_the_bank_agree(
    adapter: str, fast_folder: Path
) -> None:
    worlds = -(-PAYMENTS // PAYMENTS_PER_WORLD // len(ADAPTERS))
    seen: Counter[str] = Counter()
    for seed in range(worlds):
        world = World(adapter, seed, fast_folder, lambda _: None)
        try:
            world.live(PAYMENTS_PER_WORLD)
        except AssertionError as problem:
            raise AssertionError(f"{adapter}, seed {seed}: {problem}") from None
        seen += world.seen

    wanted = {"taken", "declined", "cancelled", "refund_owed", "deaths", "approved after its end"}
    assert wanted <= set(seen), f"a dull world: {seen}"
    assert set(world.terminal.faults) <= set(seen), f"faults that never came: {seen}"


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_seed_tells_the_same_story_twice(adapter: str, fast_folder: Path) -> None:
    stories: list[list[str]] = []
    for life in ("one", "two"):
        stories.append([])
        (fast_folder / life).mkdir()
        World(adapter, 5, fast_folder / life, stories[-1].append).live(15)

    assert stories[0] == stories[1]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        World(sys.argv[1], int(sys.argv[2]), Path(place), print).live(PAYMENTS_PER_WORLD)
