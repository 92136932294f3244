from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from municipio.facts import ZERO_HASH, Lane
from municipio.wire.ack import Ack, AckProblem, FactProblem, decode_ack, encode_ack
from municipio.wire.keys import signature_text

CITY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = CITY.public_key()
ACK = Ack(
    "COA007",
    1,
    Lane.PAY,
    7,
    "ab" * 32,
    (FactProblem(3, "liquidacion_unknown", "Liquidación no encontrada"),),
    "2026-01-20T18:00:00.000Z",
    30,
)


def test_an_acknowledgement_comes_back_whole() -> None:
    assert decode_ack(encode_ack(ACK, CITY.sign), PUBLIC) == ACK


def test_changing_any_byte_of_an_acknowledgement_is_noticed() -> None:
    raw = encode_ack(ACK, CITY.sign)
    for at in range(len(raw)):
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        assert isinstance(decode_ack(changed, PUBLIC), AckProblem)
    for cut in range(len(raw)):
        assert isinstance(decode_ack(raw[:cut], PUBLIC), AckProblem)


def test_another_citys_signature_does_not_count() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    assert isinstance(decode_ack(encode_ack(ACK, other.sign), PUBLIC), AckProblem)


@pytest.mark.parametrize(
    "page", [b"", b"OK", b"<html><h1>Bienvenido</h1></html>\n\n", b'{"kind":"ack"}\n', b"\n\n"]
)
def test_a_login_page_is_not_an_acknowledgement(page: bytes) -> None:
    assert isinstance(decode_ack(page, PUBLIC), AckProblem)


@given(st.binary(max_size=400))
@settings(max_examples=150)
def test_any_bytes_are_a_problem_and_never_a_crash(raw: bytes) -> None:
    assert isinstance(decode_ack(raw, PUBLIC), AckProblem)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("v", 2),
        ("kind", "health"),
        ("through", -1),
        ("through", 0),
        ("chain", ZERO_HASH),
        ("chain", "xyz"),
        ("epoch", 0),
        ("lane", "zzz"),
        ("city_time", "mañana"),
        ("next_contact_s", -1),
        ("next_contact_s", 10**9),
        ("problems", [{"seq": 0, "code": "x", "detail": ""}]),
        ("problems", [{"seq": 1, "code": "x" * 1000, "detail": ""}]),
        ("problems", "no"),
        ("more", 1),
    ],
)
def test_a_signed_acknowledgement_out_of_its_rules_is_refused(key: str, value: object) -> None:
    document = json.loads(encode_ack(ACK, CITY.sign).split(b"\n")[0])
    document[key] = value
    line = json.dumps(document).encode()
    raw = line + b"\n" + signature_text(CITY.sign(line)).encode() + b"\n"
    assert isinstance(decode_ack(raw, PUBLIC), AckProblem)


def test_long_problem_texts_are_cut_so_that_the_city_can_always_answer() -> None:
    long = Ack("COA007", 1, Lane.PAY, 7, "ab" * 32, (FactProblem(3, "x", "y" * 10_000),))
    back = decode_ack(encode_ack(long, CITY.sign), PUBLIC)
    assert isinstance(back, Ack)
    assert len(back.problems[0].detail) == 300
