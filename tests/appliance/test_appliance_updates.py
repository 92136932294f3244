"""A node takes a new version by its own command, and comes back by itself from one that cannot start.

One machine that is never touched in between: the boot loader, the slots and the health rule decide. The
bundles come on a stick; both are signed, and the second one's kernel is noise. Every write to the card is
logged, so that the power can be cut at any moment of both installations afterwards.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from rig.bench import BOOT_S, DATA, Bench, fill_site, plaza, wait_agent, wait_running
from rig.card import data_range, partitions, write_card
from rig.city import City
from rig.guest import Guest
from rig.machine import Disk, Machine
from rig.powercut import Cut, Fate, draw_cuts
from rig.prints import Prints
from rig.replay import Replayer
from rig.slots import COPIES, SIGNATURE, Version, slot_started, version_in
from rig.writelog import WriteLog, read_log

ROOT = Path(__file__).parents[2]
NEW, BROKEN = "0.9.1", "0.9.2"
INSTALL_S, REBOOT_S = 600.0, 400.0
CUTS = int(os.environ.get("PLAZA_DISK_UPDATE_CUTS", "24"))
SEED = 11

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif("PLAZA_APPLIANCE" not in os.environ, reason="NOT RUN: make test-appliance"),
]


@dataclass
class Updating:
    bench: Bench
    machine: Machine
    guest: Guest
    card: Path
    log_file: Path
    stick: str = "/run/proof/stick"
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By version, how many disk requests were completed before its installation and after it was up."""

    stopped: bool = False

    def rest(self) -> None:
        """Keep the journal and stop the machine's clock: what is left is done without it."""
        if not self.stopped:
            journal = self.guest.ask("journalctl", "-b", "--no-pager", "-o", "short-monotonic").out
            (self.bench.folder / "updates/journal.txt").write_text(journal)
            self.machine.qmp.ask("stop")
            self.stopped = True

    def slot(self) -> str:
        words = self.guest.run("cat", "/proc/cmdline").split()
        return next(w.removeprefix("rauc.slot=") for w in words if w.startswith("rauc.slot="))

    def status(self) -> dict[str, Any]:
        words = ("update", "status", "--json", "--data", DATA)
        return dict(json.loads(self.guest.run("/usr/local/bin/plaza", *words, timeout_s=BOOT_S)))

    def version(self) -> str:
        return str(json.loads(self.guest.run("cat", "/usr/lib/plaza/image.json"))["version"])

    def install(self, version: str) -> float:
        """Ask for it, and wait until a system is up again; seconds."""
        began, first = time.monotonic(), self.machine.logged()
        file = f"{self.stick}/plaza-vm-amd64-{version}.raucb"
        words = ("update", "install", file, "--data", DATA)
        self.guest.restart("/usr/local/bin/plaza", *words, within_s=INSTALL_S + REBOOT_S)
        self.spans[version] = (first, self.machine.logged())
        return round(time.monotonic() - began, 1)


def build_folder(images: Path, target: Path) -> Path:
    """A build folder beside the images' own: the next version, with everything shared that it can share."""
    target.mkdir(exist_ok=True)
    for name in ("tools", "base-amd64", "wheels-amd64", "keys"):
        if not (target / name).exists():
            (target / name).symlink_to(images / name)
    return target


@pytest.fixture(scope="module")
def stick(bench: Bench, images: Path) -> Path:
    """A stick with both bundles."""
    built = build_folder(images.resolve(), images.resolve().parent / "image-next")
    make = (
        str(ROOT / "images/build/make.py"),
        "--board",
        "vm-amd64",
        "--quick",
        "--out",
        str(built),
    )
    run(*make, "--version", NEW, "bundle")
    run(str(Path(__file__).parent / "broken_bundle.py"), str(built), BROKEN)
    folder, disk = bench.folder / "stick", bench.folder / "stick.img"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path in (
        built / f"vm-amd64/plaza-vm-amd64-{NEW}.raucb",
        built / f"broken-amd64/plaza-vm-amd64-{BROKEN}.raucb",
    ):
        (folder / path.name).hardlink_to(path)
    disk.unlink(missing_ok=True)
    disk.touch()
    os.truncate(disk, 2 << 30)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(folder), str(disk)], check=True)
    return disk


