"""The reader's watcher over a PC/SC service that a test plays: restarts, pulled cables, hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from hardware.card.driver import SILENCE_S, PivReader
from hardware.card.pcsc import COUNTER_SHIFT, PRESENT, PcscCause, Trouble
from hardware.card.virtual_piv import VirtualPiv, new_key
from municipio.devices import CardGone, CardTrouble, DeviceState, Pin, Proved, SlotState

KEY = new_key()


def until(holds: Callable[[], bool], within_s: float = 8.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)


@dataclass
class Played:
    """A PC/SC service in memory: readers by name, each with a card or none."""

    readers_there: dict[str, VirtualPiv | None] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    life: int = 1
    runs: bool = True
    taken: bool = False
    hang: threading.Event = field(default_factory=threading.Event)
    hang_transmit: bool = False
    resets: int = 0
    open_contexts: int = 0

    def open(self) -> OpenedService | Trouble:
        if not self.runs:
            return Trouble(PcscCause.NO_SERVICE)
        self.open_contexts += 1
        return OpenedService(self, self.life)

    def put(self, reader: str, card: VirtualPiv | None) -> None:
        self.counters[reader] = self.counters.get(reader, 0) + 1
        self.readers_there[reader] = card

    def restart(self) -> None:
        self.runs, self.life = True, self.life + 1


@dataclass
class OpenedService:
    world: Played
    life: int

    def _dead(self) -> bool:
        return not self.world.runs or self.world.life != self.life

    def readers(self) -> tuple[str, ...] | Trouble:
        return Trouble(PcscCause.NO_SERVICE) if self._dead() else tuple(self.world.readers_there)

    def wait(self, known: Mapping[str, int], timeout_s: float) -> dict[str, int] | Trouble:
        end = time.monotonic() + timeout_s
        while True:
            if self._dead():
                return Trouble(PcscCause.NO_SERVICE)
            states = {}
            for name in known:
                if name not in self.world.readers_there:
                    return Trouble(PcscCause.NO_READER)
                card = self.world.readers_there[name]
                count = self.world.counters.get(name, 0)
                states[name] = count << COUNTER_SHIFT | (PRESENT if card else 0)
            if states != dict(known) or time.monotonic() > end:
                return states
            time.sleep(0.005)

    def interrupt(self) -> None: ...

    def connect(self, reader: str) -> OpenedChannel | Trouble:
        if self.world.taken:
            return Trouble(PcscCause.TAKEN)
        card = self.world.readers_there.get(reader)
        return OpenedChannel(self, card) if card else Trouble(PcscCause.NO_CARD)

    def close(self) -> None:
        self.world.open_contexts -= 1


@dataclass
class OpenedChannel:
    service: OpenedService
    card: VirtualPiv

    def transmit(self, command: bytes) -> bytes | Trouble:
        world = self.service.world
        if world.hang_transmit:
            world.hang.wait(30)
        if self.service._dead():
            return Trouble(PcscCause.NO_SERVICE)
        if self.card not in world.readers_there.values():
            return Trouble(PcscCause.NO_CARD)
        return self.card.answer(command)

    def close(self, *, reset: bool) -> None:
        if reset:
            self.service.world.resets += 1
            self.card.reset()


@pytest.fixture
def played() -> Played:
    return Played({"ACME CCID 00 00": None})


@pytest.fixture
def reader(played: Played) -> Iterator[PivReader]:
    built = PivReader(open_service=played.open)
    yield built
    played.hang.set()
    built.close()
    until(lambda: played.open_contexts == 0)


def becomes(reader: PivReader, state: SlotState, cause: str | None = None) -> None:
    until(lambda: reader.slot().state is state and cause in (None, reader.slot().cause))


def test_an_empty_reader_is_ready_to_be_used(played: Played, reader: PivReader) -> None:
    becomes(reader, SlotState.NO_CARD)
    assert reader.status().state is DeviceState.READY


def test_a_cable_pulled_and_plugged_in_again_is_found(played: Played, reader: PivReader) -> None:
    becomes(reader, SlotState.NO_CARD)
    played.readers_there.clear()
    becomes(reader, SlotState.NO_READER, "no_reader")
    assert reader.status().state is DeviceState.ABSENT
    played.put("ACME CCID 00 00", VirtualPiv(KEY))

    becomes(reader, SlotState.READY)


def test_losing_one_of_two_readers_is_not_losing_the_reader(played: Played) -> None:
    played.readers_there["OTHER 01 00"] = None
    reader = PivReader(open_service=played.open)
    becomes(reader, SlotState.NO_CARD)
    del played.readers_there["ACME CCID 00 00"]
    played.put("OTHER 01 00", VirtualPiv(KEY))

    becomes(reader, SlotState.READY)
    assert reader.slot().reader == "OTHER 01 00"
    reader.close()


def test_only_the_reader_that_the_settings_name_is_used(played: Played) -> None:
    played.readers_there["OTHER 01 00"] = None
    reader = PivReader("acme", played.open)
    played.put("OTHER 01 00", VirtualPiv(KEY))
    becomes(reader, SlotState.NO_CARD)
    time.sleep(0.2)

    assert reader.slot().state is SlotState.NO_CARD
    reader.close()


def test_a_service_that_dies_is_unknown_and_found_again(played: Played, reader: PivReader) -> None:
    played.put("ACME CCID 00 00", VirtualPiv(KEY))
    becomes(reader, SlotState.READY)
    before = reader.slot().insertion
    played.runs = False
    becomes(reader, SlotState.UNKNOWN, "no_service")
    assert reader.status().state is DeviceState.UNKNOWN
    played.restart()

    becomes(reader, SlotState.READY)
    assert reader.slot().insertion != before, "nobody knows whether it is the same card"


def test_a_card_of_another_program_is_ready_once_that_lets_go(
    played: Played, reader: PivReader
) -> None:
    played.taken = True
    played.put("ACME CCID 00 00", VirtualPiv(KEY))
    becomes(reader, SlotState.CARD_ERROR, "taken")
    played.taken = False

    becomes(reader, SlotState.READY)


def test_a_quick_swap_is_another_insertion(played: Played, reader: PivReader) -> None:
    played.put("ACME CCID 00 00", VirtualPiv(KEY))
    becomes(reader, SlotState.READY)
    first = reader.slot().insertion
    played.put("ACME CCID 00 00", VirtualPiv(KEY))
    until(lambda: reader.slot().insertion > first)
    becomes(reader, SlotState.READY)

    assert reader.prove(first, Pin("123456"), b"m") == CardGone()


def test_after_a_proof_the_card_forgets_the_pin(played: Played, reader: PivReader) -> None:
    card = VirtualPiv(KEY)
    played.put("ACME CCID 00 00", card)
    becomes(reader, SlotState.READY)

    assert isinstance(reader.prove(reader.slot().insertion, Pin("123456"), b"m"), Proved)
    assert played.resets == 1
    assert not card.verified


def test_a_card_that_hangs_while_it_is_read_does_not_hide_its_removal(
    played: Played, reader: PivReader
) -> None:
    played.hang_transmit = True
    played.put("ACME CCID 00 00", VirtualPiv(KEY))
    becomes(reader, SlotState.READING)
    began = time.monotonic()
    played.put("ACME CCID 00 00", None)
    becomes(reader, SlotState.NO_CARD)

    assert time.monotonic() - began < 1


def test_a_service_that_neither_dies_nor_answers_is_unknown_after_three_seconds(
    played: Played, reader: PivReader
) -> None:
    becomes(reader, SlotState.NO_CARD)
    gate = threading.Event()
    true_wait = OpenedService.wait

    class Frozen(OpenedService):
        def wait(self, known: Mapping[str, int], timeout_s: float) -> dict[str, int] | Trouble:
            gate.wait(30)
            return true_wait(self, known, timeout_s)

    frozen = PivReader(open_service=lambda: Frozen(played, played.life))
    played.open_contexts += 1
    until(
        lambda: frozen.slot().state is SlotState.UNKNOWN and frozen.slot().cause == "no_answer",
        SILENCE_S + 3,
    )
    gate.set()
    becomes(frozen, SlotState.NO_CARD)
    frozen.close()


def test_a_proof_over_a_dying_service_is_trouble_not_an_exception(
    played: Played, reader: PivReader
) -> None:
    played.put("ACME CCID 00 00", VirtualPiv(KEY))
    becomes(reader, SlotState.READY)
    insertion = reader.slot().insertion
    played.runs = False

    proof = reader.prove(insertion, Pin("123456"), b"m")
    assert proof in (CardTrouble("no_service"), CardGone())
