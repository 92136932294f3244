"""A technician at the kiosk: what opens the door, what never does, and what is written down."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hardware.card import protocol
from hardware.card.apdu import run
from hardware.card.protocol import Looked
from hardware.card.status import device_status
from hardware.card.virtual_piv import VirtualPiv, certificate, new_key, public_der
from kiosk.usecases.technician_login import TechnicianLogin
from kiosk.usecases.technician_progress import (
    Access,
    BadCard,
    Checking,
    EnterPin,
    InsertCard,
    Limit,
    LoggedIn,
    LoggedOut,
    NoAccess,
    NoReader,
    Refusal,
    WaitToTry,
)
from municipio.clock import Instant, TimeQuality
from municipio.devices import (
    CardGone,
    CardTrouble,
    DeviceStatus,
    Pin,
    Proof,
    Slot,
    SlotState,
)
from municipio.facts import FactDraft, decode_fact
from municipio.technicians import (
    IDLE_MS,
    OVERALL_MS,
    Guard,
    Role,
    SessionEnd,
    Technician,
    TechnicianList,
)
from municipio.usecases.ports import NotRecorded, NotRecordedCause, Recorded
from municipio.wire.technician_list import ListTrouble, encode_list
from sync.allow_list import AllowList, GuardFile
from sync.ledger import SqliteLedger, open_ledger

CITY = Ed25519PrivateKey.generate()
KEY = new_key()
NOON = datetime(2026, 1, 20, 18, tzinfo=UTC)
DAY = date(2026, 1, 20)
READER = "Virtual PCD 00 00"


@dataclass
class Time:
    """Both clocks of a node, moved by hand."""

    time: datetime | None = NOON
    quality: TimeQuality = TimeQuality.SYNCED
    boot: str = "boot-1"
    ms: int = 10_000

    def now(self) -> Instant:
        return Instant(self.time, self.quality, self.boot, self.ms)

    def today(self) -> date | None:
        return None if self.time is None else self.time.date()

    def pass_s(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)
        if self.time is not None:
            self.time += timedelta(seconds=seconds)


@dataclass
class OneReader:
    """A reader without PC/SC: the same protocol straight into a virtual card."""

    card: VirtualPiv | None = None
    insertion: int = 0
    broken: str = ""
    lost: bool = False

    def insert(self, card: VirtualPiv) -> None:
        self.card, self.insertion = card, self.insertion + 1

    def remove(self) -> None:
        self.card = None

    def status(self) -> DeviceStatus:
        return device_status(self.slot())

    def slot(self) -> Slot:
        if self.lost:
            return Slot(SlotState.UNKNOWN, "no_service", insertion=self.insertion)
        if self.card is None:
            return Slot(SlotState.NO_CARD, insertion=self.insertion)
        seen = run(protocol.look(), self.card.answer)
        if not isinstance(seen, Looked):
            return Slot(SlotState.CARD_ERROR, seen.cause.value, READER, self.insertion)
        return Slot(SlotState.READY, "", READER, self.insertion, seen.tries_left, seen.public_key)

    def prove(
        self, insertion: int, pin: Pin, message: bytes, *, spend_last_try: bool = False
    ) -> Proof:
        if self.card is None or insertion != self.insertion:
            return CardGone()
        if self.broken:
            return CardTrouble(self.broken)
        card = self.card
        key = self.slot().public_key
        proof = run(protocol.prove(pin, message, key, spend_last_try=spend_last_try), card.answer)
        card.reset()
        return proof


class FullDisk:
    """The node's ledger, which takes nothing while `full`."""

    def __init__(self, ledger: SqliteLedger) -> None:
        self._ledger = ledger
        self.full = False

    def record(self, draft: FactDraft) -> Recorded | NotRecorded:
        if self.full:
            return NotRecorded(NotRecordedCause.DISK_FULL, "")
        return self._ledger.record(draft)


