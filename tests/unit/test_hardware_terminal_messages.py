"""What may cross the wire: everything that a charge needs, and never a card number."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.terminal import messages
from hardware.terminal.messages import (
    BadMessage,
    CancelAsked,
    ChargeAsked,
    ChargeTold,
    ProgressTold,
    QueryAsked,
    Refused,
    Reply,
    Request,
    StatusAsked,
    StatusTold,
)
from municipio.devices import Charge, ChargeState

KEY = "0198a2b4-1111-7000-8000-00000000000a"
APPROVED = Charge(KEY, ChargeState.APPROVED, 109560, "123456", "4242", "APROBADA")
CASES: list[tuple[Request | Reply, bytes]] = [
    (StatusAsked(), b"S\x1c0"),
    (ChargeAsked(KEY, 109560, "COA007-P1-000123-K"),
     b"C\x1c" + KEY.encode() + b"\x1c109560\x1cCOA007-P1-000123-K"),
    (QueryAsked(KEY), b"Q\x1c" + KEY.encode()),
    (CancelAsked(KEY), b"X\x1c" + KEY.encode()),
    (StatusTold("0", True, False, "Lista"), b"s\x1c0\x1c1\x1c0\x1cLista"),
    (ProgressTold(KEY, "ACERQUE SU TARJETA"), b"p\x1c" + KEY.encode() + b"\x1cACERQUE SU TARJETA"),
    (Refused(KEY, "offline"), b"e\x1c" + KEY.encode() + b"\x1coffline"),
    (ChargeTold(APPROVED),
     b"r\x1c" + KEY.encode() + b"\x1capproved\x1c109560\x1c123456\x1c4242\x1cAPROBADA"),
]  # fmt: skip
CARD = st.from_regex(r"[0-9]{12,19}", fullmatch=True)
SEPARATED = st.sampled_from(
    ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "378282246310005"]
)


@pytest.mark.parametrize(("message", "payload"), CASES)
def test_each_message_has_one_spelling(message: Request | Reply, payload: bytes) -> None:
    assert messages.encode(message) == payload
    assert messages.decode(payload) == message


@settings(max_examples=100, deadline=None)
@given(st.one_of(CARD, SEPARATED), st.text(alphabet="abc :", max_size=8))
def test_a_card_number_in_any_text_is_masked_before_a_program_sees_it(
    number: str, before: str
) -> None:
    text = before + number + before
    told = [
        messages.decode(f"r\x1ck\x1capproved\x1c1\x1c{text}\x1c{number}\x1c{text}".encode()),
        messages.decode(f"p\x1ck\x1c{text}".encode()),
        messages.decode(f"s\x1c0\x1c1\x1c0\x1c{text}".encode()),
    ]

    assert all(not isinstance(t, BadMessage) for t in told)
    assert not any(messages.holds_card_number(str(dataclasses.astuple(t))) for t in told)
    assert not any(number in str(t) for t in told)


@settings(max_examples=100, deadline=None)
@given(st.one_of(CARD, SEPARATED))
def test_a_card_number_is_never_sent(number: str) -> None:
    for message in (ChargeAsked("k", 1, number), ChargeAsked(number, 1, "ok")):
        with pytest.raises(ValueError):
            messages.encode(message)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=240))
def test_any_payload_is_a_message_or_a_named_problem(payload: bytes) -> None:
    meaning = messages.decode(payload)

    assert isinstance(meaning, BadMessage) or messages.decode(messages.encode(meaning)) == meaning


@pytest.mark.parametrize(
    "payload",
    [
        b"r\x1ck\x1cpaid\x1c1\x1c\x1c\x1c",
        b"r\x1ck\x1capproved\x1c-1\x1c\x1c\x1c",
        b"r\x1ck\x1capproved\x1c1.5\x1c\x1c\x1c",
        b"C\x1ck\x1c0\x1cref",
        b"C\x1c\x1c100\x1cref",
        b"e\x1ck\x1csomething",
        b"C\x1c4242424242424242\x1c100\x1cref",
        b"r\x1ck",
        b"\xff\xfe",
    ],
)
def test_a_message_that_is_almost_right_means_nothing(payload: bytes) -> None:
    assert isinstance(messages.decode(payload), BadMessage)


def test_last_four_are_four_digits_or_nothing() -> None:
    told = messages.decode(b"r\x1ck\x1capproved\x1c1\x1c123456\x1c424242\x1c")

    assert isinstance(told, ChargeTold)
    assert told.charge.card_last4 == ""


@pytest.mark.parametrize("amount", [0, -1, 100_000_000_000])
def test_an_amount_that_no_terminal_takes_is_our_own_error(amount: int) -> None:
    with pytest.raises(ValueError):
        messages.encode(ChargeAsked("k", amount, "ref"))
