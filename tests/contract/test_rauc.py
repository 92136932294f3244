"""What the updates need of RAUC, of the simulated one and of Debian's own, with slots that are files.

The real one runs here as it does on a node: its service, a bus of its own, signed bundles. Only the start
loader is a script, and a restart of the machine is a restart of the service in the other slot.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pytest

from municipio.energy import Band
from municipio.facts import FactType
from municipio.wire.software import Bundle
from plaza.updates.journal import FileJournal
from plaza.updates.rauc import BundleFile, Mark, Rauc, RaucCommand, RaucTrouble, Slots
from plaza.updates.rauc_simulator import Board, SimulatedRauc, make_bundle
from plaza.updates.rules import Here, Moment, Window
from plaza.updates.state import Event, Journal, Source, State
from plaza.updates.updater import Did, Node, NoWayBack, Updater

COMPATIBLE = "plaza-vm-amd64"

LOADER = """#!/bin/sh
case "$1" in
get-primary) cat {state}/primary ;;
set-primary) echo "$2" > {state}/primary; echo good > {state}/"$2" ;;
get-state) cat {state}/"$2" ;;
set-state) echo "$3" > {state}/"$2" ;;
esac
"""
SYSTEM = """[system]
compatible={compatible}
bootloader=custom
mountprefix={home}/mnt
statusfile={home}/rauc.status
bundle-formats=plain verity
[handlers]
bootloader-custom-backend={home}/loader
[keyring]
path={home}/city.pem
[slot.rootfs.0]
device={home}/slot-a
type=raw
bootname=A
[slot.rootfs.1]
device={home}/slot-b
type=raw
bootname=B
"""
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={home}/bus</listen><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


class Machine(Protocol):
    @property
    def rauc(self) -> Rauc: ...

    def bundle(
        self, version: str, *, compatible: str = COMPATIBLE, signed: str = "city"
    ) -> Path: ...

    def start(self, slot: str) -> None: ...

    def content(self, slot: str) -> bytes: ...


class SimulatedMachine:
    def __init__(self, home: Path) -> None:
        self._home, self._board = home, Board()
        self._board.power_on()
        self.rauc: Rauc = SimulatedRauc(self._board)
        self.rauc.mark(Mark.GOOD)

    def bundle(self, version: str, *, compatible: str = COMPATIBLE, signed: str = "city") -> Path:
        return make_bundle(
            self._home / f"{version}.raucb", version, compatible=compatible, signed=signed
        )

    def start(self, slot: str) -> None:
        self._board.running = slot

    def content(self, slot: str) -> bytes:
        return repr(self._board.slots[slot]).encode()


class RealMachine:
    def __init__(self, home: Path) -> None:
        self._home = home
        for folder in ("mnt", "state"):
            (home / folder).mkdir()
        for slot, state in (("A", "good"), ("B", "bad")):
            (home / f"slot-{slot.lower()}").write_bytes(bytes(1 << 20))
            (home / "state" / slot).write_text(state)
        (home / "state" / "primary").write_text("A")
        (home / "loader").write_text(LOADER.format(state=home / "state"))
        (home / "loader").chmod(0o755)
        (home / "system.conf").write_text(SYSTEM.format(home=home, compatible=COMPATIBLE))
        (home / "bus.conf").write_text(BUS.format(home=home))
        self._environment = {
            "PATH": os.environ["PATH"],
            "DBUS_STARTER_BUS_TYPE": "session",
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={home}/bus",
        }
        for key in ("city", "stranger"):
            self._make_key(key)
        self._bus = self._spawn("dbus-daemon", f"--config-file={home}/bus.conf", "--nofork")
        self._wait(lambda: (home / "bus").exists(), "the bus")
        self._service: subprocess.Popen[bytes] | None = None
        self.rauc: Rauc = RaucCommand(
            "rauc", home / "system.conf", home / "city.pem", self._environment
        )
        self.start("A")

    def bundle(self, version: str, *, compatible: str = COMPATIBLE, signed: str = "city") -> Path:
        folder, file = self._home / f"in-{version}", self._home / f"{version}.raucb"
        folder.mkdir()
        (folder / "rootfs.img").write_bytes(version.encode() * 1000)
        (folder / "manifest.raucm").write_text(
            f"[update]\ncompatible={compatible}\nversion={version}\n[bundle]\nformat=plain\n"
            "[image.rootfs]\nfilename=rootfs.img\n"
        )
        keys = ("--cert", f"{self._home}/{signed}.pem", "--key", f"{self._home}/{signed}.key")
        self._call("rauc", *keys, "bundle", str(folder), str(file))
        return file

    def start(self, slot: str) -> None:
        self._stop_service()
        conf = str(self._home / "system.conf")
        self._service = self._spawn("rauc", "-c", conf, f"--override-boot-slot={slot}", "service")
        self._wait(lambda: isinstance(self.rauc.status(), Slots), "the service of RAUC")

    def content(self, slot: str) -> bytes:
        return (self._home / f"slot-{slot.lower()}").read_bytes()

    def close(self) -> None:
        self._stop_service()
        self._bus.send_signal(signal.SIGTERM)
        self._bus.wait(timeout=20)

    def _make_key(self, name: str) -> None:
        self._call(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-keyout", f"{self._home}/{name}.key", "-out", f"{self._home}/{name}.pem",
            "-days", "3650", "-subj", f"/CN={name}",
        )  # fmt: skip

    def _stop_service(self) -> None:
        if self._service is not None:
            self._service.send_signal(signal.SIGTERM)
            self._service.wait(timeout=20)
            self._service = None

    def _spawn(self, *words: str) -> subprocess.Popen[bytes]:
        log = (self._home / "log").open("ab")
        with log:
            return subprocess.Popen(words, stdout=log, stderr=log, env=self._environment)

    def _call(self, *words: str) -> None:
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def _wait(self, holds: object, what: str) -> None:
        assert callable(holds)
        end = time.monotonic() + 30
        while not holds():
            log = self._home / "log"
            assert time.monotonic() < end, f"{what}: {log.read_text() if log.exists() else ''}"
            time.sleep(0.05)


def _loops() -> bool:
    """RAUC mounts a bundle: that takes root and a loop device."""
    found = os.geteuid() == 0 and Path("/dev/loop-control").exists()
    return found and all(shutil.which(name) for name in ("rauc", "dbus-daemon", "openssl"))


REAL = pytest.param(
    "real", marks=pytest.mark.skipif(not _loops(), reason="needs root, rauc and loop devices")
)


@pytest.fixture(params=["simulated", REAL])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    if request.param == "simulated":
        yield SimulatedMachine(tmp_path)
        return
    real = RealMachine(tmp_path)
    try:
        yield real
    finally:
        real.close()


def slots(machine: Machine) -> Slots:
    found = machine.rauc.status()
    assert isinstance(found, Slots), found
    return found


def test_one_slot_runs_and_the_other_waits(machine: Machine) -> None:
    found = slots(machine)
    assert found.compatible == COMPATIBLE
    assert (found.booted.name, found.booted.bootname) == ("rootfs.0", "A")
    assert (found.other.name, found.other.bootname) == ("rootfs.1", "B")
    assert (found.booted.bootable, found.other.bootable) == (True, False)
    assert found.other.version == ""


def test_an_update_is_written_to_the_other_slot_and_starts_next(machine: Machine) -> None:
    file, running = machine.bundle("0.2.0"), machine.content("A")
    assert machine.rauc.info(file) == BundleFile(COMPATIBLE, "0.2.0")
    assert machine.rauc.install(file) is None
    found = slots(machine)
    assert (found.booted.bootname, found.other.bootname) == ("A", "B")
    assert (found.other.version, found.other.bootable) == ("0.2.0", True)
    assert b"0.2.0" in machine.content("B")
    assert machine.content("A") == running
    machine.start("B")
    assert slots(machine).booted.bootname == "B"
    assert slots(machine).booted.version == "0.2.0"


@pytest.mark.parametrize(("compatible", "signed"), [("plaza-pi", "city"), (COMPATIBLE, "stranger")])
def test_what_is_for_another_board_or_not_the_citys_changes_no_slot(
    machine: Machine, compatible: str, signed: str
) -> None:
    before = [machine.content(slot) for slot in "AB"]
    file = machine.bundle("0.2.0", compatible=compatible, signed=signed)
    if signed != "city":
        assert isinstance(machine.rauc.info(file), RaucTrouble)
    trouble = machine.rauc.install(file)
    assert isinstance(trouble, RaucTrouble)
    assert trouble.detail
    assert [machine.content(slot) for slot in "AB"] == before
    assert slots(machine).booted.bootable


def test_what_is_no_bundle_at_all_is_told(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "foto.raucb").write_bytes(b"\xff\xd8" * 100_000)
    for file in (tmp_path / "foto.raucb", tmp_path / "no-hay.raucb"):
        assert isinstance(machine.rauc.info(file), RaucTrouble)
        assert isinstance(machine.rauc.install(file), RaucTrouble)
    assert slots(machine).booted.bootable


def test_the_start_loader_is_told_what_is_good_and_what_is_next(machine: Machine) -> None:
    assert machine.rauc.install(machine.bundle("0.2.0")) is None
    assert machine.rauc.mark(Mark.BAD, other=True) is None
    assert not slots(machine).other.bootable
    assert machine.rauc.mark(Mark.ACTIVE, other=True) is None
    assert slots(machine).other.bootable
    machine.start("B")
    assert machine.rauc.mark(Mark.BAD) is None
    assert not slots(machine).booted.bootable
    assert machine.rauc.mark(Mark.GOOD) is None
    assert slots(machine).booted.bootable


NIGHT = datetime(2026, 1, 20, 3, 0)  # noqa: DTZ001 - the hour of the place


class Place:
    """A node around the slots: its journal on the disk, what it told the city, how often it started."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine, self.journal = machine, FileJournal(folder / "updates")
        self.told: list[tuple[FactType, dict[str, Any]]] = []
        self.boot, self.version, self.restarts = 1, "0.1.0", 0

    def updater(self) -> Updater:
        node = Node(
            f"boot-{self.boot}", lambda: 0, Here(self.version, "vm-amd64", 5, 3, NIGHT), Window(2, 5),
            lambda told: Moment(Band.FULL, None, told), str, self.tell, self.restart,
        )  # fmt: skip
        return Updater(node, self.journal, self.machine.rauc)

    def tell(self, kind: FactType, data: Mapping[str, Any]) -> bool:
        self.told.append((kind, dict(data)))
        return True

    def restart(self) -> None:
        self.restarts += 1

    def bring(self, version: str) -> None:
        bundle = Bundle(version, "vm-amd64", 5, 1, 9, None, False, "", 1, "")
        file = str(self.machine.bundle(version))
        self.journal.move(
            Event.BROUGHT, bundle=bundle, version=version, file=file, source=Source.HAND, told=True
        )

    def start(self, slot: str, version: str) -> None:
        self.boot, self.version = self.boot + 1, version
        self.machine.start(slot)

    def state(self) -> State:
        return self.journal.read().state


