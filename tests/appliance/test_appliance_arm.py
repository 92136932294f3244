"""The card of 64-bit ARM: U-Boot chooses and counts, systemd starts everything, a phone's page is answered;
the node takes a new version, which U-Boot starts from the other slot.

Only `make test-arm` asks for it: without a processor of the kind every instruction is translated.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rig.arm import Pi3, arm_spec, make_obey
from rig.bench import (
    DATA,
    Bench,
    failed,
    fill_site,
    plaza,
    wait_active,
    wait_agent,
    wait_rest,
    wait_running,
)
from rig.card import get_file, write_card
from rig.city import City
from rig.guest import PYTHON, Guest, agent_disk
from rig.hostnet import HostNet
from rig.machine import Disk, Machine, Spec
from rig.stick import make_stick, next_bundle

START_S = 1800.0
NEW = "0.9.1"
STICK = "/run/proof/stick"
UNITS = ("plaza-portal", "plaza-sync", "plaza-gate", "plaza-names", "plaza-filter")
GET = """\
import sys, urllib.request
asked = urllib.request.Request(sys.argv[1], headers={"Host": sys.argv[2]})
with urllib.request.urlopen(asked, timeout=100) as answer:
    print(answer.status, answer.read().decode())
"""
HERE = Path(__file__).parent
PROOF = Path(os.environ.get("PLAZA_PROOF_FOLDER", HERE.parents[1] / "build/proof"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif("PLAZA_APPLIANCE_ARM" not in os.environ, reason="NOT RUN: make test-arm"),
]


SLOT = "Plaza: slot A"
PI_STEPS = {
    "kernel": "Raspberry Pi 3 Model B",
    "card": "card at /dev/mmcblk",
    "data": "data grows to",
    "systemd": "systemd[1]",
    "first boot": "plaza-firstboot",
    "everything": "Startup finished in",
}


def wait_counters(card: Path, wanted: bytes, within_s: float = 600) -> bool:
    """Whether the boot counters on the card come to say this."""
    until = time.monotonic() + within_s
    while wanted not in (get_file(card, "slots.env") or b""):
        if time.monotonic() > until:
            return False
        time.sleep(2)
    return True


def test_a_pi_3_starts_from_its_card_as_far_as_the_emulator_goes(images: Path) -> None:
    """U-Boot, SD controller, device tree, verified root, systemd, until the node calls its version good.

    There is no board's firmware and no radio. Before the others, so that their machine does not take the
    time of this one.
    """
    image = images / "pi/plaza-pi.img"
    assert image.is_file(), f"there is no image at {image}: make image BOARD=pi"
    folder = PROOF / "pi3"
    folder.mkdir(parents=True, exist_ok=True)
    card = write_card(image, folder / "card.img", 4 << 30)
    with Pi3(card, folder) as pi:
        seconds = {"slot": pi.wait_said(SLOT, START_S)}
        counted = get_file(card, "slots.env") or b""
        seconds |= {name: pi.wait_said(text, START_S) for name, text in PI_STEPS.items()}
        given_back = wait_counters(card, b"BOOT_A_LEFT=3")
    Bench(image, folder, ()).note(pi3_seconds=seconds)
    assert b"BOOT_A_LEFT=2" in counted
    assert given_back, "the node did not call its version good"
    card.unlink()


@dataclass
class Node:
    bench: Bench
    card: Path
    spec: Spec
    machine: Machine
    guest: Guest


@pytest.fixture(scope="module")
def stick(images: Path) -> Path:
    """A stick with the next version for this board."""
    PROOF.mkdir(parents=True, exist_ok=True)
    bundle = next_bundle(images, "vm-arm64", "arm64", NEW)
    return make_stick(PROOF / "arm-stick.img", bundle)


@pytest.fixture(scope="module")
def node(images: Path, city: City, net: HostNet, stick: Path) -> Iterator[Node]:
    image = images / "vm-arm64/plaza-vm-arm64.img"
    uboot = images / "firmware/root/usr/lib/u-boot/qemu_arm64/u-boot.bin"
    assert image.is_file(), f"there is no image at {image}: make image BOARD=vm-arm64"
    bench = Bench(image, PROOF, (HERE / "inside/agent.py",))
    card = bench.card("arm", fill_site(city, 64, profile="portal"))
    agent = agent_disk(bench.agent, bench.folder / "arm.tar")
    spec = replace(arm_spec(card, agent, uboot, bench.folder / "arm"), network=net)
    spec = replace(spec, disks=(*spec.disks, Disk(stick, read_only=True, name="stick")))
    with ExitStack() as machines:
        machine = machines.enter_context(bench.start(spec, "arm"))
        node = Node(bench, card, spec, machine, wait_agent(machine, START_S))
        machines.callback(lambda: node.machine.cut())
        yield node
        keep_journal(node)
    card.unlink()
    stick.unlink()


def keep_journal(node: Node) -> None:
    """What the node wrote of itself, into its machine's folder."""
    said = node.guest.ask("journalctl", "-b", "--no-pager", "-o", "short-monotonic").out
    (node.machine.folder / "journal.txt").write_text(said)


