"""Every unit of a node as systemd itself judges it, without starting one: exposure, limits, watchdogs.

`docs/reference/servicios.md` explains what a unit may do that others may not.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "images/overlay/usr/lib/systemd/system"
PAGE = ROOT / "docs/reference/servicios.md"
STRICT = {"plaza-portal.service": 2.5, "plaza-sync.service": 2.5}
MOST = 5.0
"""Of everything else: gate, kiosk, radio and names have hardware or the network in their hands."""
SERVICES = sorted(UNITS.glob("plaza-*.service"))
LONG_RUNNING = [u for u in SERVICES if "Type=oneshot" not in u.read_text(encoding="utf-8")]
WATCHED = ("kiosk", "portal", "sync", "gate", "wifi")
TAKES_ITS_TIME = (
    "kiosk", "portal", "sync", "gate", "energy", "filter", "filter-config", "firewall-open", "firstboot",
    "doctor", "enrol",
)  # fmt: skip
LEAST_MIN = 5
"""A Zero 2 W whose card reads slowly needs more than a minute for its first programs."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="NOT RUN: systemd-analyze is missing"
)


def lines(unit: Path) -> list[str]:
    text = unit.read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]


def value(unit: Path, key: str) -> str:
    """The last word of a unit for a key, empty when it has none."""
    said = [line.partition("=")[2] for line in lines(unit) if line.startswith(f"{key}=")]
    return said[-1] if said else ""


def exposure(unit: Path) -> float:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    told = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert told is not None, done.stdout + done.stderr
    return float(told[1])


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES, ids=lambda u: u.stem)
def test_no_unit_is_more_exposed_than_its_bound(unit: Path) -> None:
    assert exposure(unit) <= STRICT.get(unit.name, MOST)


@pytest.mark.parametrize("unit", SERVICES, ids=lambda u: u.stem)
def test_every_unit_is_explained(unit: Path) -> None:
    assert f"`{unit.stem}`" in PAGE.read_text(encoding="utf-8"), (
        f"{unit.name} is not in {PAGE.name}"
    )


@pytest.mark.parametrize("unit", LONG_RUNNING, ids=lambda u: u.stem)
def test_no_program_can_take_all_memory_or_leave_its_own_on_the_card(unit: Path) -> None:
    assert value(unit, "MemoryMax")
    assert value(unit, "TasksMax")
    assert value(unit, "LimitCORE") == "0"


def test_the_portal_cannot_starve_the_kiosk() -> None:
    portal, kiosk = (UNITS / f"plaza-{name}.service" for name in ("portal", "kiosk"))

    assert int(value(kiosk, "CPUWeight")) >= 8 * int(value(portal, "CPUWeight"))
    assert int(value(kiosk, "OOMScoreAdjust")) < 0 < int(value(portal, "OOMScoreAdjust"))


@pytest.mark.parametrize("name", WATCHED)
def test_a_program_that_hangs_is_ended_and_started_again(name: str) -> None:
    unit = UNITS / f"plaza-{name}.service"

    assert value(unit, "WatchdogSec")
    assert value(unit, "Type") == "notify" or value(unit, "NotifyAccess") == "main"
    assert value(unit, "Restart") in ("always", "on-failure")
    assert value(unit, "StartLimitIntervalSec") == "0", "it gives up after five tries"


@pytest.mark.parametrize("name", TAKES_ITS_TIME)
def test_a_slow_board_is_given_the_time_to_start(name: str) -> None:
    """A limit below what a start takes never lets it end: it is begun anew each time."""
    said = value(UNITS / f"plaza-{name}.service", "TimeoutStartSec")

    number, scale = re.fullmatch(r"(\d+)(min|h)", said).groups()  # type: ignore[union-attr]
    assert int(number) * {"min": 1, "h": 60}[scale] >= LEAST_MIN


@pytest.mark.parametrize("unit", LONG_RUNNING, ids=lambda u: u.stem)
def test_no_long_running_program_needs_another_one(unit: Path) -> None:
    """Any of them may die alone. What is needed at all is a file that a short job makes."""
    needed = {
        word
        for line in lines(unit)
        if line.startswith(("Requires=", "BindsTo=", "Requisite="))
        for word in line.partition("=")[2].split()
    }

    assert needed <= {"plaza-filter-config.service"}


def test_the_kiosk_waits_for_nothing_that_may_be_late() -> None:
    after = value(UNITS / "plaza-kiosk.service", "After").split()

    assert not [name for name in after if name.startswith(("plaza-", "network"))]


def test_the_door_is_shut_before_there_is_a_network_and_without_our_programs() -> None:
    unit = UNITS / "plaza-firewall.service"

    assert "network-pre.target" in value(unit, "Before")
    assert value(unit, "ExecStart").startswith("/usr/sbin/nft ")
    assert value(unit, "WantedBy") == "sysinit.target"


def test_what_is_made_at_start_is_asked_for_in_words_that_debian_12_knows() -> None:
    """`?` and other newer modifiers end install.sh there."""
    conf = ROOT / "images/overlay/usr/lib/tmpfiles.d/plaza.conf"
    kinds = [
        line.split()[0] for line in conf.read_text("utf-8").splitlines() if line[:1] not in "#"
    ]

    assert kinds
    assert not [kind for kind in kinds if set(kind) - set("dDfFLhzZ+!-=")]
