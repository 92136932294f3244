"""Fail the Nth exchange with the card, for each N and each way to fail, until a login survives.

The whole way is real: the virtual card behind vpcd, pcscd, the driver, the login, the ledger. After
each fault the card's own counter, the kiosk's guard and the ledger must agree, nobody may be in
who did not sign, and the next undisturbed try must work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hardware.card.driver import PivReader
from hardware.card.pcsc import Channel, PcscCause, Service, Trouble, open_service
from hardware.card.private_pcscd import PrivatePcscd, missing
from hardware.card.simulator import CardSimulator
from hardware.card.virtual_piv import VirtualPiv, new_key, public_der
from kiosk.usecases.technician_login import TechnicianLogin
from kiosk.usecases.technician_progress import Checking, EnterPin, LoggedIn
from municipio.clock import Instant, TimeQuality
from municipio.devices import Pin, SlotState
from municipio.facts import decode_fact
from municipio.technicians import Role, Technician, TechnicianList
from municipio.wire.technician_list import encode_list
from sync.allow_list import AllowList, GuardFile
from sync.ledger import SqliteLedger, open_ledger

CITY = Ed25519PrivateKey.generate()
KEY = new_key()
DAY = date(2026, 1, 20)
NOON = datetime(2026, 1, 20, 18, tzinfo=UTC)


def until(holds: Callable[[], bool], within_s: float = 10.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)


class Clock:
    def now(self) -> Instant:
        return Instant(NOON, TimeQuality.SYNCED, "boot", int(time.monotonic() * 1000))


Fault = Callable[["Street", Channel, bytes], "bytes | Trouble"]


@dataclass
class Street:
    """Everything real, and a wire that fails once, at exchange number `at`."""

    pcscd: PrivatePcscd
    far: CardSimulator
    at: int = -1
    fault: Fault | None = None
    count: int = 0
    fired: bool = False
    release: threading.Event = field(default_factory=threading.Event)

    def arm(self, at: int, fault: Fault) -> None:
        self.at, self.fault, self.count, self.fired = at, fault, 0, False

    @contextmanager
    def reading(self) -> Iterator[PivReader]:
        reader = PivReader(open_service=self.open)
        try:
            yield reader
        finally:
            reader.close()

    def put_back(self, card: VirtualPiv, reader: PivReader) -> None:
        """After an unplug: the card goes in again, and is seen as put in again."""
        if self.far.card is None:
            until(lambda: reader.slot().state is not SlotState.READY)
            self.far.insert(card)
            until(lambda: reader.slot().state is SlotState.READY)

    def open(self) -> Service | Trouble:
        opened = open_service()
        return opened if isinstance(opened, Trouble) else FaultyService(self, opened)

    def carry(self, channel: Channel, command: bytes) -> bytes | Trouble:
        number, self.count = self.count, self.count + 1
        if self.fault is None or number != self.at or self.fired:
            return channel.transmit(command)
        self.fired = True
        return self.fault(self, channel, command)


@dataclass
class FaultyService:
    street: Street
    true: Service

    def readers(self) -> tuple[str, ...] | Trouble:
        return self.true.readers()

    def wait(self, known: Mapping[str, int], timeout_s: float) -> dict[str, int] | Trouble:
        return self.true.wait(known, timeout_s)

    def interrupt(self) -> None:
        self.true.interrupt()

    def connect(self, reader: str) -> Channel | Trouble:
        channel = self.true.connect(reader)
        return channel if isinstance(channel, Trouble) else FaultyChannel(self.street, channel)

    def close(self) -> None:
        self.true.close()


@dataclass
class FaultyChannel:
    street: Street
    true: Channel

    def transmit(self, command: bytes) -> bytes | Trouble:
        return self.street.carry(self.true, command)

    def close(self, *, reset: bool) -> None:
        self.true.close(reset=reset)


def _heard(street: Street, channel: Channel, command: bytes) -> bytes:
    answer = channel.transmit(command)
    assert isinstance(answer, bytes)
    return answer


def short_read(street: Street, channel: Channel, command: bytes) -> bytes | Trouble:
    return _heard(street, channel, command)[:1]


def dropped_byte(street: Street, channel: Channel, command: bytes) -> bytes | Trouble:
    answer = _heard(street, channel, command)
    return answer[: len(answer) // 2] + answer[len(answer) // 2 + 1 :]


def flipped_answer(street: Street, channel: Channel, command: bytes) -> bytes | Trouble:
    answer = _heard(street, channel, command)
    at = len(answer) // 2
    return answer[:at] + bytes([answer[at] ^ 0x10]) + answer[at + 1 :]


def flipped_command(street: Street, channel: Channel, command: bytes) -> bytes | Trouble:
    return channel.transmit(command[:-1] + bytes([command[-1] ^ 0x01]))


def lost_answer(street: Street, channel: Channel, command: bytes) -> bytes | Trouble:
    channel.transmit(command)
    return Trouble(PcscCause.FAILED)


def stall(street: Street, channel: Channel, command: bytes) -> bytes | Trouble:
    street.release.wait(0.3)
    return channel.transmit(command)


def unplug(street: Street, channel: Channel, command: bytes) -> bytes | Trouble:
    street.far.remove()
    return channel.transmit(command)


def killed(street: Street, channel: Channel, command: bytes) -> bytes | Trouble:
    street.pcscd.kill()
    answer = channel.transmit(command)
    street.pcscd.start()
    return answer


@pytest.fixture(scope="module")
def pcscd() -> Iterator[PrivatePcscd]:
    if missing():
        pytest.skip(f"NOT RUN: {missing()}")
    built = PrivatePcscd()
    built.start()
    yield built
    built.close()


@pytest.fixture
def street(pcscd: PrivatePcscd) -> Iterator[Street]:
    built = Street(pcscd, CardSimulator(pcscd.port))
    yield built
    built.fault = None
    built.far.close()
    with built.reading() as reader:
        until(lambda: reader.slot().state is SlotState.NO_CARD)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    opened = open_ledger(tmp_path / "ledger.sqlite", Clock(), "COA007", "30039")
    assert isinstance(opened, SqliteLedger)
    yield opened
    opened.close()


def facts(ledger: SqliteLedger) -> list[str]:
    with ledger.reading() as connection:
        rows = list(connection.execute("SELECT body FROM fact ORDER BY seq"))
    return [str(decode_fact(body).data["action"]) for (body,) in rows]


def build_door(reader: PivReader, ledger: SqliteLedger, folder: Path) -> TechnicianLogin:
    one = Technician("T-014", public_der(KEY), frozenset(Role), DAY, DAY + timedelta(days=9))
    listed = TechnicianList("30039", 1, DAY, DAY + timedelta(days=9), (one,))
    (folder / "technicians.json").write_bytes(encode_list(listed, CITY.sign))
    return TechnicianLogin(
        reader=reader,
        ledger=ledger,
        allow_list=AllowList(folder / "technicians.json", CITY.public_key(), "30039").read,
        guard_store=GuardFile(folder / "guard.json"),
        now=Clock().now,
        today=lambda: DAY,
        new_challenge=lambda: b"\x07" * 32,
        node_code="COA007",
    )


def try_once(door: TechnicianLogin) -> object:
    """Enter the PIN when asked and wait for what comes of it."""
    until(lambda: (door.step(), isinstance(door.progress(), EnterPin))[1])
    assert door.enter_pin(Pin("123456"), spend_last_try=True)
    until(lambda: (door.step(), not isinstance(door.progress(), Checking))[1])
    return door.progress()


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [short_read, dropped_byte, flipped_answer, flipped_command, lost_answer, stall, unplug, killed],
    ids=lambda f: f.__name__,
)
def test_a_login_survives_a_fault_at_every_exchange(
    street: Street, ledger: SqliteLedger, tmp_path: Path, fault: Fault
) -> None:
    """Each round is a new life of the kiosk with the same ledger, guard and card."""
    card = VirtualPiv(KEY)
    street.far.insert(card)
    for at in range(40):
        street.arm(at, fault)
        with street.reading() as reader:
            door = build_door(reader, ledger, tmp_path)
            signed, failed = card.signatures, facts(ledger).count("login_failed")
            until(lambda: reader.slot().state is SlotState.READY or street.far.card is None)
            street.put_back(card, reader)
            shown = try_once(door)
            if not isinstance(shown, LoggedIn):
                assert card.tries_left >= 1
                assert GuardFile(tmp_path / "guard.json").load().failures == 1, "it was counted"
                assert facts(ledger).count("login_failed") == failed + 1, "and written"
                street.put_back(card, reader)
                assert isinstance(try_once(door), LoggedIn), "undisturbed, it works"
            assert card.signatures > signed, "nobody enters without a signature"
            assert card.tries_left == 3
            assert GuardFile(tmp_path / "guard.json").load().failures == 0
            door.log_out()
            door.step()
        assert facts(ledger).count("login") == at + 1, "each session is written once"
        assert facts(ledger).count("logout") == at + 1
        if not street.fired:
            break
    assert not street.fired, "the script ended before it survived"
    assert at >= 8, "a login is at least so many exchanges"
