"""The money machine: whatever is unplugged, and whenever, no peso is lost or doubled."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.simulated_city import CLAVE, debt
from kiosk.simulated_kiosk import World
from kiosk.simulators import PowerCut
from kiosk.usecases.pay_by_card import (
    AlreadyStarted,
    NotStarted,
    PayByCard,
    Settled,
    Started,
    Unsaved,
    Waiting,
)
from municipio.devices import ChargeState, DeviceState
from municipio.payments import LATE_LOOKS_S, PaymentState
from municipio.usecases.ports import NotRecorded, NotRecordedCause

OWED = debt()
CONCEPTS = (("Predial", OWED.total_centavos),)
ANSWERS = (
    ChargeState.APPROVED,
    ChargeState.DECLINED,
    ChargeState.CANCELLED,
    ChargeState.EXPIRED,
)


def machine(world: World) -> PayByCard:
    return PayByCard(
        ledger=world.ledger,
        terminal=world.terminal,
        now=world.clock.now,
        today=world.clock.today,
        new_key=world.new_id,
    )


def started(pay: PayByCard) -> Started:
    result = pay.start(OWED, CONCEPTS)
    assert isinstance(result, Started)
    return result


def whole_payment(world: World) -> None:
    pay = machine(world)
    key = started(pay).payment.key
    pay.poll(key)
    world.terminal.present()
    pay.poll(key)


def settle_everything(world: World) -> None:
    """What a kiosk does after a cut, until the terminal has said all it knows."""
    world.fuse.at = 0
    machine(world).recover()
    world.terminal.present()
    machine(world).recover()


def taken_by_books(world: World) -> int:
    """Centavos that the facts say were taken."""
    return sum(
        f.data["amount_centavos"]
        for f in world.ledger.facts
        if f.type.value == "payment.taken" or f.data.get("outcome") == "taken"
    )


def test_the_journal_is_written_before_the_terminal_hears_of_it() -> None:
    world = World()
    world.fuse.at = 3
    with pytest.raises(PowerCut):
        machine(world).start(OWED, CONCEPTS)
    [payment] = world.ledger.payments.values()
    assert payment.state is PaymentState.COLLECTING
    assert world.terminal.started == []


def test_an_approval_is_committed_with_its_folio_and_authorization() -> None:
    world = World()
    whole_payment(world)
    [payment] = world.ledger.payments.values()
    assert (payment.state, payment.authorization) == (PaymentState.TAKEN, "123456")
    assert payment.taken_at == "2026-01-20T16:42:00.000Z"
    taken = world.ledger.facts[-1].data
    assert taken["folio"] == payment.folio
    assert taken["liquidacion_id"] == OWED.id
    assert world.ledger.stubs[payment.folio].state == "pagado"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(1, 8))
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_power_cut_at_any_call_loses_and_doubles_nothing(
    call: int, after: bool, answer: ChargeState
) -> None:
    world = World()
    world.terminal.then = answer
    world.fuse.at, world.fuse.after = call, after
    try:
        whole_payment(world)
    except PowerCut:
        settle_everything(world)
    world.fuse.at = 0
    settle_everything(world)
    assert taken_by_books(world) == world.terminal.money_taken()
    assert len(world.terminal.started) <= 1
    assert all(p.state is not PaymentState.COLLECTING for p in world.ledger.payments.values())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("cut_in_recovery", range(1, 5))
@pytest.mark.parametrize("call", range(2, 7))
def test_a_second_cut_during_recovery_is_as_harmless(
    call: int, cut_in_recovery: int, after: bool
) -> None:
    world = World()
    world.fuse.at, world.fuse.after = call, after
    with pytest.raises(PowerCut):
        whole_payment(world)
    world.terminal.present()
    world.fuse.at = world.fuse.calls + cut_in_recovery
    with contextlib.suppress(PowerCut):
        machine(world).recover()
    settle_everything(world)
    assert taken_by_books(world) == world.terminal.money_taken()
    assert len(world.terminal.started) <= 1


@settings(max_examples=100, deadline=None)
@given(
    cuts=st.lists(st.tuples(st.integers(1, 8), st.booleans()), min_size=1, max_size=5),
    answer=st.sampled_from(ANSWERS),
    silent=st.booleans(),
)
def test_any_series_of_cuts_ends_with_books_and_bank_agreeing(
    cuts: list[tuple[int, bool]], answer: ChargeState, silent: bool
) -> None:
    world = World()
    world.terminal.then = answer
    for call, after in cuts:
        world.fuse.at, world.fuse.after = world.fuse.calls + call, after
        try:
            pay = machine(world)
            pay.recover()
            result = pay.start(OWED, CONCEPTS)
            if isinstance(result, Started):
                world.terminal.present()
                world.terminal.silent = silent
                pay.poll(result.payment.key)
                pay.give_up(result.payment.key)
        except PowerCut:
            pass
        world.terminal.silent = False
    settle_everything(world)
    assert taken_by_books(world) == world.terminal.money_taken()
    assert world.terminal.money_taken() in {0, OWED.total_centavos}


def test_a_silent_terminal_is_unknown_and_the_later_answer_resolves_it() -> None:
    world = World()
    pay = machine(world)
    key = started(pay).payment.key
    world.terminal.present()
    world.terminal.silent = True
    assert isinstance(pay.poll(key), Waiting)
    ended = pay.give_up(key)
    assert isinstance(ended, Settled)
    assert ended.payment.state is PaymentState.UNKNOWN
    before = world.ledger.types()
    pay.recover()
    assert world.ledger.types() == before, "asking again without an answer adds no fact"
    world.terminal.silent = False
    pay.recover()
    assert world.ledger.types()[-1] == "payment.resolved"
    assert world.ledger.facts[-1].data["outcome"] == "taken"
    assert [p.state for p in pay.receipts_owed()] == [PaymentState.TAKEN]


def test_a_debt_in_doubt_is_never_charged_again() -> None:
    world = World()
    pay = machine(world)
    key = started(pay).payment.key
    world.terminal.silent = True
    pay.give_up(key)
    world.terminal.silent = False
    other_day = replace(OWED, id="L20260121-OTRA")
    assert isinstance(pay.start(other_day, CONCEPTS), AlreadyStarted)


def test_a_debt_paid_here_yesterday_is_not_charged_on_a_fresh_paper() -> None:
    world = World()
    whole_payment(world)
    world.clock.pass_time(days=1)
    result = machine(world).start(replace(OWED, id="L20260121-OTRA"), CONCEPTS)
    assert isinstance(result, AlreadyStarted)


def test_next_year_the_same_property_may_pay_again() -> None:
    world = World()
    whole_payment(world)
    world.clock.pass_time(days=365)
    assert isinstance(machine(world).start(replace(OWED, id="L2027"), CONCEPTS), Started)


def test_another_amount_at_the_terminal_is_left_to_people() -> None:
    world = World()
    world.terminal.wrong_amount = 1
    whole_payment(world)
    [payment] = world.ledger.payments.values()
    assert payment.state is PaymentState.UNKNOWN
    assert world.ledger.facts[-1].data["cause"] == "amount_mismatch"


@pytest.mark.parametrize("state", [s for s in DeviceState if s is not DeviceState.READY])
def test_only_a_ready_terminal_is_asked(state: DeviceState) -> None:
    world = World()
    world.terminal.state = state
    assert isinstance(machine(world).start(OWED, CONCEPTS), NotStarted)
    assert world.ledger.facts == []


def test_a_full_disk_before_the_charge_means_no_charge() -> None:
    world = World()
    world.ledger.refuse = NotRecordedCause.DISK_FULL
    assert isinstance(machine(world).start(OWED, CONCEPTS), NotRecorded)
    assert world.terminal.started == []


def ended_without_money(world: World, answer: ChargeState) -> str:
    world.terminal.then = answer
    pay = machine(world)
    key = started(pay).payment.key
    world.terminal.present()
    pay.poll(key)
    pay.release(key)
    return key


@pytest.mark.parametrize("answer", [s for s in ANSWERS if s is not ChargeState.APPROVED])
def test_a_late_approval_after_a_final_end_is_money_taken(answer: ChargeState) -> None:
    """A bank that approves after "cancelled" has the money: the journal, the folio and a fact say so."""
    world = World()
    key = ended_without_money(world, answer)
    world.terminal.approve_late(key)
    [owed] = machine(world).recover()

    fact = world.ledger.facts[-1]
    assert (owed.key, owed.state, owed.looks_left) == (key, PaymentState.TAKEN, 0)
    assert fact.type.value == "payment.resolved"
    assert (fact.data["outcome"], fact.data["cause"]) == ("taken", "late_approval")
    assert fact.data["authorization"] == "654321"
    assert world.ledger.stubs[owed.folio].state == "pagado"
    assert taken_by_books(world) == world.terminal.money_taken() == OWED.total_centavos


def test_a_debt_that_was_approved_late_is_not_charged_a_second_time() -> None:
    world = World()
    key = ended_without_money(world, ChargeState.EXPIRED)
    world.terminal.approve_late(key)

    assert isinstance(machine(world).start(OWED, CONCEPTS), AlreadyStarted)
    assert world.terminal.started == [key]


def test_a_late_approval_of_a_debt_paid_since_is_owed_back() -> None:
    world = World()
    key = ended_without_money(world, ChargeState.CANCELLED)
    world.terminal.then = ChargeState.APPROVED
    whole_payment(world)
    world.terminal.approve_late(key)
    machine(world).recover()

    late = world.ledger.payments[key]
    assert late.state is PaymentState.REFUND_OWED
    assert world.ledger.stubs[late.folio].state == "por_devolver"
    assert world.ledger.facts[-1].data["outcome"] == "taken", "the city posts it, and owes it"
    assert taken_by_books(world) == world.terminal.money_taken() == 2 * OWED.total_centavos


def test_a_late_approval_of_another_amount_is_left_to_people() -> None:
    world = World()
    key = ended_without_money(world, ChargeState.CANCELLED)
    world.terminal.wrong_amount = 1
    world.terminal.approve_late(key)
    machine(world).recover()

    assert world.ledger.payments[key].state is PaymentState.UNKNOWN
    assert world.ledger.facts[-1].data["cause"] == "amount_mismatch"


def test_an_ended_charge_is_asked_about_a_few_times_and_then_left_alone() -> None:
    world = World()
    pay = machine(world)
    key = started(pay).payment.key
    world.terminal.then = ChargeState.DECLINED
    world.terminal.present()
    pay.poll(key)
    looks = []
    for _ in range(3 * len(LATE_LOOKS_S)):
        before = world.fuse.calls
        pay.recover()
        looks.append(world.fuse.calls - before)
        world.clock.boot_ms += max(LATE_LOOKS_S) * 1000

    assert looks[0] == 0, "not at once: the terminal has just answered"
    assert world.ledger.watched_payments() == ()
    assert looks[-1] == 0
    assert world.ledger.types()[-1] == "payment.resolved", "asking adds no fact"


def test_a_silent_terminal_does_not_use_up_the_questions() -> None:
    world = World()
    key = ended_without_money(world, ChargeState.CANCELLED)
    world.terminal.silent = True
    for _ in range(20):
        machine(world).recover()

    assert world.ledger.payments[key].looks_left == len(LATE_LOOKS_S)


def test_an_answer_that_cannot_be_stored_is_asked_for_again() -> None:
    world = World()
    pay = machine(world)
    key = started(pay).payment.key
    world.terminal.present()
    world.ledger.refuse = NotRecordedCause.DISK_FULL
    assert isinstance(pay.poll(key), Unsaved)
    world.ledger.refuse = None
    assert isinstance(pay.poll(key), Settled)
    assert taken_by_books(world) == OWED.total_centavos


def test_recovery_leaves_a_live_charge_and_a_standing_person_alone() -> None:
    world = World()
    pay = machine(world)
    key = started(pay).payment.key
    assert pay.recover() == ()
    pay.release(key)
    [waiting] = pay.recover()
    assert waiting.state is PaymentState.COLLECTING
    assert pay.has_work()


def test_facts_carry_no_personal_data_and_their_documented_keys() -> None:
    world = World()
    whole_payment(world)
    intended, taken = (f.data for f in world.ledger.facts)
    assert set(intended) == {"key", "clave", "liquidacion_id", "amount_centavos", "method"}
    assert set(taken) == set(intended) | {"folio", "authorization", "card_last4", "concepts"}
    assert intended["clave"] == CLAVE