def run(*argv: str) -> None:
    done = subprocess.run([sys.executable, *argv], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


@pytest.fixture(scope="module")
def updating(bench: Bench, far_city: City, stick: Path) -> Iterator[Updating]:
    card = bench.card("updates", fill_site(far_city, 31, profile="portal"))
    write_card(card, bench.folder / "updates-before.img", card.stat().st_size)
    log_file = bench.folder / "updates.log"
    spec = bench.spec(card, radios=True, log=log_file)
    spec = replace(spec, disks=(*spec.disks, Disk(stick, read_only=True, name="stick")))
    with bench.start(spec, "updates") as machine:
        guest = wait_agent(machine)
        wait_running(guest)
        updating = Updating(bench, machine, guest, card, log_file)
        yield updating
        updating.rest()
    log_file.unlink()


def wait_status(updating: Updating, state: str, within_s: float = BOOT_S) -> dict[str, Any]:
    """Until the update program has come to this state. AssertionError with where it is instead."""
    until = time.monotonic() + within_s
    while (found := updating.status())["state"] != state:
        assert time.monotonic() < until, found
        time.sleep(8)  # each question starts a program, which an emulated processor feels
    return found


def plug_stick(updating: Updating) -> None:
    updating.guest.run("mkdir", "-p", updating.stick)
    updating.guest.run("mount", "-o", "ro", "/dev/disk/by-id/virtio-stick", updating.stick)


def test_a_new_version_is_installed_and_started_from_the_other_slot(updating: Updating) -> None:
    before = updating.version()
    assert updating.slot() == "A"
    plug_stick(updating)

    seconds = updating.install(NEW)

    updating.bench.note(update_seconds=seconds)
    assert (updating.slot(), updating.version()) == ("B", NEW)
    assert before != NEW
    assert wait_running(updating.guest) == "running"
    assert plaza(updating.guest, "sync", "verify").startswith("ok:")


def test_the_new_version_is_kept_once_it_is_called_good(updating: Updating) -> None:
    """Until then RAUC itself would name no slot to start: its rule for GRUB asks for no try at all."""
    on_trial, said = wait_status(updating, "trial"), updating.guest.ask("rauc", "status")
    updating.bench.note(rauc_on_trial=said.out + said.err)
    assert on_trial["trouble"] == ""
    assert said.code == 0

    words = ("update", "mark-good", "--data", DATA)
    updating.guest.run("/usr/local/bin/plaza", *words, timeout_s=BOOT_S)

    first, second = (updating.guest.run("cat", f"/boot/plaza/{name}") for name in COPIES)

    assert "B_OK=1" in first
    assert "B_TRY=0" in first
    assert second == first
    wait_status(updating, "idle")


def test_a_version_that_cannot_start_goes_back_by_itself(updating: Updating) -> None:
    plug_stick(updating)

    seconds = updating.install(BROKEN)

    updating.bench.note(way_back_seconds=seconds)
    assert (updating.slot(), updating.version()) == ("B", NEW)
    assert updating.machine.console.count("slot A cannot be started") == 3
    assert wait_running(updating.guest) == "running"
    assert wait_status(updating, "idle")["returned"] == {BROKEN: 1}
    assert plaza(updating.guest, "sync", "verify").startswith("ok:")


@pytest.mark.parametrize("version", [NEW, BROKEN])
def test_a_cut_at_any_moment_of_an_update_leaves_a_version_that_starts(
    updating: Updating, images: Path, version: str
) -> None:
    """By replay, with the boot loader's rule: what it starts in the end is whole, to the last byte.

    Any moment, and each moment around a write of the boot loader's counters.
    """
    first, last = updating.spans[version]
    updating.rest()
    with updating.log_file.open("rb") as file:
        log = read_log(file, updating.card.stat().st_size)
    assert isinstance(log, WriteLog), log
    upto = WriteLog(log.sector_size, log.entries[:last])
    before = updating.bench.folder / "updates-before.img"
    versions = known_versions(updating, images)
    counting = counter_cuts(upto, first, counters_at(updating.card))
    cuts = sorted((*draw_cuts(upto, CUTS, SEED, first=first), *counting), key=lambda cut: cut.at)
    ends: Counter[str] = Counter()
    with closing(
        Replayer(upto, updating.log_file, before, (0, data_range(before)[0]), updating.bench.folder)
    ) as replayer:
        for cut in cuts:
            with replayer.shown(cut) as prints:
                ends[f"slot {slot_started(prints, versions)}"] += 1
    updating.bench.note(
        **{f"update_cuts_{version}": dict(ends), f"of_counters_{version}": len(counting)}
    )

    assert "slot None" not in ends, ends
    assert sum(ends.values()) == CUTS + len(counting)
    assert len(counting) > 20


def counters_at(card: Path) -> set[int]:
    """Where on a card the sectors lie that hold the boot loader's counters."""
    start, length = partitions(card)[0].start, partitions(card)[0].length
    with card.open("rb") as file:
        file.seek(start)
        raw = file.read(length)
    found = {start + m.start() for m in re.finditer(re.escape(SIGNATURE), raw)}
    assert len(found) == len(COPIES), found
    return found


def counter_cuts(log: WriteLog, first: int, sectors: set[int]) -> tuple[Cut, ...]:
    """Each fate right before and right after each write of one of these sectors."""
    written = [
        number
        for number, entry in enumerate(log.entries[first:], first)
        if entry.is_write and any(entry.offset <= s < entry.offset + entry.length for s in sectors)
    ]
    moments = sorted({at for number in written for at in (number, number + 1)})
    return tuple(Cut(at, fate, SEED + at) for at in moments for fate in Fate)


def known_versions(updating: Updating, images: Path) -> tuple[Version, ...]:
    """What a slot may hold: the version of the image, and the new one as it runs now."""
    old = (images / "vm-amd64/rootfs.img").stat().st_size
    new = (images.resolve().parent / "image-next/vm-amd64/rootfs.img").stat().st_size
    before = updating.bench.folder / "updates-before.img"
    return (
        version_in(Prints(before), "A", old, "old"),
        version_in(Prints(updating.card), "B", new, NEW),
    )
