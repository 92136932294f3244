"""The money machine of cash: killed at every arrow, with every end a payment may have."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from kiosk.simulated_cash import COINS, NOTES, RULES, CashCorner
from kiosk.simulators import PowerCut
from kiosk.usecases.cash_box import CashBoxDesk, CashCut, HopperFilled, NeedsTwoPeople, PaymentOpen
from kiosk.usecases.cash_progress import (
    CashAlreadyStarted,
    CashBlock,
    CashNotStarted,
    CashSettled,
    CashStarted,
    CashUnsaved,
    Inserting,
)
from kiosk.usecases.pay_by_cash import PayByCash
from municipio.cash import RefusedNote, rules_from
from municipio.papers import comprobante_efectivo
from municipio.payments import Payment, PaymentMethod, PaymentState
from municipio.settings import parse_settings
from municipio.usecases.ports import NotRecorded, NotRecordedCause

S = PaymentState


@pytest.fixture
def corner() -> CashCorner:
    made = CashCorner()
    made.ready()
    return made


def start(corner: CashCorner, centavos: int) -> str:
    started = corner.pay.start(corner.owed(centavos), (("Predial", centavos),), fresh=True)
    assert isinstance(started, CashStarted), started
    corner.poll(started.payment.key, 1.0)
    return started.payment.key


def put_in(corner: CashCorner, key: str, *pieces: int) -> None:
    for piece in pieces:
        assert corner.insert(piece), piece
        for _ in range(12):
            corner.poll(key)


def block(corner: CashCorner, centavos: int, *, fresh: bool = True) -> CashBlock:
    return corner.pay.block(corner.owed(centavos), fresh=fresh)


def test_an_exact_payment_is_taken_with_its_pieces(corner: CashCorner) -> None:
    key = start(corner, 7700)
    put_in(corner, key, 5000, 2000, 500, 200)
    payment = corner.until_settled(key)
    assert (payment.state, payment.collected_centavos, payment.owed_centavos) == (S.TAKEN, 7700, 0)
    taken = corner.ledger.facts[-1]
    assert (taken.type.value, taken.data["method"]) == ("payment.taken", "cash")
    assert {"unit": "notes", "amount_centavos": 5000, "count": 1} in taken.data["cash"]["pieces"]
    assert "authorization" not in taken.data
    assert corner.ledger.stubs[payment.folio].state == "pagado"


def test_change_comes_out_and_is_in_the_books(corner: CashCorner) -> None:
    key = start(corner, 4700)
    put_in(corner, key, 5000)
    payment = corner.until_settled(key)
    assert (payment.change_centavos, payment.owed_centavos) == (300, 0)
    assert corner.bus.hopper.paid == 3
    assert corner.books_agree() == ""


def test_a_note_without_possible_change_comes_back_with_its_reason() -> None:
    corner = CashCorner(hopper_coins=0)
    corner.ready()
    key = start(corner, 4700)
    inserting = corner.poll(key)
    assert isinstance(inserting, Inserting)
    assert 5000 not in inserting.notes
    assert not corner.insert(5000), "inhibited before it is even drawn in"
    put_in(corner, key, 2000, 2000, 500, 200)
    assert corner.until_settled(key).state is S.TAKEN


def test_a_note_that_stopped_being_acceptable_in_escrow_is_returned() -> None:
    """Coins fall while the note is being read: stacked, it would now need change that is not there."""
    corner = CashCorner(hopper_coins=0)
    corner.ready()
    key = start(corner, 6000)
    for piece in (5000, 1000, 100):
        assert corner.insert(piece)
    seen = [corner.poll(key) for _ in range(12)]
    assert any(isinstance(p, Inserting) and p.refused is RefusedNote.NO_CHANGE for p in seen)
    assert (corner.bus.notes.back[5000], corner.bus.inside_centavos) == (1, 1100)
    put_in(corner, key, 2000, 2000, 500, 200, 200)
    assert corner.until_settled(key).state is S.TAKEN


def test_a_person_who_stops_gets_small_money_back_by_the_hopper(corner: CashCorner) -> None:
    key = start(corner, 7700)
    put_in(corner, key, 2000, 500)
    corner.pay.finish(key, refund=True)
    payment = corner.until_settled(key)
    assert (payment.state, payment.change_centavos) == (S.CANCELLED, 2500)
    assert corner.bus.hopper.paid == 25


def test_a_person_who_walks_away_is_owed_what_is_inside(corner: CashCorner) -> None:
    key = start(corner, 7700)
    put_in(corner, key, 2000)
    corner.pay.finish(key, refund=False)
    payment = corner.until_settled(key)
    assert (payment.state, payment.owed_centavos) == (S.REFUND_OWED, 2000)
    fact = corner.ledger.facts[-1]
    assert (fact.type.value, fact.data["outcome"]) == ("payment.resolved", "refund_owed")
    assert corner.ledger.stubs[payment.folio].state == "por_devolver"


def test_a_hopper_that_runs_dry_leaves_change_owed_and_a_paper(corner: CashCorner) -> None:
    corner.bus.hopper.coins = 1
    key = start(corner, 4700)
    put_in(corner, key, 5000)
    payment = corner.until_settled(key)
    assert (payment.state, payment.change_centavos, payment.owed_centavos) == (S.TAKEN, 100, 200)
    paper = comprobante_efectivo(
        parse_settings({}), str, payment=payment, at=None, follow_url="http://127.0.0.1/f"
    )
    text = repr(paper.lines)
    assert "ADEUDO PAGADO" in text
    assert "$ 2.00" in text
    with pytest.raises(ValueError, match="came out even"):
        comprobante_efectivo(
            parse_settings({}), str, payment=replace(payment, owed_centavos=0), at=None,
            follow_url="x",
        )  # fmt: skip


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(1, 16))
@pytest.mark.parametrize("second", [0, 1, 2, 3])
def test_a_power_cut_at_any_write_and_another_in_recovery_lose_and_double_nothing(
    corner: CashCorner, call: int, second: int, after: bool
) -> None:
    corner.fuse.at, corner.fuse.after = corner.fuse.calls + call, after
    with contextlib.suppress(PowerCut):
        key = start(corner, 5300)
        put_in(corner, key, 500, 5000)
        corner.until_settled(key)
    corner.kill()
    if second:
        corner.fuse.at = corner.fuse.calls + second
        with contextlib.suppress(PowerCut):
            corner.idle(4.0)
        corner.kill()
    corner.ready()
    corner.idle(1.0)
    assert corner.books_agree() == ""
    assert (corner.box.doubt_centavos, corner.box.unread_pieces) == (0, 0)
    for payment in corner.ledger.payments.values():
        assert payment.state in (S.TAKEN, S.CANCELLED, S.REFUND_OWED)
        assert payment.collected_centavos == corner.bus.inside_centavos
        assert payment.change_centavos == corner.bus.hopper.paid * 100


@pytest.mark.parametrize("power_up", ["stack", "stack_unnamed", "swallow"])
def test_a_note_that_power_up_stacks_is_credited_once_by_the_journal(
    corner: CashCorner, power_up: str
) -> None:
    key = start(corner, 5000)
    corner.insert(5000)
    while not any(m.kind.value == "stack_ordered" for m in corner.ledger.cash.values()):
        corner.poll(key, 0.1)
    corner.wait(0.15)
    corner.bus.notes.power_up = "return"
    corner.cut_power(1.0, power_up)  # type: ignore[arg-type]  # a parametrized literal
    [settled] = corner.idle(6.0)
    assert (settled.state, settled.collected_centavos) == (S.TAKEN, 5000)
    assert corner.box.doubt_centavos == 0
    assert corner.idle(3.0) == []


def test_a_note_that_vanished_in_a_power_cut_is_in_doubt_with_its_bounds(
    corner: CashCorner,
) -> None:
    key = start(corner, 12000)
    put_in(corner, key, 2000)
    corner.insert(10000)
    while not corner.pay._tally(corner.pay._known(key)).open_note_centavos:
        corner.poll(key, 0.1)
    corner.wait(0.15)
    corner.cut_power(1.0, "vanish")
    settled = corner.idle(25.0)
    payment = settled[-1]
    assert (payment.state, payment.doubt_centavos) == (S.UNKNOWN, 10000)
    assert payment.collected_centavos == 2000
    assert corner.idle(3.0) == [], "only a count of the box can settle it"
    assert not corner.pay.has_work()
    assert block(corner, 5000) is CashBlock.NONE, "the next person may pay"


def test_a_full_disk_stops_the_money_and_forgets_nothing(corner: CashCorner) -> None:
    key = start(corner, 7000)
    corner.insert(500)
    corner.ledger.refuse = NotRecordedCause.DISK_FULL
    assert any(isinstance(corner.poll(key), CashUnsaved) for _ in range(6))
    corner.wait(1.0)
    assert not corner.insert(500), "the gate is closed"
    corner.ledger.refuse = None
    corner.pay.finish(key, refund=False)
    assert corner.until_settled(key).owed_centavos == 500


def test_a_full_disk_at_the_start_opens_nothing(corner: CashCorner) -> None:
    corner.ledger.refuse = NotRecordedCause.DISK_FULL
    assert isinstance(corner.pay.start(corner.owed(5000), (), fresh=True), NotRecorded)
    corner.wait(1.0)
    assert not corner.insert(500)


def test_what_cash_cannot_pay_is_said_before_a_coin_goes_in(corner: CashCorner) -> None:
    assert block(corner, 5000) is CashBlock.NONE
    assert block(corner, 5030) is CashBlock.UNPAYABLE
    assert block(corner, 0) is CashBlock.UNPAYABLE
    old = replace(corner.owed(5000), issued_on=corner.owed(1).issued_on.replace(day=10))
    assert corner.pay.block(old, fresh=False) is CashBlock.TOO_OLD
    assert corner.pay.block(old, fresh=True) is CashBlock.NONE
    corner.bus.is_silent = True
    corner.idle(5.0)
    assert block(corner, 5000) is CashBlock.DEVICE


def test_the_peso_rule_rounds_the_payment_and_prints_the_difference() -> None:
    corner = CashCorner(rules=replace(RULES, round_to_peso=True))
    corner.ready()
    owed = corner.owed(109560)
    assert corner.pay.amount_due(owed) == 109600
    started = corner.pay.start(owed, (("Predial", 109560),), fresh=True)
    assert isinstance(started, CashStarted)
    assert sum(c for _, c in started.payment.concepts) == started.payment.amount_centavos == 109600


def test_limits_and_a_live_payment_refuse_another() -> None:
    corner = CashCorner(rules=replace(RULES, max_payment_centavos=10000))
    corner.ready()
    assert block(corner, 10050) is CashBlock.TOO_MUCH
    start(corner, 5000)
    assert isinstance(corner.pay.start(corner.owed(500), (), fresh=True), CashNotStarted)


def test_without_a_device_or_with_a_blocking_payment_nothing_starts(corner: CashCorner) -> None:
    paid = Payment("x", "F", "1", 5, PaymentMethod.CARD, S.TAKEN, "L")
    for device, blocking, kind in (
        (None, None, CashNotStarted),
        (corner.line, paid, CashAlreadyStarted),
    ):
        pay = PayByCash(
            ledger=corner.ledger, device=device, rules=RULES, limits=corner.limits,
            now=corner.clock.now, today=corner.clock.today, new_key=corner.new_id,
            blocking=lambda _, found=blocking: found,
        )  # fmt: skip
        assert isinstance(pay.start(corner.owed(500), (), fresh=True), kind)
        assert pay.has_work() in (False, True)


def test_a_coin_that_nobody_pays_with_is_the_citys_and_the_city_is_told(corner: CashCorner) -> None:
    corner.bus.coins._keep(500)
    corner.bus.coins.tell(7, 1)
    corner.idle(2.0)
    assert corner.box.coins == {500: 1}
    fact = corner.ledger.facts[-1]
    assert (fact.type.value, fact.data["cause"]) == ("device.changed", "stray_money")


def test_a_released_payment_is_settled_without_anybody(corner: CashCorner) -> None:
    key = start(corner, 7700)
    put_in(corner, key, 2000)
    corner.pay.release(key)
    assert corner.pay.has_work()
    [payment] = corner.idle(4.0)
    assert (payment.state, payment.owed_centavos) == (S.REFUND_OWED, 2000)
    assert isinstance(corner.pay.poll(key), CashSettled)


def test_a_cut_takes_two_people_and_starts_the_box_anew(corner: CashCorner) -> None:
    key = start(corner, 4700)
    desk = CashBoxDesk(ledger=corner.ledger, new_id=corner.new_id, two_person=True)
    assert isinstance(desk.cut(("tec-1", "tec-2"), 0, 0), PaymentOpen)
    put_in(corner, key, 5000)
    corner.until_settled(key)
    assert isinstance(desk.cut(("tec-1", "tec-1"), 5000, 147), NeedsTwoPeople)
    cut = desk.cut(("tec-2", "tec-1"), 4900, 147)
    assert isinstance(cut, CashCut)
    assert (cut.box.notes, cut.difference_centavos) == ({5000: 1}, -100)
    fact = corner.ledger.facts[-1].data
    assert (fact["action"], fact["technicians"]) == ("cash_cut", ["tec-1", "tec-2"])
    after = desk.inside()
    assert (after.total_centavos, after.hopper_coins) == (14700, 147)
    assert desk.fill_hopper(("tec-1",), 100, 300) == HopperFilled(300)
    assert desk.inside().hopper_coins == 300


def test_the_rules_come_from_the_settings_and_are_off_unless_asked_for() -> None:
    settings = parse_settings({})
    assert not settings.flag("cash.enabled")
    rules = rules_from(settings)
    assert (rules.coins, rules.notes) == (COINS, NOTES)
