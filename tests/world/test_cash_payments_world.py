"""Thousands of cash payments with everything going wrong: what is inside and what the journal says agree.

Every byte of the ccTalk bus is really made and parsed, in virtual time. A run is decided by its seed.
`PLAZA_PAYMENTS` asks for more payments than the usual ones (10,000 take about a minute and a half).
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest

from kiosk.simulated_cash import COINS, NOTES, CashCorner
from kiosk.simulators import PowerCut
from kiosk.usecases.cash_progress import CashProgress, CashSettled, CashStarted, Inserting
from municipio.payments import Payment, PaymentState
from municipio.usecases.ports import NotRecordedCause

PAYMENTS = int(os.environ.get("PLAZA_PAYMENTS", "2000"))
RUN = 100
"""Payments of one seed: one street, one journal."""

S = PaymentState
POWER_UPS = ("return", "stack", "stack_unnamed", "swallow", "vanish", "jam")


@dataclass
class Street:
    """One seed: people pay one after another, and a technician passes between them."""

    seed: int
    corner: CashCorner = field(default_factory=CashCorner)
    ends: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.corner.ready()

    def one_payment(self) -> None:
        corner = self.corner
        before = (corner.bus.inside_centavos, corner.bus.hopper.paid, self._strays())
        started = corner.pay.start(self._debt(), (), fresh=True)
        if isinstance(started, CashStarted):
            try:
                self._stand_there(started.payment.key)
            except PowerCut:
                self._power_returns()
        self._repair()
        if isinstance(started, CashStarted):
            self._judge(started.payment.key, *before)
        else:
            self.ends["not_started"] += 1
        assert corner.books_agree() == "", f"seed {self.seed}"

    def _debt(self) -> object:
        amount = self.chance.choice([50, 500, 2350, 10000, 45650, 109500, 303250])
        return self.corner.owed(amount + 50 * self.chance.randrange(40))

    def _stand_there(self, key: str) -> None:
        """A person with coins and notes, until it is over or they leave."""
        corner, chance = self.corner, self.chance
        is_bad_day = chance.random() < 0.6
        corner.fuse.after = chance.random() < 0.5
        if is_bad_day and chance.random() < 0.3:
            corner.fuse.at = corner.fuse.calls + chance.randrange(1, 25)
        gives_up_at = chance.randrange(5, 90) if chance.random() < 0.3 else 400
        for turn in range(400):
            progress = corner.poll(key, 0.25)
            if isinstance(progress, CashSettled):
                return
            if turn == gives_up_at:
                corner.pay.finish(key, refund=chance.random() < 0.6)
            elif isinstance(progress, Inserting) and chance.random() < 0.5:
                self._insert(progress)
            if is_bad_day and chance.random() < 0.04:
                self._trouble()
            if turn > gives_up_at + 80:
                break
        corner.pay.release(key)

    def _insert(self, offered: Inserting) -> None:
        """Mostly what is asked for, large first; sometimes whatever is in the pocket."""
        good = sorted(offered.coins | offered.notes, reverse=True)[:3]
        pocket = sorted(COINS | NOTES)
        piece = self.chance.choice(good if good and self.chance.random() < 0.9 else pocket)
        self.corner.insert(piece)

    # --- what happens in a park -----------------------------------------------------------------

    def _trouble(self) -> None:
        happening = self.chance.choice(TROUBLES)
        self.troubles[happening] += 1
        getattr(self, f"_{happening}")()

    def _kill(self) -> None:
        raise PowerCut

    def _power_cut(self) -> None:
        self.corner.bus.pull_plug()
        raise PowerCut

    def _plug_of_the_bus(self) -> None:
        self.corner.bus.pull_plug()
        self.corner.wait(self.chance.choice([0.05, 1.0, 4.0]))
        self._restore()

    def _silence(self) -> None:
        self.corner.bus.is_silent = True
        self.corner.wait(self.chance.choice([0.3, 2.0, 6.0]))
        self.corner.bus.is_silent = False

    def _cable(self) -> None:
        self.corner.line.is_plugged = False
        self.corner.wait(self.chance.choice([0.3, 3.0]))
        self.corner.line.is_plugged = True

    def _noise(self) -> None:
        chance = self.chance

        def spoil(data: bytes, to_device: bool) -> bytes:
            if chance.random() > 0.3:
                return data
            where, how = chance.randrange(len(data)), chance.random()
            flipped = bytes((data[where] ^ 1 << chance.randrange(8),))
            return data[:where] + (flipped if how < 0.7 else b"") + data[where + 1 :]

        self.corner.line.fault = spoil
        self.corner.wait(1.0)
        self.corner.line.fault = None

    def _jam_of_coins(self) -> None:
        self.corner.bus.coins.jam()

    def _jam_of_a_note(self) -> None:
        self.corner.bus.notes.jam()

    def _string(self) -> None:
        self.corner.bus.coins.string(self.chance.choice([17, 20]))

    def _full_stacker(self) -> None:
        self.corner.bus.notes.fill()

    def _stacker_taken(self) -> None:
        self.corner.bus.notes.take_stacker()

    def _hopper_jams(self) -> None:
        self.corner.bus.hopper.jams_after = self.chance.randrange(4)

    def _hopper_is_emptier(self) -> None:
        """Somebody filled in less than was said; the box ledger cannot know."""
        self.corner.bus.hopper.is_silent = True

    def _full_disk(self) -> None:
        self.corner.ledger.refuse = NotRecordedCause.DISK_FULL

    # --- afterwards -----------------------------------------------------------------------------

    def _restore(self) -> None:
        self.corner.bus.notes.power_up = self.chance.choice(POWER_UPS)
        self.corner.bus.restore(self.corner.line.now)

    def _power_returns(self) -> None:
        corner = self.corner
        corner.line.run(self.chance.choice([0.1, 1.0, 5.0]))
        corner.kill()
        self._restore()
        if self.chance.random() < 0.3:  # and once more, while it is being cleared up
            corner.fuse.at = corner.fuse.calls + self.chance.randrange(1, 8)
            corner.fuse.after = self.chance.random() < 0.5
            try:
                corner.idle(self.chance.choice([1.0, 4.0]))
            except PowerCut:
                corner.kill()
        corner.fuse.at = 0

    def _repair(self) -> None:
        """A technician clears everything; then the kiosk settles what is left."""
        corner = self.corner
        corner.fuse.at, corner.ledger.refuse = 0, None
        corner.bus.is_silent = corner.bus.hopper.is_silent = False
        corner.idle(2.0)
        self._restore()
        corner.bus.coins.clear_jam()
        corner.bus.notes.clear_jam()
        corner.bus.hopper.is_jammed, corner.bus.hopper.jams_after = False, -1
        corner.bus.notes.empty()
        corner.bus.notes.put_stacker()
        corner.ready()
        corner.idle(1.0)
        if corner.bus.hopper.coins < 30:
            corner.fill_hopper(200)

    def _strays(self) -> int:
        return sum(
            m.amount_centavos * m.count
            for m in self.corner.ledger.cash.values()
            if not m.payment and m.kind.value in ("coin_in", "note_stacked")
        )

    def _judge(self, key: str, inside: int, paid: int, strays: int) -> None:
        corner = self.corner
        payment = corner.ledger.payment(key)
        assert payment is not None
        where = f"seed {self.seed} {payment}"
        went_in = corner.bus.inside_centavos - inside - (self._strays() - strays)
        came_out = (corner.bus.hopper.paid - paid) * 100
        self.ends[payment.state.value] += 1
        if payment.state is S.UNKNOWN:
            assert went_in >= payment.collected_centavos, where
            return
        unread = payment.unread_pieces * max(NOTES) + payment.doubt_centavos
        assert 0 <= went_in - payment.collected_centavos <= unread, where
        if not corner.box.change_doubt_centavos:
            assert came_out == payment.change_centavos, where
        kept = payment.collected_centavos - payment.change_centavos
        match payment.state:
            case S.TAKEN:
                assert payment.collected_centavos >= payment.amount_centavos, where
                assert payment.owed_centavos == kept - payment.amount_centavos, where
            case S.CANCELLED:
                assert kept == 0, where
            case S.REFUND_OWED:
                assert payment.owed_centavos == kept > 0, where
            case _:
                raise AssertionError(f"not settled: {where}")
        assert self._posted(payment) == (payment.state is S.TAKEN), where

    def _posted(self, payment: Payment) -> int:
        return sum(
            f.data.get("key") == payment.key
            and (f.type.value == "payment.taken" or f.data.get("outcome") == "taken")
            for f in self.corner.ledger.facts
        )


TROUBLES = (
    "kill", "power_cut", "plug_of_the_bus", "silence", "cable", "noise", "jam_of_coins",
    "jam_of_a_note", "string", "full_stacker", "stacker_taken", "hopper_jams",
    "hopper_is_emptier", "full_disk",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(1, PAYMENTS // RUN + 1))
def test_no_peso_is_lost_or_doubled(seed: int) -> None:
    street = Street(seed)
    for _ in range(RUN):
        street.one_payment()
    assert street.ends[S.TAKEN.value] > RUN * 0.3, street.ends


def test_the_same_seed_is_the_same_street() -> None:
    first, second = Street(7), Street(7)
    for street in (first, second):
        for _ in range(10):
            street.one_payment()
    assert first.corner.ledger.facts == second.corner.ledger.facts
    assert first.corner.bus.inside_centavos == second.corner.bus.inside_centavos


def test_a_street_without_trouble_has_no_doubt_at_all() -> None:
    corner = CashCorner()
    corner.ready()
    chance = random.Random(1)
    for _ in range(20):
        started = corner.pay.start(corner.owed(50 * chance.randrange(1, 2000)), (), fresh=True)
        assert isinstance(started, CashStarted)
        progress: CashProgress = corner.poll(started.payment.key)
        while not isinstance(progress, CashSettled):
            if isinstance(progress, Inserting) and not progress.stacking_centavos:
                corner.insert(max(progress.coins | progress.notes))
            progress = corner.poll(started.payment.key, 1.0)
        assert progress.payment.state is S.TAKEN
        assert progress.payment.owed_centavos == 0
    assert (corner.box.doubt_centavos, corner.box.unread_pieces) == (0, 0)
    assert corner.books_agree() == ""