@pytest.fixture
def place(machine: Machine, tmp_path: Path) -> Place:
    return Place(machine, tmp_path)


def installed(place: Place, version: str) -> None:
    place.bring(version)
    updater = place.updater()
    assert updater.advance() is Did.INSTALLED
    assert updater.advance() is Did.STARTING
    assert place.state() is State.INSTALLED


def test_a_version_that_serves_stays(place: Place) -> None:
    installed(place, "0.2.0")
    place.start("B", "0.2.0")
    updater = place.updater()
    journal = updater.started()
    assert isinstance(journal, Journal)
    assert journal.state is State.TRIAL
    assert (place.journal.folder / "trial-B").exists()
    kept = updater.found_good()
    assert isinstance(kept, Journal), kept
    assert kept == Journal(boot="boot-2")
    assert slots(place.machine).booted.bootable
    assert place.told == [
        (FactType.NODE_UPDATED, {"version": "0.2.0", "ring": 3, "before": "0.1.0", "slot": "B"})
    ]


def test_a_version_that_does_not_serve_goes_and_is_not_taken_again(place: Place) -> None:
    installed(place, "0.2.0")
    place.start("B", "0.2.0")
    updater = place.updater()
    updater.started()
    assert updater.found_bad("portal: no answer") is Did.STARTING
    found = slots(place.machine)
    assert (found.booted.bootable, found.other.bootable) == (False, True)
    place.start("A", "0.1.0")
    journal = place.updater().started()
    assert isinstance(journal, Journal)
    assert (journal.state, journal.returned) == (State.IDLE, {"0.2.0": 2})
    assert not slots(place.machine).other.bootable
    kind, data = place.told[-1]
    assert (kind, data["cause"], data["detail"]) == (
        FactType.NODE_UPDATE_RETURNED, "unhealthy", "portal: no answer",
    )  # fmt: skip


