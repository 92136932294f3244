"""The words of the Orders API: exact requests, and an answer of any kind ends in a meaning."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.terminal.mercadopago import protocol
from hardware.terminal.mercadopago.fake_orders import FakePoint
from hardware.terminal.mercadopago.protocol import Answer, NoAnswer, OrderTold, Refusal, Trouble
from municipio.devices import ChargeState

S = ChargeState
TERMINAL = "PAX_A910__SMARTPOS0000000DEMO"
ORDER_ID = "ORD00001111222233334444555566"


def document(status: str, **payment: str) -> dict[str, Any]:
    paid = {"id": "PAY01J67CQQH5904WDBVZEM4JMEP3", "amount": "1095.60", **payment}
    return {
        "id": ORDER_ID,
        "type": "point",
        "external_reference": "COA007-P1-000123-K",
        "status": status,
        "transactions": {"payments": [paid]},
    }


def read(document: object, status: int = 200) -> OrderTold | Refusal | Trouble:
    return protocol.read_order(Answer(status, json.dumps(document).encode()))


def test_an_order_says_what_the_documentation_asks_for_and_nothing_more() -> None:
    body = protocol.order_body(109560, "COA007-P1-000123-K", TERMINAL, 180)

    assert json.loads(body) == {
        "type": "point",
        "external_reference": "COA007-P1-000123-K",
        "expiration_time": "PT3M",
        "transactions": {"payments": [{"amount": "1095.60"}]},
        "config": {"point": {"terminal_id": TERMINAL, "print_on_terminal": "no_ticket"}},
    }
    assert body == protocol.order_body(109560, "COA007-P1-000123-K", TERMINAL, 180)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("created", S.REQUESTED),
        ("at_terminal", S.AT_TERMINAL),
        ("processed", S.APPROVED),
        ("failed", S.DECLINED),
        ("canceled", S.CANCELLED),
        ("expired", S.EXPIRED),
        ("refunded", S.CANCELLED),
        ("action_required", S.UNKNOWN),
        ("a_state_of_next_year", S.UNKNOWN),
    ],
)
def test_each_state_of_an_order_is_a_state_of_the_charge(status: str, state: ChargeState) -> None:
    told = read(document(status))

    assert isinstance(told, OrderTold)
    assert told.state is state


def test_an_approval_carries_what_the_bank_keeps_and_the_payments_number() -> None:
    whole = read(document("processed", paid_amount="1095.60"))
    part = read(document("processed", paid_amount="1095.60", refunded_amount="95.60"))
    nothing = read(document("processed", paid_amount="1095.60", refunded_amount="1095.60"))

    assert isinstance(whole, OrderTold)
    assert isinstance(part, OrderTold)
    assert isinstance(nothing, OrderTold)
    assert (whole.amount_centavos, whole.payment_id) == (109560, "PAY01J67CQQH5904WDBVZEM4JMEP3")
    assert part.amount_centavos == 100000
    assert nothing.state is S.CANCELLED


@pytest.mark.parametrize(
    ("seconds", "text"), [(30, "PT30S"), (180, "PT3M"), (4500, "PT1H15M"), (10800, "PT3H")]
)
def test_durations_are_iso_8601(seconds: int, text: str) -> None:
    assert protocol.duration(seconds) == text


@pytest.mark.parametrize("seconds", [0, 29, 10801])
def test_an_order_waits_neither_too_little_nor_too_long(seconds: int) -> None:
    with pytest.raises(ValueError, match="seconds"):
        protocol.duration(seconds)


@pytest.mark.parametrize("reference", ["", "a b", "x" * 65, "4111-1111-1111-1111", "ñ"])
def test_a_reference_that_may_not_be_sent_is_refused(reference: str) -> None:
    with pytest.raises(ValueError, match="reference"):
        protocol.order_body(100, reference, TERMINAL, 180)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 99_999_999_999))
def test_amounts_survive_the_decimal_text(centavos: int) -> None:
    assert protocol.read_amount(protocol.amount_text(centavos)) == centavos


@pytest.mark.parametrize("text", ["", "1", "1.5", "-1.00", "1,000.00", 5, None, "1e3.00", "٣.00"])
def test_an_amount_that_is_not_a_decimal_text_is_not_guessed(text: object) -> None:
    with pytest.raises(ValueError, match="amount"):
        protocol.read_amount(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(st.integers(100, 599), st.binary(max_size=300) | JSON.map(lambda j: json.dumps(j).encode()))
def test_no_answer_is_too_strange_to_read(status: int, body: bytes) -> None:
    answer = Answer(status, body)

    assert not isinstance(protocol.read_order(answer), OrderTold)
    protocol.read_terminals(answer)
    assert protocol.read_hint(body) == ""


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["id", "type", "status", "transactions", "external_reference"]), JSON)
def test_an_order_with_one_strange_field_never_becomes_an_approval_of_nonsense(
    name: str, value: object
) -> None:
    strange = {**document("processed"), name: value}
    told = read(strange)

    if isinstance(told, OrderTold) and told.state is S.APPROVED:
        assert told.amount_centavos == 109560


def test_a_deeply_nested_answer_is_trouble() -> None:
    assert isinstance(protocol.read_order(Answer(200, b"[" * 60_000)), Trouble)


def test_refusals_are_definite_and_overload_is_not() -> None:
    code = {"errors": [{"code": "idempotency_key_already_used", "message": "..."}]}

    assert read(code, 409) == Refusal(409, "idempotency_key_already_used")
    assert read({"errors": [{"code": "Bearer TEST-secret"}]}, 401) == Refusal(401, "")
    assert read({}, 429) == Trouble(maybe_done=False)
    assert read({}, 500) == Trouble(maybe_done=True)
    assert protocol.read_order(NoAnswer(left=False)) == Trouble(maybe_done=False)


def test_the_fake_service_keeps_an_idempotency_key_for_a_day_and_no_longer() -> None:
    time = [0.0]
    point = FakePoint(lambda: time[0])
    point.mode = "hold"
    headers = {"authorization": "Bearer TEST-0000-demostracion-0000", "x-idempotency-key": "k"}
    body = protocol.order_body(100, "A", TERMINAL, 180)
    first = point.handle("POST", "/v1/orders", headers, body)
    again = point.handle("POST", "/v1/orders", headers, body)
    other = point.handle(
        "POST", "/v1/orders", headers, protocol.order_body(200, "A", TERMINAL, 180)
    )
    time[0] = 25 * 3600.0
    later = point.handle("POST", "/v1/orders", headers, body)

    assert first[1]["id"] == again[1]["id"]
    assert other[0] == 409
    assert later[1]["id"] != first[1]["id"]
