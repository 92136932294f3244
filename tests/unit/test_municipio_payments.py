"""The payment state table, pair by pair, and what no sequence of events may ever do."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from municipio.payments import (
    OPEN_STATES,
    RECOVERY,
    TRANSITIONS,
    PaymentEvent,
    PaymentRuleBroken,
    PaymentState,
    Recovery,
    advance,
)

S, E = PaymentState, PaymentEvent
TABLE: dict[PaymentState, dict[PaymentEvent, PaymentState]] = {
    S.INTENDED: {
        E.TERMINAL_ASKED: S.COLLECTING,
        E.GATE_OPENED: S.COLLECTING,
        E.CANCELLED: S.CANCELLED,
    },
    S.COLLECTING: {
        E.APPROVED: S.TAKEN,
        E.DECLINED: S.DECLINED,
        E.CANCELLED: S.CANCELLED,
        E.NO_ANSWER: S.UNKNOWN,
        E.AMOUNT_DIFFERS: S.UNKNOWN,
        E.CASH_COMPLETE: S.TAKEN,
        E.CASH_SHORT: S.REFUND_OWED,
    },
    S.UNKNOWN: {
        E.APPROVED: S.TAKEN,
        E.DECLINED: S.DECLINED,
        E.CANCELLED: S.CANCELLED,
        E.NO_ANSWER: S.UNKNOWN,
        E.AMOUNT_DIFFERS: S.UNKNOWN,
        E.CASH_COMPLETE: S.TAKEN,
        E.CASH_SHORT: S.REFUND_OWED,
    },
    S.TAKEN: {E.RECEIPT_PRINTED: S.RECEIPTED, E.ALREADY_PAID: S.REFUND_OWED},
    S.RECEIPTED: {E.ALREADY_PAID: S.REFUND_OWED},
    S.DECLINED: {E.APPROVED: S.TAKEN, E.AMOUNT_DIFFERS: S.UNKNOWN},
    S.CANCELLED: {E.APPROVED: S.TAKEN, E.AMOUNT_DIFFERS: S.UNKNOWN},
    S.REFUND_OWED: {},
}
ANSWERS = {E.APPROVED, E.DECLINED, E.CANCELLED, E.CASH_COMPLETE, E.CASH_SHORT}
HOLDS_MONEY = {S.TAKEN, S.RECEIPTED, S.REFUND_OWED}


@pytest.mark.parametrize(("state", "event"), list(product(PaymentState, PaymentEvent)))
def test_every_pair_of_state_and_event_is_decided(state: PaymentState, event: PaymentEvent) -> None:
    expected = TABLE[state].get(event)
    if expected is None:
        with pytest.raises(PaymentRuleBroken, match=f"no step from {state.value} on {event.value}"):
            advance(state, event)
    else:
        assert advance(state, event) is expected


def test_the_table_has_no_step_that_this_page_does_not_know() -> None:
    assert len(TRANSITIONS) == sum(len(events) for events in TABLE.values())


@pytest.mark.parametrize("state", PaymentState)
def test_a_restart_knows_what_to_do_with_every_state(state: PaymentState) -> None:
    assert state in RECOVERY
    assert (state in OPEN_STATES) is (RECOVERY[state] is not Recovery.NOTHING)


def test_a_restart_never_asks_the_terminal_for_money_it_may_already_have_taken() -> None:
    """Only `intended` is cancelled unseen: no device had been told."""
    assert [s for s, r in RECOVERY.items() if r is Recovery.CANCEL] == [S.INTENDED]
    assert {s for s, r in RECOVERY.items() if r is Recovery.QUERY_TERMINAL} == {
        S.COLLECTING,
        S.UNKNOWN,
    }


def test_money_once_taken_is_never_called_declined_or_cancelled() -> None:
    for (state, _event), after in TRANSITIONS.items():
        if state in HOLDS_MONEY:
            assert after in HOLDS_MONEY


def test_unknown_is_left_only_by_an_answer() -> None:
    ways_out = {e for (s, e), after in TRANSITIONS.items() if s is S.UNKNOWN and after is not s}
    assert ways_out == ANSWERS


class OnePayment(RuleBasedStateMachine):
    """A kiosk that is hit by any event in any order and restarted at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.state = S.INTENDED
        self.asked = self.taken = self.receipts = 0
        self.answered = False

    @rule(event=st.sampled_from(PaymentEvent))
    def something_happens(self, event: PaymentEvent) -> None:
        try:
            after = advance(self.state, event)
        except PaymentRuleBroken:
            return
        self.asked += event in (E.TERMINAL_ASKED, E.GATE_OPENED)
        self.taken += after is S.TAKEN or event is E.CASH_SHORT
        self.receipts += after is S.RECEIPTED
        self.answered |= event in ANSWERS
        self.state = after

    @precondition(lambda self: self.state in OPEN_STATES)
    @rule()
    def the_kiosk_restarts(self) -> None:
        match RECOVERY[self.state]:
            case Recovery.CANCEL:
                self.something_happens(E.CANCELLED)
            case Recovery.QUERY_TERMINAL:
                self.something_happens(E.NO_ANSWER)
            case Recovery.OFFER_RECEIPT | Recovery.NOTHING:
                pass

    @invariant()
    def it_is_taken_and_receipted_at_most_once(self) -> None:
        assert self.asked <= 1
        assert self.taken <= 1
        assert self.receipts <= self.taken

    @invariant()
    def money_is_held_exactly_when_it_was_taken(self) -> None:
        assert (self.state in HOLDS_MONEY) is bool(self.taken)

    @invariant()
    def what_was_asked_of_the_terminal_stays_open_until_it_is_answered(self) -> None:
        if self.asked and not self.answered:
            assert self.state in (S.COLLECTING, S.UNKNOWN)
            assert RECOVERY[self.state] is Recovery.QUERY_TERMINAL


OnePayment.TestCase.settings = settings(max_examples=100, stateful_step_count=15)
TestOnePayment = OnePayment.TestCase