@dataclass
class Node:
    folder: Path
    ledger: SqliteLedger
    time: Time = field(default_factory=Time)
    reader: OneReader = field(default_factory=OneReader)
    disk: FullDisk = field(init=False)
    door: TechnicianLogin = field(init=False)

    def __post_init__(self) -> None:
        self.disk = FullDisk(self.ledger)
        self.trust(person())
        self.restart()

    @property
    def list_file(self) -> Path:
        return self.folder / "technicians.json"

    def trust(self, *people: Technician, serial: int = 1, last: date | None = None) -> None:
        until = last or DAY + timedelta(days=30)
        listed = TechnicianList("30039", serial, DAY, until, people)
        self.list_file.write_bytes(encode_list(listed, CITY.sign))

    def restart(self) -> None:
        allowed = AllowList(self.list_file, CITY.public_key(), "30039")
        self.door = TechnicianLogin(
            reader=self.reader,
            ledger=self.disk,  # type: ignore[arg-type]  # the one method of Ledger that a login needs
            allow_list=allowed.read,
            guard_store=GuardFile(self.folder / "guard.json"),
            now=self.time.now,
            today=self.time.today,
            new_challenge=lambda: b"c" * 32,
            node_code="COA007",
        )
        self.door.step()

    def shown(self) -> object:
        self.door.step()
        return self.door.progress()

    def insert(self, card: VirtualPiv) -> object:
        self.reader.insert(card)
        return self.shown()

    def enter(self, pin: str = "123456", *, spend_last_try: bool = False) -> object:
        assert isinstance(self.shown(), EnterPin)
        assert self.door.enter_pin(Pin(pin), spend_last_try=spend_last_try)
        return self.shown()

    def facts(self) -> list[tuple[str, str, str]]:
        with self.ledger.reading() as connection:
            rows = list(connection.execute("SELECT body FROM fact ORDER BY seq"))
        data = [decode_fact(body).data for (body,) in rows]
        assert all(set(d) == {"action", "technician", "reader", "cause"} for d in data)
        return [(d["action"], d["technician"], d["cause"]) for d in data]


