"""First starts from one image: a wrong site file is explained and mended, and no two cards share a secret.

The cards are looked at as a technician and a thief would: the partition that Windows shows, and every
file of the data partition, read without the node.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rig.bench import Bench, failed, fill_site, wait_agent, wait_running
from rig.card import data_range, get_file, put_file
from rig.city import City
from rig.guest import PYTHON, Guest
from rig.machine import Machine
from rig.replay import copy_sparse

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif("PLAZA_APPLIANCE" not in os.environ, reason="NOT RUN: make test-appliance"),
]
PORTAL_ONLY_MIB = 200
REST_S = 40.0
"""A program that ends and is started again for ever does so every few seconds."""
MAY_BE_EQUAL = {
    "/system/systemd/catalog/database",  # systemd's own message texts
    "/system/systemd/timesync/clock",
    "/system/systemd/rfkill",
    "/system/network/10-plaza-uplink.network",  # both site files give the same fixed address
    "/plaza/filter/safe/hosts",  # addresses that everybody may look up
}


MEMORY = Path(__file__).parent / "inside/memory.py"
PAGE = (
    "import urllib.request as r; "
    "print(r.urlopen('http://127.0.0.1:8380/generate_204', timeout=60).read().decode())"
)


@dataclass
class Mistaken:
    """A card whose file has two mistakes, after a start: what told a technician so."""

    card: Path
    good: str
    """The file as it should have been."""
    error_file: bytes | None
    journal: str
    page: str
    screen: str
    state: str
    restarts: dict[str, int]
    """By unit, how often it was started again in `REST_S` after everything had started."""


@dataclass
class Started:
    """A card after its first starts, the machine off. `memory` is what `inside/memory.py` says."""

    card: Path
    data: dict[str, bytes]
    memory: dict[str, Any]


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
def mistaken(bench: Bench, far_city: City) -> Mistaken:
    good = fill_site(far_city, 13)
    bad = good.replace("number = 13", 'number = "trece"').replace("channel = 11", "chanel = 11")
    card = bench.card("mistaken", bad)
    with bench.start(
        replace(bench.spec(card, radios=True, remote=True), screen=True), "mistaken"
    ) as machine:
        guest = wait_agent(machine)
        state = wait_running(guest) + failed(guest)
        said = guest.run("journalctl", "-u", "plaza-firstboot", "-o", "cat", "--no-pager")
        page = guest.run(PYTHON, "-P", "-c", PAGE)
        screen = guest.run(PYTHON, "-P", "/run/proof/screen.py", "targets")
        machine.qmp.screenshot(bench.folder / "mistaken.png")
        before = restarts_of(guest)
        time.sleep(REST_S)
        restarts = {unit: n - before.get(unit, 0) for unit, n in restarts_of(guest).items()}
        bench.note(started_again_before_rest={u: n for u, n in before.items() if n})
        switch_off(machine, guest)
    return Mistaken(
        card, good, get_file(card, "plaza-error.txt"), said, page, screen, state, restarts
    )


def wait_judged(guest: Guest) -> None:
    """Until the version that runs was called good: who judges it then ends, and its memory is free."""
    until = time.monotonic() + 300
    while guest.ask("systemctl", "is-active", "plaza-health").out.strip() == "active":
        assert time.monotonic() < until, guest.run("journalctl", "-u", "plaza-health", "-o", "cat")
        time.sleep(2)


def restarts_of(guest: Guest) -> dict[str, int]:
    """How often systemd started each of our programs again because it had ended."""
    said = guest.run("systemctl", "show", "-p", "Id,NRestarts", "plaza-*.service")
    blocks = (dict(line.partition("=")[::2] for line in b.splitlines()) for b in said.split("\n\n"))
    return {b["Id"]: int(b["NRestarts"]) for b in blocks if b.get("NRestarts")}


def switch_off(machine: Machine, guest: Guest) -> None:
    guest.ask("systemctl", "poweroff", log="/run/off.log")
    machine.wait_off(120)


@pytest.fixture(scope="module")
def mended(bench: Bench, mistaken: Mistaken) -> Started:
    """The same card after the technician saved the right file and started it again."""
    put_file(mistaken.card, "plaza.toml", mistaken.good.encode("utf-16"))
    return start_once(bench, mistaken.card, 1024)


@pytest.fixture(scope="module")
def other(bench: Bench, far_city: City) -> Started:
    """Another card of the same image: a portal only, with half the memory."""
    return start_once(bench, bench.card("other", fill_site(far_city, 14, profile="portal")), 512)


def start_once(bench: Bench, card: Path, memory_mib: int) -> Started:
    spec = replace(bench.spec(card, radios=True), memory_mib=memory_mib)
    with bench.start(spec, f"{card.stem}-once") as machine:
        guest = wait_agent(machine)
        assert wait_running(guest) == "running", failed(guest)
        wait_judged(guest)
        memory = json.loads(guest.run(PYTHON, "-P", "-", text=MEMORY.read_text()))
        switch_off(machine, guest)
    return Started(card, read_data(card, bench.folder), memory)


def test_a_wrong_file_is_explained_on_the_card_with_its_lines(mistaken: Mistaken) -> None:
    assert mistaken.error_file is not None, mistaken.journal
    text = mistaken.error_file.decode()
    line = mistaken.good.splitlines().index("number = 13") + 1

    assert f"{line}" in text
    assert "trece" in text
    assert "channel" in text, "the nearest key is named"


def test_a_wrong_file_is_explained_on_the_screen_and_on_any_phone(mistaken: Mistaken) -> None:
    """The picture lies beside the figures: `mistaken.png`."""
    assert json.loads(mistaken.screen)["screen"] == "fuera_de_servicio"
    assert "trece" in mistaken.page
    assert "plaza-error.txt" in mistaken.page


def test_a_node_that_waits_for_its_file_is_healthy_and_at_rest(mistaken: Mistaken) -> None:
    assert mistaken.state == "running"
    assert {u: n for u, n in mistaken.restarts.items() if n} == {}
    assert "plaza-wifi.service" in mistaken.restarts


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
    """At rest, less what only this proof adds: its agent's own pages."""
    used = other.memory["used"] - other.memory["proof"]
    bench.note(portal_only_memory_mib={"used without the proof": round(used), **other.memory})

    assert used <= PORTAL_ONLY_MIB, other.memory
