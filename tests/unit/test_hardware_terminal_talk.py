"""The serial conversation with time as a number: noise, lost words and deaths on either side."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.terminal.far_terminal import FarTerminal
from hardware.terminal.talk import TerminalTalk
from hardware.terminal.wire import frame
from municipio.devices import ChargeState, DeviceState

S = ChargeState
STEP_S = 0.02
REFERENCE = "COA007-P1-000123-K"


class Wire:
    """Both ends and the cable between them; `bend` may change what each direction carries."""

    def __init__(self, journal: Path | None = None) -> None:
        self.now = 0.0
        self.back = bytearray()
        self.far = FarTerminal(self.back.extend, lambda: self.now, think_s=0.2, journal=journal)
        self.talk = TerminalTalk(self.now)
        self.talk.plugged(self.now)

    def run(self, seconds: float, *, there: bool = True, back: bool = True) -> None:
        end = self.now + seconds
        while self.now < end:
            self.step(there=there, back=back)

    def step(self, *, there: bool = True, back: bool = True) -> None:
        self.now += STEP_S
        out = self.talk.tick(self.now)
        if out and there:
            self.far.receive(out)
        self.far.pass_time()
        heard, self.back[:] = bytes(self.back), b""
        if back:
            self.talk.feed(heard, self.now)
        self.talk.check_times(self.now)

    def state(self, key: str = "k") -> ChargeState:
        return self.talk.charge(key).state


def test_once_a_charge_has_ended_the_terminal_is_ready_before_a_person_can_press_again() -> None:
    wire = Wire()
    wire.run(1)
    for n in range(20):
        wire.far.decline()
        wire.talk.start(f"k{n}", 100, REFERENCE, wire.now)
        while wire.state(f"k{n}") is not S.DECLINED:
            wire.step()
        wire.run(0.1)

        assert wire.talk.status(wire.now).state is DeviceState.READY


def test_a_lost_answer_is_asked_for_again() -> None:
    wire = Wire()
    wire.run(1)
    wire.talk.start("k", 100, REFERENCE, wire.now)
    wire.run(1.5, back=False)
    wire.run(3)

    assert wire.state() is S.APPROVED
    assert len(wire.far.charges()) == 1


def test_noise_that_looks_like_an_acknowledgement_does_not_hold_a_charge_for_ever() -> None:
    wire = Wire()
    wire.run(1)
    wire.talk.start("k", 100, REFERENCE, wire.now)
    wire.step(there=False)
    wire.talk.feed(b"\x06", wire.now)
    wire.run(3)

    assert wire.state() is S.IDLE
    assert wire.far.charges() == []


def test_a_repeated_frame_is_one_charge() -> None:
    wire = Wire()
    asked = frame(b"C\x1ck\x1c100\x1cF")
    for _ in range(5):
        wire.far.receive(asked)

    [charge] = wire.far.charges()
    assert charge["times_asked"] == 5


def test_every_flipped_bit_of_a_charge_is_noticed_and_said_again() -> None:
    for bit in range(8 * len(frame(b"C\x1ck\x1c100\x1cF"))):
        wire = Wire()
        damaged = bytearray(frame(b"C\x1ck\x1c100\x1cF"))
        damaged[bit // 8] ^= 1 << (bit % 8)
        wire.far.receive(bytes(damaged))

        assert wire.far.charges() == []


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=600), st.integers(1, 50))
def test_junk_in_pieces_ends_in_a_status_and_the_talk_goes_on(junk: bytes, size: int) -> None:
    wire = Wire()
    for start in range(0, len(junk), size):
        wire.talk.feed(junk[start : start + size], wire.now)
        wire.far.receive(junk[start : start + size])
    wire.run(8)

    assert wire.talk.status(wire.now).state is DeviceState.READY


def test_the_journal_in_a_file_outlives_the_terminal_itself(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    wire = Wire(journal)
    wire.run(1)
    wire.talk.start("k", 100, REFERENCE, wire.now)
    wire.run(2)
    with journal.open("a") as torn:
        torn.write('\n{"charge": {"key": "to')
    reborn = Wire(journal)
    reborn.run(1)
    reborn.talk.ask("k")
    reborn.run(1)

    assert reborn.state() is S.APPROVED
    assert reborn.far.charges() == wire.far.charges()


@pytest.mark.parametrize("answer", [S.APPROVED, S.DECLINED])
def test_what_the_bank_decided_in_silence_is_heard_later(answer: ChargeState) -> None:
    wire = Wire()
    wire.far.hold()
    wire.run(1)
    wire.talk.start("k", 100, REFERENCE, wire.now)
    wire.run(1)
    wire.far.silence()
    {S.APPROVED: wire.far.approve, S.DECLINED: wire.far.decline}[answer]()
    wire.run(5)
    silent = wire.state()
    wire.far.speak()
    wire.run(3)

    assert silent is S.UNKNOWN
    assert wire.state() is answer