def person(key: object = None, **changes: object) -> Technician:
    public = public_der(key or KEY)  # type: ignore[arg-type]  # either kind of key
    one = Technician("T-014", public, frozenset(Role), DAY, DAY + timedelta(days=365))
    return replace(one, **changes)  # type: ignore[arg-type]  # fields of Technician


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    time = Time()

    class Clock:
        def now(self) -> Instant:
            return time.now()

    ledger = open_ledger(tmp_path / "ledger.sqlite", Clock(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    yield Node(tmp_path, ledger, time)
    ledger.close()


def test_card_and_pin_open_the_door_and_taking_the_card_closes_it(node: Node) -> None:
    assert node.shown() == InsertCard()
    assert node.insert(VirtualPiv(KEY)) == EnterPin("T-014", 3, False)
    inside = node.enter()

    assert isinstance(inside, LoggedIn)
    assert (inside.technician.id, inside.access, inside.limit) == ("T-014", Access.FULL, None)
    node.reader.remove()
    assert node.door.progress() == LoggedOut(SessionEnd.CARD_OUT), "at once, before any step"
    node.shown()
    assert node.facts() == [("login", "T-014", ""), ("logout", "T-014", "card_out")]


def test_an_rsa_card_opens_the_door_too(node: Node) -> None:
    key = new_key("rsa2048")
    node.trust(person(key))
    node.insert(VirtualPiv(key))

    assert isinstance(node.enter(), LoggedIn)


def test_another_card_put_in_quickly_does_not_inherit_the_session(node: Node) -> None:
    node.insert(VirtualPiv(KEY))
    node.enter()
    node.reader.insert(VirtualPiv(KEY))

    assert node.door.progress() == LoggedOut(SessionEnd.CARD_OUT)


def test_a_pin_goes_to_the_card_that_the_person_saw_or_nowhere(node: Node) -> None:
    node.insert(VirtualPiv(KEY))
    other = VirtualPiv(KEY)
    node.reader.insert(other)
    assert node.door.enter_pin(Pin("123456"))

    assert node.shown() == EnterPin("T-014", 3, False)
    assert other.presented == 0


def test_a_copied_certificate_is_not_a_login(node: Node) -> None:
    clone = VirtualPiv(new_key(), shown=certificate(KEY))
    node.insert(clone)
    shown = node.enter()

    assert shown == EnterPin("T-014", 3, False, Refusal.NOT_THE_KEY)
    assert clone.signatures == 1, "it signed, with the wrong key"
    assert node.facts() == [("login_failed", "T-014", "not_the_key")]


def test_a_card_that_replays_an_old_signature_is_not_a_login(node: Node) -> None:
    genuine = VirtualPiv(KEY)
    old = run(
        protocol.prove(Pin("123456"), b"another", public_der(KEY), spend_last_try=False),
        genuine.answer,
    )
    assert isinstance(old, protocol.Proved)

    class Replaying(OneReader):
        def prove(
            self, insertion: int, pin: Pin, message: bytes, *, spend_last_try: bool = False
        ) -> Proof:
            return old

    node.reader = Replaying()
    node.restart()
    node.insert(VirtualPiv(KEY))

    assert node.enter() == EnterPin("T-014", 3, False, Refusal.NOT_THE_KEY)


def test_an_unknown_card_is_refused_before_its_pin_and_noted_once(node: Node) -> None:
    stranger = VirtualPiv(new_key())

    assert node.insert(stranger) == NoAccess(Refusal.UNKNOWN_CARD)
    assert not node.door.enter_pin(Pin("123456"))
    node.shown()
    assert stranger.presented == 0
    assert node.facts() == [("login_failed", "", "unknown_card")]


@pytest.mark.parametrize(
    ("spoil", "trouble"),
    [
        (lambda raw: raw.replace(b"T-014", b"T-015"), ListTrouble.BAD_SIGNATURE),
        (lambda raw: b"{}", ListTrouble.MALFORMED),
        (lambda raw: b"", ListTrouble.MALFORMED),
    ],
)
def test_a_list_that_the_city_did_not_sign_opens_nothing(
    node: Node, spoil: object, trouble: ListTrouble
) -> None:
    node.list_file.write_bytes(spoil(node.list_file.read_bytes()))  # type: ignore[operator]  # a function

    assert node.insert(VirtualPiv(KEY)) == NoAccess(Refusal.NO_LIST, trouble.value)
    assert not node.door.enter_pin(Pin("123456"))


def test_without_a_list_nobody_enters_and_a_new_list_is_taken_at_once(node: Node) -> None:
    node.list_file.unlink()
    assert node.insert(VirtualPiv(KEY)) == NoAccess(Refusal.NO_LIST, "missing")
    node.trust(person())

    assert isinstance(node.shown(), EnterPin)


def test_an_older_list_is_a_replay_even_after_a_restart(node: Node) -> None:
    node.trust(person(), serial=5)
    node.insert(VirtualPiv(KEY))
    node.trust(person(), serial=4)
    node.restart()

    assert node.shown() == NoAccess(Refusal.NO_LIST, "older")


def test_an_expired_list_or_badge_opens_nothing(node: Node) -> None:
    node.insert(VirtualPiv(KEY))
    node.trust(person(valid_until=DAY), serial=2)
    node.time.pass_s(86_400)
    assert node.shown() == NoAccess(Refusal.PERSON_EXPIRED, "T-014")
    node.trust(person(), serial=3, last=DAY)
    assert node.shown() == NoAccess(Refusal.LIST_EXPIRED)
    node.time.quality = TimeQuality.FLOOR
    assert node.shown() == NoAccess(Refusal.LIST_EXPIRED), "a lower bound proves it too"


@pytest.mark.parametrize("time", [None, NOON, NOON - timedelta(days=300)])
def test_with_an_unsure_clock_a_technician_may_diagnose_and_no_more(
    node: Node, time: datetime | None
) -> None:
    node.time.time = time
    node.time.quality = TimeQuality.FLOOR if time else TimeQuality.UNKNOWN
    node.insert(VirtualPiv(KEY))
    inside = node.enter()

    assert isinstance(inside, LoggedIn)
    assert (inside.access, inside.limit) == (Access.DIAGNOSIS, Limit.TIME_UNSURE)
    assert node.facts() == [("login", "T-014", "time_unsure")]


def test_wrong_pins_count_on_the_card_and_the_last_one_asks_first(node: Node) -> None:
    card = VirtualPiv(KEY)
    node.insert(card)
    assert node.enter("000000") == EnterPin("T-014", 2, False, Refusal.WRONG_PIN)
    assert node.enter("000000") == EnterPin("T-014", 1, True, Refusal.WRONG_PIN)
    assert node.enter("000000") == EnterPin("T-014", 1, True, Refusal.LAST_TRY)
    assert card.presented == 2
    assert node.enter("000000", spend_last_try=True) == BadCard("blocked")
    assert card.tries_left == 0


def test_after_five_failures_the_kiosk_waits_and_a_restart_waits_on(node: Node) -> None:
    for _ in range(5):
        node.insert(VirtualPiv(KEY))
        shown = node.enter("000000")
    assert shown == WaitToTry(15, Refusal.WRONG_PIN)
    assert not node.door.enter_pin(Pin("123456"))
    node.time.pass_s(14)
    node.restart()
    assert node.shown() == WaitToTry(1)
    node.time.boot, node.time.ms = "boot-2", 500
    node.time.quality = TimeQuality.FLOOR
    node.restart()
    assert node.shown() == WaitToTry(15), "a power cut starts the wait anew"
    node.time.pass_s(15)
    node.time.quality = TimeQuality.SYNCED
    assert node.enter("000000") == WaitToTry(30, Refusal.WRONG_PIN)
    node.time.pass_s(30)
    node.insert(VirtualPiv(KEY))
    assert isinstance(node.enter(), LoggedIn)
    assert GuardFile(node.folder / "guard.json").load().failures == 0


def test_power_cut_in_the_middle_of_a_try_has_counted_it(node: Node) -> None:
    class CutOff(OneReader):
        def prove(
            self, insertion: int, pin: Pin, message: bytes, *, spend_last_try: bool = False
        ) -> Proof:
            raise KeyboardInterrupt

    node.reader = CutOff()
    node.restart()
    node.insert(VirtualPiv(KEY))
    pin = Pin("123456")
    assert node.door.enter_pin(pin)
    with pytest.raises(KeyboardInterrupt):
        node.door.step()

    assert GuardFile(node.folder / "guard.json").load().failures == 1
    with pytest.raises(AssertionError):
        pin.padded()


def test_a_damaged_guard_counts_against_guessing(node: Node) -> None:
    (node.folder / "guard.json").write_text("{")
    node.restart()
    node.insert(VirtualPiv(KEY))

    assert node.shown() == WaitToTry(15)


def test_a_card_pulled_in_the_middle_of_a_try_is_said_and_counted(node: Node) -> None:
    node.insert(VirtualPiv(KEY))
    assert node.door.enter_pin(Pin("123456"))
    assert node.door.progress() == Checking()
    node.reader.remove()

    assert node.shown() == InsertCard()
    node.insert(VirtualPiv(KEY))
    node.reader.broken = "garbled"
    assert node.enter() == EnterPin("T-014", 3, False, Refusal.CARD_TROUBLE)
    assert node.facts() == [("login_failed", "T-014", "card_trouble")]


def test_a_session_ends_by_idling_or_by_its_twelve_hours(node: Node) -> None:
    node.insert(VirtualPiv(KEY))
    node.enter()
    node.time.ms += IDLE_MS - 30_000
    inside = node.shown()
    assert isinstance(inside, LoggedIn)
    assert (inside.left_s, inside.warning) == (30, SessionEnd.IDLE)
    node.door.touch()
    node.time.ms += IDLE_MS
    assert node.door.progress() == LoggedOut(SessionEnd.IDLE)
    assert node.shown() == LoggedOut(SessionEnd.IDLE), "until somebody begins again"
    node.door.begin()
    assert isinstance(node.shown(), EnterPin)
    node.enter()
    for _ in range(OVERALL_MS // (IDLE_MS - 1000) + 1):
        node.time.ms += IDLE_MS - 1000
        node.door.touch()
    assert node.shown() == LoggedOut(SessionEnd.OVERALL)
    assert [f[2] for f in node.facts() if f[0] == "logout"] == ["idle", "overall"]


def test_a_technician_logs_out_by_asking(node: Node) -> None:
    node.insert(VirtualPiv(KEY))
    node.enter()
    node.door.log_out()

    assert node.shown() == LoggedOut(SessionEnd.ASKED)
    assert node.facts()[-1] == ("logout", "T-014", "asked")


def test_a_reader_that_is_lost_ends_the_session(node: Node) -> None:
    node.insert(VirtualPiv(KEY))
    node.enter()
    node.reader.lost = True

    assert node.shown() == LoggedOut(SessionEnd.READER_LOST)
    node.door.begin()
    assert node.shown() == NoReader(SlotState.UNKNOWN, "no_service")


def test_the_end_of_the_program_is_written_as_a_logout(node: Node) -> None:
    node.insert(VirtualPiv(KEY))
    node.enter()
    node.door.close()

    assert node.facts()[-1] == ("logout", "T-014", "closed")


def test_what_cannot_be_written_down_gives_no_more_than_diagnosis(node: Node) -> None:
    node.insert(VirtualPiv(KEY))
    node.disk.full = True
    inside = node.enter()

    assert isinstance(inside, LoggedIn)
    assert (inside.access, inside.limit) == (Access.DIAGNOSIS, Limit.NOT_RECORDED)
    node.disk.full = False
    node.shown()
    assert node.facts() == [("login", "T-014", "")], "written once the ledger takes it"


def test_the_pin_is_nowhere_afterwards(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    card = VirtualPiv(KEY, pin="86753090")
    node.insert(card)
    pin = Pin("86753090")
    node.door.enter_pin(pin)
    inside = node.shown()
    node.ledger.close()
    stored = b"".join(p.read_bytes() for p in node.folder.iterdir() if p.is_file())

    assert isinstance(inside, LoggedIn)
    assert b"86753090" not in stored
    assert "86753090" not in caplog.text + repr(inside) + repr(vars(node.door)) + repr(pin)
    with pytest.raises(TypeError, match="not stored"):
        pickle.dumps(Pin("86753090"))


def test_a_guard_that_the_disk_refuses_is_said(tmp_path: Path) -> None:
    assert not GuardFile(tmp_path / "missing" / "guard.json").save(Guard(3))
    assert GuardFile(tmp_path / "guard.json").save(Guard(3))
    assert GuardFile(tmp_path / "guard.json").load() == Guard(3)
