"""Runs in the virtual node as root: the energy program in its sandbox switches real units.

The controller is simulated at the other end of a pseudo-terminal, which its sandbox is given beside the real
ports; the kiosk draws without a display. Everything else is the node's own.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from node import DATA, KIOSK, configure, drop_in, journal
from steps import eventually, run, tell, tell_steps

PYTHON = "/opt/plaza/venv/bin/python"
CHARGE, PORT = Path("/run/charge"), Path("/run/port")
SUN = f"""
import pathlib, time
from hardware.power.simulator import SunSimulator
from hardware.power.sun import SolarPlant
sun = SunSimulator("vedirect", SolarPlant(soc=0.9, hour=22.0), time_factor=0.0)
pathlib.Path("{PORT}").write_text(sun.open())
while True:
    time.sleep(0.2)
    sun.set_charge(float(pathlib.Path("{CHARGE}").read_text()))
"""
SETTINGS = """
[central]
url = "http://127.0.0.1:8311"
[portal]
gate = "nft"
listen = "0.0.0.0:8380"
[energy]
kind = "solar"
wake = "controller_voltage"
[power]
kind = "vedirect"
port = "{port}"
[node]
rtc = true
"""
SWITCHED = ("kiosk", "portal", "sync")


def state(name: str) -> str:
    return run("systemctl", "show", f"plaza-{name}.service", "-p", "ActiveState", "--value").strip()


def note() -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads((DATA / "run/energy.json").read_text())
    except (OSError, ValueError):
        return {}
    return document


def a_charged_battery_is_read_from_inside_the_sandbox() -> dict[str, Any]:
    CHARGE.write_text("90")
    subprocess.Popen([PYTHON, "-P", "-c", SUN], start_new_session=True)
    configure(SETTINGS.format(port=eventually(lambda: PORT.exists() and PORT.read_text())))
    drop_in("kiosk", KIOSK)
    drop_in("energy", "[Service]\nDeviceAllow=char-pts rw\n")
    run("systemctl", "enable", "-q", *(f"plaza-{name}.service" for name in SWITCHED))
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "plaza-energy.service")
    eventually(lambda: note().get("band") == "full")
    memory = run("systemctl", "show", "plaza-energy.service", "-p", "MemoryCurrent", "--value")
    return {**note(), "bytes": memory.strip()}


def what_the_band_allows_is_started() -> None:
    for name in SWITCHED:
        eventually(lambda name=name: state(name) == "active", 400)


def an_empty_battery_stops_them_and_the_node_stays_awake() -> dict[str, Any]:
    CHARGE.write_text("2")
    began = time.monotonic()
    eventually(lambda: note().get("band") == "guard")
    guard_s = time.monotonic() - began
    for name in SWITCHED:
        eventually(lambda name=name: state(name) == "inactive", 400)
    eventually(lambda: note().get("phase") == "resting")
    assert run("systemctl", "is-system-running", check=False).strip() != "stopping"
    return {"guard_s": round(guard_s, 1), **note()}


def people_and_machines_are_told() -> dict[str, Any]:
    plaza = ("/usr/local/bin/plaza", "energy", "status", "--json", "--data", str(DATA))
    told = json.loads(run(*plaza, check=False))
    assert told["band"] == "guard", told
    assert told["may_halt"] is False, told
    return dict(told)


def it_is_still_in_guard_when_the_program_was_killed() -> dict[str, Any]:
    written = note()["written_boot_ms"]
    run("systemctl", "kill", "-s", "KILL", "plaza-energy.service")
    eventually(lambda: state("energy") == "active" and note().get("written_boot_ms") > written)
    assert note()["band"] == "guard", note()
    # It lets what waits go once more, and rests again.
    eventually(lambda: note().get("phase") == "resting")
    eventually(lambda: state("sync") == "inactive")
    assert [state(name) for name in SWITCHED] == ["inactive"] * 3
    return note()


STEPS = [
    a_charged_battery_is_read_from_inside_the_sandbox,
    what_the_band_allows_is_started,
    an_empty_battery_stops_them_and_the_node_stays_awake,
    people_and_machines_are_told,
    it_is_still_in_guard_when_the_program_was_killed,
]


if __name__ == "__main__":
    tell_steps(STEPS)
    tell(journal=journal("energy"))
