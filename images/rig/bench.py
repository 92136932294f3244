"""Cards, machines and figures of one image; everything that a proof leaves lies in one folder."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig.card import put_file, write_card
from rig.city import City
from rig.guest import FOLDER, PACED_SLACK_S, PYTHON, SLACK_S, Guest, agent_disk, credentials
from rig.machine import Disk, Machine, Spec

CARD_BYTES = 3 << 30
BOOT_S = 600.0
WAIT_S = 60.0
STARTING = ("", "initializing", "starting")
"""What systemd says before it is done; nothing where it was not done within `WAIT_S`."""
DATA = "/var/lib/plaza"
SITE = """\
[site]
name = "Plaza de prueba (demostración)"
number = {number}
profile = "{profile}"
languages = ["es", "en"]
clock = "battery"
[city]
url = "{url}"
letters = "COA"
inegi = "30039"
code = "{code}"
[uplink]
address = "203.0.113.15/24"
gateway = "203.0.113.1"
[wifi]
ssid = "Plaza de prueba"
channel = 11
[printer]
port = "{printer}"
"""


@dataclass
class Bench:
    """Makes cards and machines of one image, and keeps the figures. `agent` are the files for the agent."""

    image: Path
    folder: Path
    agent: tuple[Path, ...]
    figures: dict[str, object] = field(default_factory=dict)

    def card(self, name: str, site: str | None = None) -> Path:
        """A newly flashed card; with a site file put on it as a technician's laptop would."""
        card = write_card(self.image, self.folder / f"{name}.img", CARD_BYTES)
        if site is not None:
            put_file(card, "plaza.toml", site.encode())
        return card

    def spec(
        self, card: Path, *, log: Path | None = None, radios: bool = False, remote: bool = False
    ) -> Spec:
        """A machine with this card and the agent. `log` keeps the card's writes."""
        disks = (Disk(card, log=log), agent_disk(self.agent, self.folder / f"{card.stem}.tar"))
        return Spec(disks, credentials=credentials(radios=radios, remote=remote))

    def start(self, spec: Spec, name: str) -> Machine:
        """Power on; consoles and sockets are in the folder's `name`."""
        return Machine(spec, self.folder / name)

    def note(self, **figures: object) -> None:
        """Keep measured figures, in `figures.json` too."""
        self.figures |= figures
        path = self.folder / "figures.json"
        path.write_text(json.dumps(self.figures, indent=1, default=str) + "\n")


def fill_site(city: City, number: int, *, profile: str = "kiosk+portal", printer: str = "") -> str:
    """The file of a place, with a code that the city approved beforehand."""
    return SITE.format(
        number=number, profile=profile, printer=printer, url=city.url,
        code=city.new_code(f"COA{number:03d}", "Plaza de prueba"),
    )  # fmt: skip


def wait_agent(machine: Machine, within_s: float = BOOT_S) -> Guest:
    """Until the node has come so far that it obeys. AssertionError with its console."""
    guest = Guest(machine.ports["control"], PACED_SLACK_S if machine.spec.paced else SLACK_S)
    try:
        guest.wait(within_s)
    except TimeoutError as e:
        raise AssertionError(f"the node did not start: {machine.console[-1500:]}") from e
    return guest


def wait_running(guest: Guest, within_s: float = BOOT_S) -> str:
    """What systemd says of the whole once nothing is being started: `running`, or `degraded`.

    systemd is waited for, not asked again and again: each question costs an emulated processor half a second.
    AssertionError with what is still starting.
    """
    until = time.monotonic() + within_s
    words = ("systemctl", "is-system-running", "--wait")
    while (state := guest.ask(*words, timeout_s=WAIT_S).out.strip()) in STARTING:
        if time.monotonic() > until:
            jobs = guest.ask("systemctl", "list-jobs", "--no-pager").out
            raise AssertionError(jobs + guest.ask("systemctl", "--failed", "--no-pager").out)
    return state


def wait_active(guest: Guest, units: Sequence[str], within_s: float = BOOT_S) -> dict[str, float]:
    """Wait for every unit; seconds from power to each. AssertionError with how they stand."""
    until = time.monotonic() + within_s
    asked = ("systemctl", "is-active", *units)
    while (states := guest.ask(*asked).out.split()) != ["active"] * len(units):
        assert time.monotonic() < until, dict(zip(units, states, strict=True))
        time.sleep(4)
    said = guest.run("systemctl", "show", "-p", "ActiveEnterTimestampMonotonic", "--value", *units)
    return {unit: round(int(us) / 1e6, 1) for unit, us in zip(units, said.split(), strict=True)}


def wait_rest(guest: Guest, within_s: float = BOOT_S) -> None:
    """Until nothing of ours runs that ends by itself, as what a timer starts does. AssertionError."""
    until = time.monotonic() + within_s
    asked = ("systemctl", "list-units", "--plain", "--no-legend", "--state=activating", "plaza-*")
    while (under_way := guest.run(*asked)) != "":
        assert time.monotonic() < until, under_way
        time.sleep(3)


def failed(guest: Guest) -> str:
    """What failed, and its last words; empty when nothing did."""
    units = guest.run("systemctl", "--failed", "--plain", "--no-legend").splitlines()
    words = (guest.run("journalctl", "-n", "20", "-o", "cat", "-u", u.split()[0]) for u in units)
    return "".join(f"{unit}\n{said}" for unit, said in zip(units, words, strict=True))


def look(guest: Guest, program: str) -> Any:
    """What one of the programs that came with the agent finds: its one JSON document. OrderFailed."""
    return json.loads(guest.run(PYTHON, "-P", f"{FOLDER}/{program}"))


def plaza(guest: Guest, *words: str) -> str:
    """The node's own command on its own data. OrderFailed."""
    return guest.run("/usr/local/bin/plaza", *words, "--data", DATA)
