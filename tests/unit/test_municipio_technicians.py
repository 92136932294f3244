"""Who may log in by the city's word, when, and how guessing is slowed down."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from municipio.clock import Instant, TimeQuality
from municipio.technicians import (
    IDLE_MS,
    MAX_WAIT_S,
    OVERALL_MS,
    Guard,
    Role,
    SessionClock,
    SessionEnd,
    Technician,
    TechnicianList,
    Validity,
    both,
    cleared,
    failed,
    guard_from_wire,
    guard_to_wire,
    has_signed,
    is_usable_key,
    login_message,
    resumed,
    validity,
    wait_after_s,
    wait_left_s,
)
from municipio.wire.technician_list import (
    MAX_LIST_BYTES,
    ListProblem,
    ListTrouble,
    decode_list,
    encode_list,
)

CITY = Ed25519PrivateKey.generate()
CARD = ec.generate_private_key(ec.SECP256R1())
DAY = date(2026, 1, 20)


def spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


ONE = Technician("T-014", spki(CARD), frozenset({Role.SERVICE}), DAY, DAY + timedelta(days=30))
LISTED = TechnicianList("30039", 3, DAY, DAY + timedelta(days=30), (ONE,))


def at(
    boot: str = "a", ms: int = 0, time: datetime | None = None, quality: TimeQuality | None = None
) -> Instant:
    known = TimeQuality.SYNCED if time else TimeQuality.UNKNOWN
    return Instant(time, quality or known, boot, ms)


def read(raw: bytes, **changes: object) -> TechnicianList | ListProblem:
    arguments: dict[str, object] = {"inegi": "30039", "newest_serial": 0, **changes}
    return decode_list(raw, CITY.public_key(), **arguments)  # type: ignore[arg-type]  # keywords of one call


def trouble(found: TechnicianList | ListProblem) -> ListTrouble:
    assert isinstance(found, ListProblem)
    return found.trouble


def test_a_signed_list_is_read_back_as_it_was() -> None:
    assert read(encode_list(LISTED, CITY.sign)) == LISTED
    assert LISTED.owner_of(spki(CARD)) is ONE
    assert LISTED.owner_of(b"another") is None


def test_a_list_of_another_signer_city_or_time_is_refused() -> None:
    raw = encode_list(LISTED, CITY.sign)

    assert trouble(read(encode_list(LISTED, Ed25519PrivateKey.generate().sign))) is (
        ListTrouble.BAD_SIGNATURE
    )
    assert trouble(read(raw, inegi="30040")) is ListTrouble.OTHER_CITY
    assert trouble(read(raw, newest_serial=4)) is ListTrouble.OLDER
    assert read(raw, newest_serial=3) == LISTED


def test_another_document_of_the_city_is_not_a_list() -> None:
    payload = '{"kind":"ack","v":1}'
    signature = base64.b64encode(CITY.sign(payload.encode())).decode()
    raw = json.dumps({"payload": payload, "signature": signature}).encode()

    assert trouble(read(raw)) is ListTrouble.MALFORMED


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[" * 100_000, b"\xff\xfe", bytes(MAX_LIST_BYTES + 1), b'{"payload":1}'],
)
def test_a_hostile_file_is_a_problem_and_nothing_else(raw: bytes) -> None:
    assert trouble(read(raw)) is ListTrouble.MALFORMED


@given(st.integers(0, 2000), st.integers(1, 255))
@settings(max_examples=100, deadline=None)
def test_any_changed_byte_of_the_file_is_noticed(where: int, change: int) -> None:
    raw = bytearray(encode_list(LISTED, CITY.sign))
    raw[where % len(raw)] ^= change
    found = read(bytes(raw))

    assert isinstance(found, ListProblem) or found == LISTED


@pytest.mark.parametrize(
    "wrong",
    [
        replace(LISTED, serial=0),
        replace(LISTED, valid_until=DAY + timedelta(days=93)),
        replace(LISTED, valid_until=DAY - timedelta(days=1)),
        replace(LISTED, technicians=(ONE, ONE)),
        replace(LISTED, technicians=(ONE, replace(ONE, id="T-015"))),
        replace(LISTED, technicians=(replace(ONE, id="Juan Pérez"),)),
        replace(LISTED, technicians=(replace(ONE, roles=frozenset()),)),
        replace(LISTED, technicians=(replace(ONE, public_key=b"key"),)),
        replace(LISTED, technicians=(replace(ONE, valid_until=DAY - timedelta(days=9)),)),
    ],
)
def test_a_list_that_breaks_a_rule_is_neither_written_nor_read(wrong: TechnicianList) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        encode_list(wrong, CITY.sign)


def test_validity_under_a_clock_that_may_be_behind() -> None:
    first, last = DAY, DAY + timedelta(days=9)
    before, after = DAY - timedelta(days=1), DAY + timedelta(days=10)

    def says(today: date | None, trusted: bool) -> Validity:
        return validity(first, last, today, trusted=trusted)

    assert says(first, True) is says(last, True) is Validity.VALID
    assert says(before, True) is Validity.NOT_YET
    assert says(after, True) is Validity.EXPIRED
    assert says(after, False) is Validity.EXPIRED, "a lower bound proves an end"
    assert says(first, False) is says(before, False) is says(None, False) is Validity.UNSURE


def test_the_worse_of_two_validities_counts() -> None:
    assert both(Validity.VALID, Validity.UNSURE) is Validity.UNSURE
    assert both(Validity.EXPIRED, Validity.VALID) is Validity.EXPIRED
    assert both(Validity.UNSURE, Validity.NOT_YET) is Validity.NOT_YET


def test_only_the_listed_key_over_this_node_and_challenge_counts() -> None:
    challenge = bytes(range(32))
    message = login_message("COA007", challenge)
    signature = CARD.sign(message, ec.ECDSA(hashes.SHA256()))
    other = ec.generate_private_key(ec.SECP256R1())

    assert has_signed(spki(CARD), signature, message)
    assert not has_signed(spki(other), signature, message)
    assert not has_signed(spki(CARD), signature, login_message("COA008", challenge))
    assert not has_signed(spki(CARD), signature[:-1], message)
    assert not has_signed(spki(CARD), b"", message)
    assert not has_signed(b"no key", signature, message)
    assert not is_usable_key(spki(ec.generate_private_key(ec.SECP384R1())))  # type: ignore[arg-type]  # same interface


def test_five_tries_are_free_and_then_the_wait_doubles() -> None:
    assert [wait_after_s(n) for n in range(8)] == [0, 0, 0, 0, 0, 15, 30, 60]
    assert wait_after_s(14) == 7680
    assert wait_after_s(10**9) == MAX_WAIT_S
    assert all(a <= b for a, b in pairwise(wait_after_s(n) for n in range(100)))


def test_a_wait_passes_with_the_boot_clock() -> None:
    guard = Guard()
    for _ in range(6):
        guard = failed(guard, at(ms=1000))

    assert wait_left_s(guard, at(ms=1000)) == 30
    assert wait_left_s(guard, at(ms=1001)) == 30
    assert wait_left_s(guard, at(ms=30_000)) == 1
    assert wait_left_s(guard, at(ms=31_000)) == 0
    assert cleared(guard) == Guard()


def test_a_reboot_never_shortens_a_wait_and_a_trusted_clock_lets_it_pass() -> None:
    noon = datetime(2026, 1, 20, 12, tzinfo=UTC)
    guard = replace(failed(Guard(failures=5), at(ms=5000, time=noon)), list_serial=2)
    unsure = resumed(guard, at("b", ms=3000))
    sure = resumed(guard, at("b", ms=3000, time=noon + timedelta(seconds=20)))
    back = resumed(guard, at("b", ms=3000, time=noon - timedelta(days=1)))

    assert resumed(guard, at("a", ms=9000)) is guard
    assert wait_left_s(unsure, at("b", ms=3000)) == 30
    assert wait_left_s(sure, at("b", ms=3000)) == 10
    assert wait_left_s(back, at("b", ms=3000)) == 30
    assert unsure.list_serial == 2


@given(
    st.integers(0, 50),
    st.text(max_size=40),
    st.integers(0, 2**50),
    st.none() | st.integers(0, 2**40),
)
@settings(max_examples=100)
def test_a_guard_survives_its_file(failures: int, boot: str, ms: int, trusted: int | None) -> None:
    guard = Guard(failures, boot, ms, trusted, 7)

    assert guard_from_wire(json.loads(json.dumps(guard_to_wire(guard)))) == guard


@pytest.mark.parametrize(
    "document",
    [{}, {"v": 1}, {**guard_to_wire(Guard()), "failures": -1}, {**guard_to_wire(Guard()), "failures": True}],
)  # fmt: skip
def test_a_damaged_guard_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="guard"):
        guard_from_wire(document)


def test_a_session_ends_after_thirty_idle_minutes_or_twelve_hours() -> None:
    clock = SessionClock.begin(at(ms=0))

    assert clock.ended(at(ms=IDLE_MS - 1)) is None
    assert clock.ended(at(ms=IDLE_MS)) is SessionEnd.IDLE
    assert clock.ended(at("b", ms=1)) is SessionEnd.OVERALL
    for ms in range(0, OVERALL_MS, IDLE_MS - 1):
        clock = clock.touched(at(ms=ms))
    assert clock.ended(at(ms=OVERALL_MS - 1)) is None
    assert clock.ended(at(ms=OVERALL_MS)) is SessionEnd.OVERALL


def test_the_end_of_a_session_is_told_before() -> None:
    clock = SessionClock.begin(at(ms=0))

    assert clock.warns(at(ms=IDLE_MS - 60_001)) is None
    assert clock.warns(at(ms=IDLE_MS - 60_000)) is SessionEnd.IDLE
    assert clock.left_s(at(ms=IDLE_MS - 60_000)) == 60
    late = clock.touched(at(ms=OVERALL_MS - 15 * 60_000))
    assert late.warns(at(ms=OVERALL_MS - 15 * 60_000)) is SessionEnd.OVERALL
