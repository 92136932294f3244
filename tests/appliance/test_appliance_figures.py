"""Figures of a card for `make bench-image`: what a start takes, what is resident, what wears the card.

Only with `PLAZA_FIGURES=1`: it holds no promise, and its idle time (`PLAZA_IDLE_S`) is best long. The machine
has one processor that counts its instructions, and its clock goes by them, 500 million a second: seconds are
its own, and a busy host only makes the test longer.
"""

from __future__ import annotations

import base64
import json
import os
import time
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from rig.bench import Bench, failed, fill_site, look, wait_agent, wait_rest, wait_running
from rig.city import City
from rig.guest import PYTHON, Guest
from rig.hostnet import HostNet
from rig.instructions import Instructions, count_instructions
from rig.machine import Machine, Spec

IDLE_S = float(os.environ.get("PLAZA_IDLE_S", "2100"))
"""Two of the doctor's rounds and one of the filter's fall into it."""
PAYMENTS = 40
DAY_S = 86_400
START_S = 3000.0
"""Of the host: a paced machine that shares it takes its time."""
PROFILES = {"portal": (31, 512, ("portal",)), "kiosk+portal": (32, 1024, ("portal", "kiosk"))}
MARK = """\
[Unit]
After=plaza-{name}.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'read seconds rest < /proc/uptime && echo {name} $$seconds > /dev/ttyS2'
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(4 * 3600),
    pytest.mark.skipif("PLAZA_FIGURES" not in os.environ, reason="NOT RUN: it holds no promise"),
]


def marks(names: tuple[str, ...]) -> dict[str, str]:
    """Credentials by which the third serial port tells when these programs said that they are ready."""
    units = {f"proof-{name}.service": MARK.format(name=name) for name in names}
    texts = {f"systemd.extra-unit.{unit}": text for unit, text in units.items()}
    wants = f"[Unit]\nWants={' '.join(units)}\n"
    texts["systemd.unit-dropin.multi-user.target~marks"] = wants
    return {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}


@dataclass
class Start:
    """What one start took, by the program that was ready then; seconds since the kernel began."""

    machine: Machine
    count: Instructions
    figures: dict[str, Any] = field(default_factory=dict)
    said: bytes = b""

    def __post_init__(self) -> None:
        self.machine.ports["marks"].on_data = self.heard

    def heard(self, data: bytes) -> None:
        *lines, self.said = (self.said + data).split(b"\n")
        for name, seconds in (line.split() for line in lines):
            self.figures[name.decode()] = {
                "seconds": float(seconds),
                "instructions_e9": round(self.count.read() / 1e9, 1),
            }

    def settle(self) -> Guest:
        guest = wait_agent(self.machine, START_S)
        assert wait_running(guest, START_S) == "running", failed(guest)
        self.heard(f"settled {uptime(guest)}\n".encode())
        return guest


def uptime(guest: Guest) -> float:
    """Seconds of the machine's own clock since its kernel began."""
    return float(guest.run("cat", "/proc/uptime").split()[0])


def written(guest: Guest) -> int:
    """Bytes that this machine has written to its card since it started."""
    return int(guest.run("cat", "/sys/class/block/vda/stat").split()[6]) * 512


def written_by(guest: Guest) -> dict[str, int]:
    """The same by unit, since their accounts were asked for."""
    return dict(look(guest, "writers.py"))


def idle(guest: Guest) -> dict[str, Any]:
    """What the node writes while nobody comes: on line, with its doctor, its heartbeats and its logs."""
    guest.run("systemctl", "set-property", "--runtime", "plaza-sync.service", "IOAccounting=yes")
    guest.run("sync")
    began, before, by = uptime(guest), written(guest), written_by(guest)
    time.sleep(IDLE_S)
    guest.run("sync")
    observed_s = uptime(guest) - began
    a_day = (written(guest) - before) / observed_s * DAY_S
    kib = {unit: round((n - by.get(unit, 0)) / 1024) for unit, n in written_by(guest).items()}
    return {
        "observed_s": round(observed_s),
        "mib_a_day": round(a_day / (1 << 20), 1),
        "kib_of_units": {unit: n for unit, n in sorted(kib.items(), key=lambda i: -i[1]) if n},
    }


def paying(guest: Guest) -> dict[str, float]:
    """What people who pay in cash and file a report write, one after another."""
    words = ("--data", "/var/lib/plaza", "--tell", "/dev/null", "--tag", "figures")
    before = written(guest)
    guest.run(
        PYTHON,
        "-P",
        "/run/proof/payments.py",
        *words,
        "--payments",
        str(PAYMENTS),
        timeout_s=START_S,
    )
    guest.run("sync")
    kib = (written(guest) - before) / PAYMENTS / 1024
    return {"payments": PAYMENTS, "kib_a_payment_with_a_report": round(kib, 1)}


@pytest.mark.parametrize("profile", PROFILES)
def test_what_a_card_takes(bench: Bench, city: City, net: HostNet, profile: str) -> None:
    number, memory_mib, names = PROFILES[profile]
    card = bench.card(f"figures-{number}", fill_site(city, number, profile=profile))
    count = count_instructions(bench.folder)
    base = bench.spec(card, radios=True)
    spec = replace(
        base, memory_mib=memory_mib, screen="kiosk" in names, ports=("control", "marks"), network=net,
        credentials={**base.credentials, **marks(names)}, paced=True, extra=count.extra,
    )  # fmt: skip
    figures: dict[str, Any] = {}
    figures["first start"] = start_once(bench, spec, f"figures-{number}-first", count)
    count = count_instructions(bench.folder)
    with bench.start(spec, f"figures-{number}") as machine:
        start = Start(machine, count)
        guest = start.settle()
        figures["start"] = start.figures
        figures["memory_mib, just started"] = look(guest, "memory.py")
        if profile == "portal":  # elsewhere the kiosk holds the cash
            figures["writes while paying"] = paying(guest)
        keep(bench, profile, figures)
        figures["writes at idle"] = idle(guest)
        wait_rest(guest, START_S)
        figures["memory_mib, at rest"] = look(guest, "memory.py")
    keep(bench, profile, figures)
    card.unlink()


def keep(bench: Bench, profile: str, figures: dict[str, Any]) -> None:
    """Beside the proof's own figures, so that neither run wipes out the other's."""
    path = bench.folder / f"figures-{profile.replace('+', '-')}.json"
    path.write_text(json.dumps({profile: figures}, indent=1) + "\n")


def start_once(bench: Bench, spec: Spec, name: str, count: Instructions) -> dict[str, Any]:
    """The first start of a card, up to its orderly end."""
    with bench.start(spec, name) as machine:
        start = Start(machine, count)
        guest = start.settle()
        guest.ask("systemctl", "poweroff", log="/run/off.log")
        machine.wait_off(START_S)
    return start.figures