def test_u_boot_chooses_the_slot_and_counts_a_try(node: Node) -> None:
    assert SLOT in node.machine.console
    assert b"BOOT_A_LEFT=2" in (get_file(node.card, "slots.env") or b"")
    words = node.guest.run("cat", "/proc/cmdline")
    assert "plaza.loader=uboot" in words
    assert "rauc.slot=A" in words


def test_the_first_start_ends_with_every_unit_running(node: Node) -> None:
    assert wait_running(node.guest, START_S) == "running", failed(node.guest)
    node.bench.note(arm_boot_seconds=wait_active(node.guest, UNITS, START_S))


def test_the_root_is_verified_and_this_is_the_board(node: Node) -> None:
    assert "verity" in node.guest.run("dmsetup", "table")
    assert '"board": "vm-arm64"' in node.guest.run("cat", "/usr/lib/plaza/image.json")
    assert node.guest.run("uname", "-m").strip() == "aarch64"


def test_the_portal_answers(node: Node) -> None:
    """On its own port: port 80 leads there for guests alone, and a node is not a guest of its own."""
    answer = node.guest.run(PYTHON, "-c", GET, "http://127.0.0.1:8380/", "10.66.0.1")

    assert answer.startswith("200"), answer[:300]
    assert "Plaza de prueba" in answer


def test_rauc_knows_both_slots(node: Node) -> None:
    said = node.guest.run("rauc", "status", "--output-format=shell")

    assert "RAUC_SYSTEM_COMPATIBLE='plaza-vm-arm64'" in said
    assert "RAUC_SYSTEM_BOOTED_BOOTNAME='A'" in said


def test_a_fact_of_the_node_arrives_at_the_city(node: Node, city: City) -> None:
    assert city.wait_fact("node.started", START_S)["source"].endswith("COA064")
    wait_rest(node.guest, START_S)
    node.bench.note(arm_memory=node.guest.run("free", "-m"))


def test_a_new_version_is_written_to_the_other_slot(node: Node) -> None:
    """The machine ends where the node starts anew, so that the one who obeys can be put into slot B too."""
    node.guest.run("mkdir", "-p", STICK)
    node.guest.run("mount", "-o", "ro", "/dev/disk/by-id/virtio-stick", STICK)
    began, log = time.monotonic(), f"{STICK}.log"
    keep_journal(node)
    words = ("update", "install", f"{STICK}/plaza-vm-arm64-{NEW}.raucb", "--data", DATA)
    node.guest.ask("/usr/local/bin/plaza", *words, log=log)
    while node.machine.process.poll() is None:
        assert time.monotonic() - began < START_S, node.guest.run("cat", log)
        time.sleep(1)
    node.bench.note(arm_install_seconds=round(time.monotonic() - began, 1))

    counters = get_file(node.card, "slots.env") or b""

    assert b"BOOT_ORDER=B A" in counters
    assert b"BOOT_B_LEFT=3" in counters


def test_u_boot_starts_the_new_version_from_slot_b(node: Node) -> None:
    make_obey(node.card, "B")
    node.machine = node.bench.start(node.spec, "arm-b")
    node.guest = wait_agent(node.machine, START_S)

    assert "Plaza: slot B" in node.machine.console
    assert b"BOOT_B_LEFT=2" in (get_file(node.card, "slots.env") or b"")
    assert f'"version": "{NEW}"' in node.guest.run("cat", "/usr/lib/plaza/image.json")
    assert wait_running(node.guest, START_S) == "running", failed(node.guest)
    assert plaza(node.guest, "sync", "verify").startswith("ok:")
    assert "RAUC_SYSTEM_BOOTED_BOOTNAME='B'" in node.guest.run(
        "rauc", "status", "--output-format=shell"
    )
