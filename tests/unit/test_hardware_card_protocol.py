"""What we say to a PIV card and believe of its answers: whole, cut, flipped, endless or hostile."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.card import tlv
from hardware.card.apdu import MAX_REPLY, Nonsense, Reply, exchange, run
from hardware.card.certificate import KeyKind, key_in_certificate, key_kind
from hardware.card.protocol import Looked, Unusable, look, prove
from hardware.card.status import CardCause
from hardware.card.virtual_piv import VirtualPiv, certificate, new_key, public_der
from municipio.devices import CardTrouble, LastTry, Pin, PinBlocked, PinWrong, Proved

P256 = new_key("p256")
RSA = new_key("rsa2048")
MESSAGE = b"a message of any length" * 9


def proving(card: VirtualPiv, pin: str = "123456", spend_last_try: bool = False) -> object:
    dialogue = prove(Pin(pin), MESSAGE, public_der(card.key), spend_last_try=spend_last_try)
    return run(dialogue, card.answer)


@pytest.mark.parametrize("key", [P256, RSA], ids=["p256", "rsa2048"])
def test_a_card_is_seen_with_its_key_and_its_own_pin_counter(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
) -> None:
    card = VirtualPiv(key, tries_left=2)

    assert run(look(), card.answer) == Looked(2, public_der(key))
    assert card.presented == 0


def test_a_p256_card_signs_the_message() -> None:
    proof = proving(VirtualPiv(P256))

    assert isinstance(proof, Proved)
    P256.public_key().verify(proof.signature, MESSAGE, ec.ECDSA(hashes.SHA256()))


def test_an_rsa_card_signs_the_message_although_it_takes_two_commands() -> None:
    seen: list[bytes] = []
    card = VirtualPiv(RSA)

    def answer(command: bytes) -> bytes:
        seen.append(command)
        return card.answer(command)

    proof = run(prove(Pin("123456"), MESSAGE, public_der(RSA), spend_last_try=False), answer)

    assert isinstance(proof, Proved)
    RSA.public_key().verify(proof.signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    assert [c[0] for c in seen if c[1] == 0x87] == [0x10, 0x00]


def test_exact_bytes_of_a_login() -> None:
    sent: list[bytes] = []
    card = VirtualPiv(P256)

    def answer(command: bytes) -> bytes:
        sent.append(command)
        return card.answer(command)

    run(prove(Pin("12345678"), b"m", public_der(P256), spend_last_try=False), answer)
    card.pin = "12345678"
    sent.clear()
    run(prove(Pin("12345678"), b"m", public_der(P256), spend_last_try=False), answer)

    assert [c.hex() for c in sent] == [
        "00a4040009a0000003080000100000",
        "00200080",
        "00200080083132333435363738",
        "0087119a267c2482008120" + hashlib.sha256(b"m").hexdigest() + "00",
    ]


def test_a_wrong_pin_counts_down_and_the_last_try_is_not_spent_without_consent() -> None:
    card = VirtualPiv(P256)

    assert proving(card, "000000") == PinWrong(2)
    assert proving(card, "000000") == PinWrong(1)
    assert proving(card, "123456") == LastTry(1)
    assert card.presented == 2
    assert isinstance(proving(card, "123456", spend_last_try=True), Proved)
    assert card.tries_left == 3


def test_a_blocked_card_says_so_and_gets_no_more_pins() -> None:
    card = VirtualPiv(P256, tries_left=1)

    assert proving(card, "000000", spend_last_try=True) == PinBlocked()
    assert proving(card, "123456", spend_last_try=True) == PinBlocked()
    assert run(look(), card.answer) == Unusable(CardCause.BLOCKED)
    assert card.presented == 1


def test_a_card_that_hides_its_counter_may_be_on_its_last_try() -> None:
    card = VirtualPiv(P256, tells_tries=False)

    assert run(look(), card.answer) == Looked(None, public_der(P256))
    assert proving(card) == LastTry(None)
    assert isinstance(proving(card, spend_last_try=True), Proved)


@pytest.mark.parametrize(
    ("card", "cause"),
    [
        (VirtualPiv(P256, is_piv=False), CardCause.NOT_PIV),
        (VirtualPiv(P256, shown=b""), CardCause.NO_KEY),
        (VirtualPiv(P256, shown=b"\x30\x82garbage"), CardCause.NO_KEY),
        (
            VirtualPiv(P256, shown=certificate(ec.generate_private_key(ec.SECP384R1()))),
            CardCause.NO_KEY,
        ),
    ],
    ids=["a bank card", "no certificate", "a broken certificate", "a kind of key we do not use"],
)
def test_a_card_that_cannot_log_in_is_named_by_its_cause(
    card: VirtualPiv, cause: CardCause
) -> None:
    assert run(look(), card.answer) == Unusable(cause)


def test_a_packed_certificate_is_read_and_a_packed_bomb_is_not() -> None:
    der = certificate(P256)

    assert key_in_certificate(gzip.compress(der), packed=True) == public_der(P256)
    assert key_in_certificate(gzip.compress(bytes(10_000_000)), packed=True) is None
    assert key_in_certificate(gzip.compress(der)[:-9], packed=True) is None


def test_keys_of_other_kinds_have_no_kind() -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)

    assert key_kind(public_der(P256)) is KeyKind.P256
    assert key_kind(public_der(RSA)) is KeyKind.RSA_2048
    assert key_kind(public_der(small)) is None
    assert key_kind(b"nothing") is None


@pytest.mark.parametrize(
    "endless",
    [
        lambda _: b"\x61\x00",
        lambda _: bytes(256) + b"\x61\x00",
        lambda _: b"\x6c\x10",
        lambda _: b"",
        lambda _: b"\x90",
        lambda _: bytes(259),
        lambda _: bytes(70_000),
    ],
    ids=["more of nothing", "more for ever", "always another length", "", "half", "long", "huge"],
)
def test_a_card_without_end_or_sense_ends_in_a_cause(endless: Callable[[bytes], bytes]) -> None:
    rounds: list[bytes] = []

    def answer(command: bytes) -> bytes:
        rounds.append(command)
        assert len(rounds) < 200, "it must stop asking"
        return endless(command)

    assert run(look(), answer) == Unusable(CardCause.GARBLED)
    rounds.clear()
    proof = run(prove(Pin("123456"), MESSAGE, public_der(P256), spend_last_try=True), answer)
    assert proof == CardTrouble("garbled")
    assert not [c for c in rounds if c[1] == 0x20], "no PIN is given to a card that talks nonsense"


def test_an_answer_in_parts_is_put_together_up_to_the_limit() -> None:
    parts = iter([b"ab\x61\x02", b"cd\x90\x00"])
    whole = run(exchange(0xCB, 0x3F, 0xFF, b"x"), lambda _: next(parts))
    endless = run(exchange(0xCB, 0x3F, 0xFF, b"x"), lambda _: bytes(256) + b"\x61\xff")

    assert whole == Reply(b"abcd", 0x9000)
    assert endless == Nonsense()
    assert MAX_REPLY < 64 * 256


@given(st.lists(st.binary(max_size=300), max_size=40))
@settings(max_examples=150, deadline=None)
def test_no_sequence_of_answers_raises_or_logs_in(answers: list[bytes]) -> None:
    waiting = iter(answers)
    found = run(look(), lambda _: next(waiting, b"\x90\x00"))
    assert isinstance(found, Unusable | Looked)

    waiting = iter(answers)
    dialogue = prove(Pin("123456"), MESSAGE, public_der(P256), spend_last_try=True)
    proof = run(dialogue, lambda _: next(waiting, b"\x90\x00"))
    if isinstance(proof, Proved):
        assert len(proof.signature) <= 72


def test_a_certificate_whose_serial_number_was_spoilt_on_the_way_gives_no_key() -> None:
    whole = certificate(P256)
    version = bytes.fromhex("a003020102")  # then the serial number: 02, its length, its bytes
    spoilt = bytearray(whole)
    spoilt[whole.index(version) + len(version) + 2] = 0xFE  # a negative number

    assert key_in_certificate(whole, packed=False) == public_der(P256)
    assert key_in_certificate(bytes(spoilt), packed=False) is None


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_flipped_cut_or_grown_answer_raises_nothing(data: st.DataObject) -> None:
    card = VirtualPiv(P256)
    spoiled_at = data.draw(st.integers(0, 6))
    how = data.draw(st.sampled_from(["flip", "cut", "grow"]))
    where = data.draw(st.integers(0, 1000))
    count = 0

    def answer(command: bytes) -> bytes:
        nonlocal count
        count += 1
        true = card.answer(command)
        if count - 1 != spoiled_at:
            return true
        at = where % len(true)
        if how == "flip":
            return true[:at] + bytes([true[at] ^ 0xFF]) + true[at + 1 :]
        return true[:at] if how == "cut" else true + bytes(at)

    assert isinstance(run(look(), answer), Unusable | Looked)
    proof = run(prove(Pin("123456"), MESSAGE, public_der(P256), spend_last_try=False), answer)
    assert proof is not None
    assert card.presented <= 1


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_the_virtual_card_answers_any_bytes(command: bytes) -> None:
    card = VirtualPiv(P256)
    card.answer(bytes.fromhex("00a4040009a00000030800001000"))

    assert 2 <= len(card.answer(command)) <= 258
    assert card.tries_left >= 2


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 4000])
def test_an_item_is_read_as_it_was_written(length: int) -> None:
    raw = tlv.encode(0x53, bytes(length)) + tlv.encode(0x5F2F, b"x")

    assert tlv.decode(raw) == {0x53: bytes(length), 0x5F2F: b"x"}


@pytest.mark.parametrize(
    "raw",
    [
        b"\x53",
        b"\x53\x05abc",
        b"\x53\x81",
        b"\x53\x82\xff",
        b"\x53\x82\xff\xffabc",
        b"\x53\x84\xff\xff\xff\xff",
        b"\x53\x80\x00\x00",
        b"\x5f\xff\xff",
        b"\x53\x00" * 65,
        bytes(tlv.MAX_OBJECT + 1),
    ],
)
def test_a_cut_or_hostile_length_is_refused(raw: bytes) -> None:
    assert tlv.decode(raw) is None


def test_a_pin_is_six_to_eight_digits_and_never_shown() -> None:
    for wrong in ("", "12345", "123456789", "12345a", "١٢٣٤٥٦", "12 456"):
        with pytest.raises(ValueError, match="six to eight digits") as raised:
            Pin(wrong)
        assert not wrong or wrong not in str(raised.value)
    pin = Pin("135790")
    assert "135790" not in repr(pin) + str(pin)
    assert pin.padded() == b"135790\xff\xff"
    pin.wipe()
    with pytest.raises(AssertionError):
        pin.padded()
