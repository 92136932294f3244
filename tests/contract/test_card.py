"""What a card reader must do: over the real pcscd with a virtual reader, or with a real one (`-m hw`).

A real reader: put a PIV card in, set PLAZA_CARD_PIN and, with several readers, PLAZA_CARD_READER.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from smartcard import scard

from hardware.card.driver import PivReader
from hardware.card.private_pcscd import PrivatePcscd, missing
from hardware.card.simulator import CardSimulator
from hardware.card.virtual_piv import VirtualPiv, certificate, new_key, public_der
from municipio.devices import (
    CardGone,
    CardReader,
    CardTrouble,
    DeviceState,
    LastTry,
    Pin,
    PinBlocked,
    PinWrong,
    Proof,
    Proved,
    SlotState,
)
from municipio.technicians import has_signed
from plaza.commands.technician import technician

KEY = new_key()
RSA = new_key("rsa2048")
MESSAGE = b"prove that you are here"


def until(holds: Callable[[], bool], within_s: float = 10.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)


@dataclass
class Rig:
    pcscd: PrivatePcscd
    far: CardSimulator
    reader: PivReader

    def becomes(self, state: SlotState, cause: str | None = None) -> None:
        until(
            lambda: self.reader.slot().state is state and cause in (None, self.reader.slot().cause)
        )

    def insert(self, card: VirtualPiv) -> VirtualPiv:
        before = self.reader.slot().insertion
        self.far.insert(card)
        until(lambda: self.reader.slot().insertion > before)
        return card

    def prove(self, pin: str = "123456", *, spend_last_try: bool = False) -> Proof:
        insertion = self.reader.slot().insertion
        return self.reader.prove(insertion, Pin(pin), MESSAGE, spend_last_try=spend_last_try)


@pytest.fixture(scope="module")
def pcscd() -> Iterator[PrivatePcscd]:
    if missing():
        pytest.skip(f"NOT RUN: {missing()}")
    built = PrivatePcscd()
    built.start()
    yield built
    built.close()


@pytest.fixture
def rig(pcscd: PrivatePcscd) -> Iterator[Rig]:
    far = CardSimulator(pcscd.port)
    built = Rig(pcscd, far, PivReader())
    built.becomes(SlotState.NO_CARD)
    yield built
    built.far.close()
    until(lambda: built.reader.slot().state is SlotState.NO_CARD)
    built.reader.close()


def test_a_card_put_in_is_read_and_taken_out_is_gone(rig: Rig) -> None:
    rig.insert(VirtualPiv(KEY, tries_left=2))
    rig.becomes(SlotState.READY)
    slot = rig.reader.slot()

    assert (slot.tries_left, slot.public_key) == (2, public_der(KEY))
    assert "Virtual PCD" in slot.reader
    assert rig.reader.status().state is DeviceState.READY
    rig.far.remove()
    rig.becomes(SlotState.NO_CARD)


@pytest.mark.parametrize("key", [KEY, RSA], ids=["p256", "rsa2048"])
def test_a_card_proves_itself_with_its_pin(rig: Rig, key: Any) -> None:
    card = rig.insert(VirtualPiv(key))
    rig.becomes(SlotState.READY)
    proof = rig.prove()

    assert isinstance(proof, Proved)
    assert has_signed(public_der(key), proof.signature, MESSAGE)
    until(lambda: not card.verified)


def test_wrong_pins_count_on_the_card_and_are_shown(rig: Rig) -> None:
    card = rig.insert(VirtualPiv(KEY))
    rig.becomes(SlotState.READY)

    assert rig.prove("000000") == PinWrong(2)
    assert rig.reader.slot().tries_left == 2
    assert rig.prove("000000") == PinWrong(1)
    assert rig.prove("000000") == LastTry(1)
    assert card.presented == 2
    assert rig.prove("000000", spend_last_try=True) == PinBlocked()
    assert (rig.reader.slot().state, rig.reader.slot().cause) == (SlotState.CARD_ERROR, "blocked")


def test_the_counter_of_the_card_outlives_its_removal(rig: Rig) -> None:
    card = rig.insert(VirtualPiv(KEY))
    rig.becomes(SlotState.READY)
    rig.prove("000000")
    rig.insert(card)
    rig.becomes(SlotState.READY)

    assert rig.reader.slot().tries_left == 2


def test_pcscd_killed_and_restarted_brings_card_events_again(rig: Rig) -> None:
    rig.insert(VirtualPiv(KEY))
    rig.becomes(SlotState.READY)
    first = rig.reader.slot().insertion
    rig.pcscd.kill()
    rig.becomes(SlotState.UNKNOWN, "no_service")
    assert rig.prove() == CardGone()
    rig.pcscd.start()
    rig.becomes(SlotState.READY)

    assert rig.reader.slot().insertion > first
    assert isinstance(rig.prove(), Proved)
    rig.far.remove()
    rig.becomes(SlotState.NO_CARD)
    rig.insert(VirtualPiv(RSA))
    rig.becomes(SlotState.READY)


def test_a_reader_that_was_gone_is_found_again(rig: Rig) -> None:
    rig.pcscd.kill()
    rig.pcscd.start(reader=False)
    rig.becomes(SlotState.NO_READER, "no_reader")
    assert rig.reader.status().state is DeviceState.ABSENT
    rig.pcscd.kill()
    rig.pcscd.start()
    rig.becomes(SlotState.NO_CARD)
    rig.insert(VirtualPiv(KEY))

    rig.becomes(SlotState.READY)


def test_pcscd_killed_while_a_card_signs_is_trouble_and_then_over(rig: Rig) -> None:
    rig.insert(VirtualPiv(KEY))
    rig.becomes(SlotState.READY)
    rig.far.think_s = 0.2
    proofs: list[Proof] = []
    thread = threading.Thread(target=lambda: proofs.append(rig.prove()))
    thread.start()
    time.sleep(0.3)
    rig.pcscd.kill()
    thread.join(timeout=10)
    rig.far.think_s = 0
    rig.pcscd.start()
    rig.becomes(SlotState.READY)

    assert len(proofs) == 1
    assert isinstance(proofs[0], CardTrouble | CardGone)
    assert isinstance(rig.prove(), Proved)


def test_a_pcscd_that_hangs_is_unknown_until_it_goes_on(rig: Rig) -> None:
    rig.insert(VirtualPiv(KEY))
    rig.becomes(SlotState.READY)
    rig.pcscd.freeze()
    try:
        rig.becomes(SlotState.UNKNOWN, "no_answer")
    finally:
        rig.pcscd.thaw()

    rig.becomes(SlotState.READY)


@pytest.mark.parametrize("after_s", [0.05, 0.25, 0.45, 0.65])
def test_a_card_pulled_while_it_proves_itself_proves_nothing(rig: Rig, after_s: float) -> None:
    rig.insert(VirtualPiv(KEY))
    rig.becomes(SlotState.READY)
    rig.far.think_s = 0.2
    proofs: list[Proof] = []
    thread = threading.Thread(target=lambda: proofs.append(rig.prove()))
    thread.start()
    time.sleep(after_s)
    rig.far.remove()
    thread.join(timeout=10)
    rig.far.think_s = 0
    rig.becomes(SlotState.NO_CARD)
    rig.insert(VirtualPiv(KEY))
    rig.becomes(SlotState.READY)

    assert len(proofs) == 1
    assert isinstance(proofs[0], CardTrouble | CardGone)
    assert isinstance(rig.prove(), Proved)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x90\x00",
        b"\x61\x00",
        b"\xff" * 258,
        b"\x53\x82\xff\xff" + bytes(200) + b"\x90\x00",
        bytes(60_000),
    ],
    ids=["nothing", "bare", "endless", "noise", "liar", "flood"],
)
def test_a_card_that_talks_nonsense_is_bad_and_the_next_one_is_read(
    rig: Rig, answer: bytes
) -> None:
    card = VirtualPiv(KEY)
    rig.far.spoil = lambda command, true: answer
    rig.insert(card)
    rig.becomes(SlotState.CARD_ERROR)
    assert rig.prove() == CardGone()
    assert card.presented == 0
    rig.far.spoil = None
    rig.insert(VirtualPiv(KEY))

    rig.becomes(SlotState.READY)


def test_a_card_that_falls_silent_in_the_middle_is_no_answer_and_pulling_it_helps(rig: Rig) -> None:
    rig.far.spoil = lambda command, true: None
    rig.insert(VirtualPiv(KEY))
    rig.becomes(SlotState.CARD_ERROR, "no_answer")
    rig.far.spoil = None
    rig.insert(VirtualPiv(KEY))

    rig.becomes(SlotState.READY)


@pytest.mark.parametrize(
    ("card", "cause"),
    [
        (VirtualPiv(KEY, is_piv=False), "not_piv"),
        (VirtualPiv(KEY, shown=b""), "no_key"),
        (VirtualPiv(KEY, tries_left=0), "blocked"),
    ],
    ids=["a bank card", "an empty PIV card", "a blocked one"],
)
def test_a_card_that_cannot_log_in_says_why(rig: Rig, card: VirtualPiv, cause: str) -> None:
    rig.insert(card)
    rig.becomes(SlotState.CARD_ERROR, cause)
    assert rig.reader.status().state is DeviceState.ATTENTION
    assert card.presented == 0


def test_a_card_with_a_wild_answer_to_reset_harms_nobody(rig: Rig) -> None:
    for atr in (b"\x00", b"\x3b\xff" + bytes(31), bytes(60)):
        rig.far.atr = atr
        rig.far.insert(VirtualPiv(KEY))
        time.sleep(0.6)
        assert rig.reader.slot().state in SlotState
        rig.far.remove()
        rig.becomes(SlotState.NO_CARD)
    rig.far.atr = None
    rig.insert(VirtualPiv(KEY))

    rig.becomes(SlotState.READY)


def test_a_card_that_another_program_holds_is_taken_until_it_lets_go(rig: Rig) -> None:
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
    rig.insert(VirtualPiv(KEY))
    rig.becomes(SlotState.READY)
    code, handle, _ = scard.SCardConnect(
        context, rig.reader.slot().reader, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_ANY
    )
    assert code == scard.SCARD_S_SUCCESS
    assert rig.prove() == CardTrouble("taken")
    scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
    scard.SCardReleaseContext(context)

    assert isinstance(rig.prove(), Proved)


def test_a_copy_of_a_certificate_signs_with_the_wrong_key(rig: Rig) -> None:
    rig.insert(VirtualPiv(new_key(), shown=certificate(KEY)))
    rig.becomes(SlotState.READY)
    assert rig.reader.slot().public_key == public_der(KEY)
    proof = rig.prove()

    assert isinstance(proof, Proved)
    assert not has_signed(public_der(KEY), proof.signature, MESSAGE)


def test_no_pin_stays_in_the_simulators_memory_of_commands(rig: Rig) -> None:
    rig.insert(VirtualPiv(KEY, pin="97531864"))
    rig.becomes(SlotState.READY)
    assert isinstance(rig.prove("97531864"), Proved)

    assert b"97531864" not in b"".join(rig.far.commands)


def test_the_command_reads_the_public_key_of_a_card(rig: Rig, tmp_path: Path) -> None:
    rig.insert(VirtualPiv(KEY))
    rig.becomes(SlotState.READY)
    out = tmp_path / "card.pem"
    result = CliRunner().invoke(technician, ["read-card", "--out", str(out), "--seconds", "10"])

    assert result.exit_code == 0, result.output
    public = load_pem_public_key(out.read_bytes())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert public.public_numbers() == KEY.public_key().public_numbers()


@pytest.mark.hw
def test_a_real_card_proves_itself() -> None:
    reader: CardReader = PivReader(os.environ.get("PLAZA_CARD_READER", ""))
    until(lambda: reader.slot().state is SlotState.READY)
    slot = reader.slot()
    proof = reader.prove(slot.insertion, Pin(os.environ["PLAZA_CARD_PIN"]), MESSAGE)

    assert isinstance(proof, Proved)
    assert has_signed(slot.public_key, proof.signature, MESSAGE)


def test_the_virtual_key_is_what_the_contract_says() -> None:
    assert isinstance(KEY, ec.EllipticCurvePrivateKey)
    KEY.public_key().verify(
        KEY.sign(MESSAGE, ec.ECDSA(hashes.SHA256())), MESSAGE, ec.ECDSA(hashes.SHA256())
    )
