"""The two bodies of an enrolment: what a person types, and what nobody without the code can make."""

from __future__ import annotations

import random
from itertools import cycle

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from municipio.wire.enrolment import (
    ALPHABET,
    EnrolAnswer,
    EnrolCode,
    EnrolmentProblem,
    EnrolRequest,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
    new_code,
    parse_code,
)
from municipio.wire.keys import public_pem

KEY = bytes(range(32))
CODE = EnrolCode("K7QF", "2M9DXR4T8WNH")
NODE = Ed25519PrivateKey.generate().public_key()
OTHER = Ed25519PrivateKey.generate().public_key()
CITY = public_pem(Ed25519PrivateKey.generate().public_key())
ANSWER = EnrolAnswer("COA012", "30039", "Parque de la Niñez (demostración)", True, CITY)


@pytest.mark.parametrize(
    "typed",
    [
        "K7QF-2M9D-XR4T-8WNH", "k7qf2m9dxr4t8wnh", " K7QF 2M9D XR4T 8WNH ", "K7-QF-2M9DXR4T8WN-H",
    ],
)  # fmt: skip
def test_a_code_is_read_as_a_hurried_person_types_it(typed: str) -> None:
    assert parse_code(typed) == CODE
    assert str(CODE) == "K7QF-2M9D-XR4T-8WNH"


def test_letters_that_look_like_digits_are_those_digits() -> None:
    assert parse_code("OIL0-0000-0000-0000") == EnrolCode("0110", "000000000000")


@pytest.mark.parametrize(
    "typed", ["", "K7QF-2M9D-XR4T-8WN", "U" * 16, "K7QF-2M9D-XR4T-8WNH1", "ñ" * 16]
)
def test_what_is_no_code_is_told_so(typed: str) -> None:
    assert isinstance(parse_code(typed), EnrolmentProblem)


@given(st.lists(st.integers(0, 31), min_size=16, max_size=16))
def test_every_code_that_is_made_is_read_back(digits: list[int]) -> None:
    source = cycle(digits)
    code = new_code(lambda _: next(source))
    assert parse_code(str(code)) == code
    assert set(code.name + code.secret) <= set(ALPHABET)


def test_the_key_of_a_code_depends_on_every_letter() -> None:
    keys = {
        c.key() for c in (CODE, EnrolCode("K7QG", CODE.secret), EnrolCode("K7QF", "2M9DXR4T8WNJ"))
    }
    assert len(keys) == 3


def test_a_request_proves_the_code_and_the_key_together() -> None:
    request = decode_request(encode_request(CODE, KEY, NODE))
    assert isinstance(request, EnrolRequest)
    assert request.is_proved(KEY)
    assert not request.is_proved(bytes(32))
    assert not EnrolRequest(request.code_name, OTHER, request.proof).is_proved(KEY)
    assert not EnrolRequest("K7QG", request.public, request.proof).is_proved(KEY)
    assert CODE.secret not in encode_request(CODE, KEY, NODE).decode()


def test_an_answer_is_believed_by_the_node_it_is_for_alone() -> None:
    raw = encode_answer(ANSWER, KEY, NODE)
    assert decode_answer(raw, KEY, NODE) == ANSWER
    assert isinstance(decode_answer(raw, KEY, OTHER), EnrolmentProblem)
    assert isinstance(decode_answer(raw, bytes(32), NODE), EnrolmentProblem)


def test_no_byte_of_an_answer_can_change() -> None:
    raw = encode_answer(ANSWER, KEY, NODE)
    for place in random.Random(7).sample(range(len(raw)), 60):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        assert isinstance(decode_answer(changed, KEY, NODE), EnrolmentProblem)


@pytest.mark.parametrize(
    "answer",
    [
        EnrolAnswer("../../x", "30039", "x", True, CITY),
        EnrolAnswer("COA012", "3003", "x", True, CITY),
        EnrolAnswer("COA012", "30039", "x" * 101, True, CITY),
        EnrolAnswer("COA012", "30039", "x", True, b"not a key"),
    ],
)
def test_even_a_proved_answer_must_make_sense(answer: EnrolAnswer) -> None:
    assert isinstance(decode_answer(encode_answer(answer, KEY, NODE), KEY, NODE), EnrolmentProblem)


@given(st.binary(max_size=300))
def test_noise_is_a_problem_and_never_an_exception(raw: bytes) -> None:
    assert isinstance(decode_request(raw), EnrolmentProblem)
    assert isinstance(decode_answer(raw, KEY, NODE), EnrolmentProblem)


def test_a_flood_is_not_even_parsed() -> None:
    assert isinstance(decode_request(b" " * 9000), EnrolmentProblem)
    assert isinstance(decode_answer(b" " * 9000, KEY, NODE), EnrolmentProblem)
