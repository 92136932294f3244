"""First starts from one image: a wrong site file is explained and mended, and no two cards share a secret.

The cards are looked at as a technician and a thief would: the partition that Windows shows, and every
file of the data partition, read without the node.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rig.bench import Bench, fill_site, wait_agent, wait_running
from rig.card import data_range, get_file, put_file
from rig.city import City
from rig.replay import copy_sparse

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif("PLAZA_APPLIANCE" not in os.environ, reason="NOT RUN: make test-appliance"),
]
MAY_BE_EQUAL = {
    "/system/systemd/catalog/database",  # systemd's own message texts
    "/system/systemd/timesync/clock",
    "/system/systemd/rfkill",
}


@dataclass
class Started:
    """A card after its first starts, the machine off."""

    card: Path
    data: dict[str, bytes]
    memory: str


def read_data(card: Path, work: Path) -> dict[str, bytes]:
    """Every file of the data partition, by its path there."""
    part, out = work / f"{card.stem}.part", work / f"{card.stem}.files"
    copy_sparse(card, part, *data_range(card))
    subprocess.run(["e2fsck", "-p", str(part)], capture_output=True)
    out.mkdir(exist_ok=True)
    request = f'rdump / "{out}"'
    subprocess.run(["debugfs", "-R", request, str(part)], capture_output=True, check=True)
    part.unlink()
    return {
        f"/{path.relative_to(out)}": path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


@pytest.fixture(scope="module")
def mistaken(bench: Bench, city: City) -> tuple[Path, str, bytes | None, str]:
    """A card whose file has two mistakes, after a start: card, good text, what was explained, the unit."""
    good = fill_site(city, 13)
    bad = good.replace("number = 13", 'number = "trece"').replace("channel = 11", "chanel = 11")
    card = bench.card("mistaken", bad)
    with bench.start(
        replace(bench.spec(card, radios=True, remote=True), screen=True), "mistaken"
    ) as machine:
        guest = wait_agent(machine)
        wait_running(guest)
        said = guest.run("journalctl", "-u", "plaza-firstboot", "-o", "cat", "--no-pager")
        machine.qmp.screenshot(bench.folder / "mistaken.png")
        guest.ask("systemctl", "poweroff", log="/run/off.log")
        machine.wait_off(120)
    return card, good, get_file(card, "plaza-error.txt"), said


@pytest.fixture(scope="module")
def mended(bench: Bench, mistaken: tuple[Path, str, bytes | None, str]) -> Started:
    """The same card after the technician saved the right file and started it again."""
    card, good, _, _ = mistaken
    put_file(card, "plaza.toml", good.encode("utf-16"))
    return start_once(bench, card, 1024)


@pytest.fixture(scope="module")
def other(bench: Bench, city: City) -> Started:
    """Another card of the same image: a portal only, with half the memory."""
    return start_once(bench, bench.card("other", fill_site(city, 14, profile="portal")), 512)


def start_once(bench: Bench, card: Path, memory_mib: int) -> Started:
    spec = replace(bench.spec(card, radios=True), memory_mib=memory_mib)
    with bench.start(spec, f"{card.stem}-once") as machine:
        guest = wait_agent(machine)
        assert wait_running(guest) == "running", guest.run("systemctl", "--failed")
        memory = guest.run("free", "-m")
        guest.ask("systemctl", "poweroff", log="/run/off.log")
        machine.wait_off(120)
    return Started(card, read_data(card, bench.folder), memory)


def test_a_wrong_file_is_explained_on_the_card_with_its_lines(
    mistaken: tuple[Path, str, bytes | None, str],
) -> None:
    _, good, told, said = mistaken
    assert told is not None, said
    text = told.decode()
    line = good.splitlines().index("number = 13") + 1

    assert f"{line}" in text
    assert "trece" in text
    assert "channel" in text, "the nearest key is named"


def test_the_right_file_in_the_encoding_of_windows_mends_it(mended: Started) -> None:
    settings = mended.data["/plaza/settings.toml"].decode()

    assert "number = 13" in settings
    assert get_file(mended.card, "plaza-error.txt") is None


def test_two_cards_of_one_image_share_no_key_no_name_and_no_seed(
    bench: Bench, mended: Started, other: Started
) -> None:
    for name in ("/plaza/keys/node.key", "/system/machine-id", "/system/systemd/random-seed"):
        assert mended.data[name] != other.data[name], name
    ours = {
        hashlib.sha256(raw).hexdigest(): name for name, raw in mended.data.items() if len(raw) > 15
    }
    shared = {
        name for name, raw in other.data.items()
        if hashlib.sha256(raw).hexdigest() in ours and raw.strip(b"\0") and len(raw) > 15
    }  # fmt: skip
    bench.note(files_equal_on_two_cards=sorted(shared))

    assert {n for n in shared if "key" in n or "secret" in n} == set()
    assert shared <= MAY_BE_EQUAL


def test_the_portal_alone_runs_in_half_a_gigabyte(bench: Bench, other: Started) -> None:
    used = int(other.memory.splitlines()[1].split()[2])
    bench.note(portal_only_used_mib=used)

    assert used <= 200, other.memory
