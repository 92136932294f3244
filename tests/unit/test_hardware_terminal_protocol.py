"""What the node believes about a charge: money that moved is never forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.terminal.protocol import CHARGES_MAX, FINAL, TRANSITIONS, ChargeBook, Word, after
from municipio.devices import Charge, ChargeState

S = ChargeState


def told(state: ChargeState, key: str = "k") -> Charge:
    return Charge(key, state, 100, "123456" if state is S.APPROVED else "")


@pytest.mark.parametrize("state", list(ChargeState))
def test_a_late_approval_always_counts(state: ChargeState) -> None:
    assert after(state, Word.APPROVED) is S.APPROVED


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(list(Word)), max_size=20))
def test_an_approval_is_never_taken_back(words: list[Word]) -> None:
    state = S.APPROVED
    for word in words:
        state = after(state, word)

    assert state is S.APPROVED


def test_no_row_leaves_a_final_state_but_by_approval() -> None:
    leaving = {word for (state, word), to in TRANSITIONS.items() if state in FINAL and to != state}

    assert leaving == {Word.APPROVED}


def test_silence_is_unknown_and_the_terminals_answer_resolves_it() -> None:
    book = ChargeBook()
    book.start("k", 100)
    book.say("k", Word.SILENCE)
    silent = book.get("k")
    book.hear(told(S.APPROVED))

    assert silent is not None
    assert silent.state is S.UNKNOWN
    assert book.get("k") == told(S.APPROVED)


def test_the_same_key_is_the_same_charge() -> None:
    book = ChargeBook()

    assert book.start("k", 100)
    assert not book.start("k", 100)


def test_a_terminal_that_never_saw_a_key_frees_it() -> None:
    book = ChargeBook()
    book.ask_about("k")
    book.hear(told(S.IDLE))

    assert book.get("k") == Charge("k", S.IDLE, 100)
    assert book.start("k", 100)


def test_a_terminal_that_forgot_a_key_it_had_proves_nothing() -> None:
    book = ChargeBook()
    book.start("k", 100)
    book.hear(told(S.AT_TERMINAL))
    book.hear(told(S.IDLE))
    book.hear(told(S.IDLE))
    forgotten = book.get("k")

    assert forgotten is not None
    assert forgotten.state is S.UNKNOWN


def test_words_about_a_key_that_nobody_asked_are_ignored() -> None:
    book = ChargeBook()
    book.hear(told(S.APPROVED, "stranger"))
    book.note("stranger", "HOLA")

    assert book.get("stranger") is None


def test_the_book_is_bounded_and_forgets_settled_charges_first() -> None:
    book = ChargeBook()
    book.start("open", 1)
    for n in range(CHARGES_MAX * 2):
        book.start(f"k{n}", 1)
        book.hear(told(S.DECLINED, f"k{n}"))

    assert book.get("open") is not None
    assert book.get("k0") is None


def test_an_accepted_charge_is_requested_and_an_unknown_one_is_found_waiting() -> None:
    book = ChargeBook()
    book.start("k", 100)
    book.hear(told(S.REQUESTED))
    waiting = book.get("k")
    book.say("k", Word.SILENCE)
    book.hear(told(S.REQUESTED))
    found = book.get("k")

    assert waiting is not None
    assert waiting.state is S.REQUESTED
    assert found is not None
    assert found.state is S.REQUESTED
