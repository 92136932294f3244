"""A node takes a new version by its own command, and comes back by itself from one that cannot start.

One machine that is never touched in between: the boot loader, the slots and the health rule decide. The
bundles come on a stick; both are signed, and the second one's kernel is noise.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rig.bench import Bench, fill_site, plaza, wait_agent, wait_running
from rig.city import City
from rig.guest import Guest
from rig.machine import Disk, Machine

ROOT = Path(__file__).parents[2]
NEW, BROKEN = "0.9.1", "0.9.2"
REBOOT_S = 400.0

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
    stick: str = "/run/proof/stick"

    def slot(self) -> str:
        words = self.guest.run("cat", "/proc/cmdline").split()
        return next(w.removeprefix("rauc.slot=") for w in words if w.startswith("rauc.slot="))

    def status(self) -> dict[str, Any]:
        said = self.guest.run(
            "/usr/local/bin/plaza", "update", "status", "--json", "--data", "/var/lib/plaza"
        )
        return dict(json.loads(said))

    def version(self) -> str:
        return str(json.loads(self.guest.run("cat", "/usr/lib/plaza/image.json"))["version"])

    def install(self, version: str) -> float:
        """Ask for it, and wait until a system is up again; seconds."""
        began = time.monotonic()
        file = f"{self.stick}/plaza-vm-amd64-{version}.raucb"
        done = self.guest.ask(
            "/usr/local/bin/plaza",
            "update",
            "install",
            file,
            "--data",
            "/var/lib/plaza",
            timeout_s=600,
        )
        assert done.code == 0, done.out + done.err
        self.guest.wait(REBOOT_S)
        return round(time.monotonic() - began, 1)


@pytest.fixture(scope="module")
def stick(bench: Bench, images: Path) -> Path:
    """A stick with both bundles."""
    python = sys.executable
    make = [python, str(ROOT / "images/build/make.py"), "bundle", "--board", "vm-amd64", "--quick"]
    subprocess.run([*make, "--version", NEW, "--out", str(images)], check=True, timeout=900)
    script = str(Path(__file__).parent / "broken_bundle.py")
    subprocess.run([python, script, str(images), BROKEN], check=True, timeout=600)
    folder = bench.folder / "stick"
    folder.mkdir(exist_ok=True)
    for path in (
        *(images / "vm-amd64").glob(f"*{NEW}.raucb"),
        *(images / "broken-amd64").glob("*.raucb"),
    ):
        (folder / path.name).unlink(missing_ok=True)
        (folder / path.name).hardlink_to(path)
    disk = bench.folder / "stick.img"
    disk.unlink(missing_ok=True)
    with disk.open("wb") as file:
        file.truncate(2 << 30)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(folder), str(disk)], check=True)
    return disk


@pytest.fixture(scope="module")
def updating(bench: Bench, city: City, stick: Path) -> Iterator[Updating]:
    card = bench.card("updates", fill_site(city, 31, profile="portal"))
    spec = bench.spec(card, radios=True)
    spec = replace(spec, disks=(*spec.disks, Disk(stick, read_only=True, name="stick")))
    with bench.start(spec, "updates") as machine:
        guest = wait_agent(machine)
        wait_running(guest)
        yield Updating(bench, machine, guest)
        journal = guest.ask("journalctl", "-b", "--no-pager", "-o", "short-monotonic").out
        (bench.folder / "updates/journal.txt").write_text(journal)


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
    plaza(updating.guest, "update", "mark-good")

    environment = updating.guest.run("cat", "/boot/plaza/grubenv")

    assert "B_OK=1" in environment
    assert "B_TRY=0" in environment


def test_a_version_that_cannot_start_goes_back_by_itself(updating: Updating) -> None:
    plug_stick(updating)

    seconds = updating.install(BROKEN)

    updating.bench.note(way_back_seconds=seconds, status_after=updating.status())
    assert (updating.slot(), updating.version()) == ("B", NEW)
    assert updating.machine.console.count("slot A cannot be started") >= 1
    assert wait_running(updating.guest) == "running"
    assert plaza(updating.guest, "sync", "verify").startswith("ok:")