def test_a_version_that_does_not_start_is_noticed_in_the_old_one(place: Place) -> None:
    installed(place, "0.2.0")
    place.start("A", "0.1.0")
    journal = place.updater().started()
    assert isinstance(journal, Journal)
    assert (journal.state, journal.returned) == (State.IDLE, {"0.2.0": 1})
    assert place.told[-1][1]["cause"] == "not_started"
    assert slots(place.machine).booted.bootable


def test_a_person_goes_back_and_nothing_takes_it_there_again(place: Place) -> None:
    installed(place, "0.2.0")
    place.start("B", "0.2.0")
    place.updater().started()
    place.updater().found_good()
    assert place.updater().go_back() is Did.STARTING
    place.start("A", "0.1.0")
    journal = place.updater().started()
    assert isinstance(journal, Journal)
    assert journal.returned == {"0.2.0": 2}
    assert place.told[-1][1]["cause"] == "by_hand"


def test_without_another_version_there_is_no_way_back(place: Place) -> None:
    assert place.updater().go_back() == NoWayBack()
    assert place.state() is State.IDLE
    assert place.restarts == 0


def test_a_file_that_is_not_what_it_was_called_is_let_go(place: Place) -> None:
    place.bring("0.2.0")
    place.journal.note(version="0.3.0")
    assert isinstance(place.updater().advance(), RaucTrouble)
    assert place.state() is State.IDLE
    assert Path(place.machine.bundle("0.4.0")).exists()
