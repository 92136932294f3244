"""Runs in the virtual node as root: its units under real systemd. One line of JSON for each step.

What is started is what a node starts, in its sandbox. Only the picture is drawn without a display, the
guests' side is a bridge without a radio, and the queue's watchdog bites sooner than after ten minutes.
"""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from pathlib import Path
from typing import Any

from node import DATA, KIOSK, configure, drop_in, journal
from steps import eventually, run, tell_steps

PYTHON = "/opt/plaza/venv/bin/python"
PROGRAMS = ("sync", "gate", "portal", "kiosk")
WATCHDOG = "[Service]\nWatchdogSec=60\n"
"""As in the units, but for the queue's ten minutes. Less than that bites who only waits for a slow host."""
SETTINGS = """
[central]
url = "http://127.0.0.1:8311"
[portal]
gate = "nft"
listen = "0.0.0.0:8380"
[node]
profile = "{profile}"
"""
OPENS = """[Service]
Type=oneshot
Restart=no
WatchdogSec=0
ExecStart=
ExecStart=/opt/plaza/venv/bin/python -c "open('/dev/ttyS3', 'rb+', 0); open('/run/plaza-kiosk/ok', 'w')"
RuntimeDirectoryPreserve=yes
"""


def unit(name: str) -> dict[str, str]:
    words = "ActiveState,SubState,MainPID,NRestarts,Result,ConditionResult,MemoryCurrent"
    shown = run("systemctl", "show", f"plaza-{name}.service", "-p", words)
    return dict(line.split("=", 1) for line in shown.splitlines())


def pid(name: str) -> int:
    """0 is nobody, and must never be killed: it would be this job."""
    return int(unit(name)["MainPID"])


def start_s(name: str) -> float:
    """From systemd's decision to the program's own word that it is ready."""
    words = ("InactiveExitTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    shown = run("systemctl", "show", f"plaza-{name}.service", "-p", ",".join(words))
    at = dict(line.split("=", 1) for line in shown.splitlines())
    return round((int(at[words[1]]) - int(at[words[0]])) / 1e6, 1)


def all_run() -> bool:
    return all(unit(name)["SubState"] == "running" for name in PROGRAMS)


def the_door_is_shut_and_nothing_is_carried_before_any_program_runs() -> dict[str, Any]:
    chain = run("nft", "list", "table", "inet", "plaza_node")
    assert chain.count("policy drop") == 2, chain
    assert "elements" not in chain, "something is open before anything was configured"
    assert Path("/proc/sys/net/ipv4/ip_forward").read_text().strip() == "0"
    return {"units": run("systemctl", "list-units", "--plain", "--no-legend", "plaza*")}


def the_kernels_settings_are_in_force() -> dict[str, Any]:
    wrong = {}
    lines = Path("/usr/lib/sysctl.d/60-plaza.conf").read_text().splitlines()
    for line in (text for text in lines if "=" in text and not text.startswith("#")):
        name, _, wanted = (word.strip() for word in line.partition("="))
        file = Path("/proc/sys") / name.replace(".", "/")
        found = file.read_text().strip() if file.exists() else "(not in this kernel)"
        if found != wanted:
            wrong[name] = found
    assert not [n for n, v in wrong.items() if not v.startswith("(not")], wrong
    return {"not_in_this_kernel": sorted(wrong)}


def every_program_starts_in_its_sandbox_and_says_that_it_is_ready() -> dict[str, Any]:
    configure(SETTINGS.format(profile="kiosk"))
    run("ip", "link", "add", "br-guest", "type", "bridge")
    run("ip", "addr", "add", "10.66.0.1/24", "dev", "br-guest")
    run("ip", "link", "set", "br-guest", "up")
    for name in PROGRAMS[:-1]:
        drop_in(name, WATCHDOG)
    drop_in("kiosk", KIOSK)
    run("systemctl", "daemon-reload")
    names = ("firewall-open", *PROGRAMS)
    try:
        run("systemctl", "start", *(f"plaza-{name}.service" for name in names), timeout=600)
    except RuntimeError as e:
        raise RuntimeError(f"{e}\n{[journal(name)[-500:] for name in names]}") from None
    for name in PROGRAMS:
        assert unit(name)["SubState"] == "running", (name, unit(name), journal(name))
    assert Path("/proc/sys/net/ipv4/ip_forward").read_text().strip() == "1"
    return {n: {"start_s": start_s(n), "bytes": unit(n)["MemoryCurrent"]} for n in PROGRAMS}


def the_portal_answers_and_reaches_the_gate() -> dict[str, Any]:
    with urllib.request.urlopen("http://127.0.0.1:8380/", timeout=120) as answer:
        page = answer.read().decode()
    assert "<html" in page
    stats = json.loads(run("/usr/local/bin/plaza", "gate", "stats", "--json", "--data", str(DATA)))
    return {"bytes": len(page), "gate": stats}


def the_doctor_examines_the_node_from_its_sandbox_and_leaves_a_note() -> dict[str, Any]:
    try:
        run("systemctl", "start", "plaza-doctor.service")
    except RuntimeError as e:
        raise RuntimeError(f"{e}\n{journal('doctor')}") from None
    note = json.loads((DATA / "run/doctor.json").read_text())
    assert note["lines"], note
    shown = run("/usr/local/bin/plaza", "doctor", "--json", "--data", str(DATA), check=False)
    services = [f for f in json.loads(shown)["findings"] if f["area"] == "services"]
    assert all(f["state"] != "unknown" for f in services), services
    return {"told": note["told"], "services": services}


def limits_and_weights_are_in_force() -> dict[str, Any]:
    groups = Path("/sys/fs/cgroup/system.slice")
    seen = {}
    for name in PROGRAMS:
        folder = groups / f"plaza-{name}.service"
        seen[name] = {
            word: (folder / word).read_text().strip()
            for word in ("cpu.weight", "memory.max", "pids.max")
            if (folder / word).exists()
        }
    assert seen["kiosk"]["cpu.weight"] == "400"
    assert seen["portal"]["cpu.weight"] == "50"
    assert seen["portal"]["memory.max"] == str(200 << 20)
    return seen


def _cpu_us(name: str) -> int:
    return int(Path(f"/sys/fs/cgroup/{name}.slice/cpu.stat").read_text().split()[1])


def a_crowded_portal_leaves_the_kiosk_its_time() -> dict[str, Any]:
    """Four busy programs with the portal's weight beside two with the kiosk's, for ten seconds.

    The kiosk itself rests meanwhile, and must not grow.
    """
    held = int(unit("kiosk")["MemoryCurrent"])
    for name, weight, forks in (("crowd", 50, 2), ("screen", 400, 1)):
        burn = f"import os\nfor _ in range({forks}): os.fork()\nwhile True: pass"
        run("systemd-run", f"--unit={name}", f"--slice={name}.slice", PYTHON, "-c", burn)
        run("systemctl", "set-property", "--runtime", f"{name}.slice", f"CPUWeight={weight}")
    time.sleep(2)
    before = {name: _cpu_us(name) for name in ("crowd", "screen")}
    time.sleep(12)
    used = {name: _cpu_us(name) - before[name] for name in before}
    run("systemctl", "stop", "crowd.slice", "screen.slice")
    assert used["screen"] > 3 * used["crowd"], used
    grown = int(unit("kiosk")["MemoryCurrent"]) - held
    assert grown < 16 << 20, f"a kiosk at rest grew by {grown} bytes"
    return {"cpu_us": used, "kiosk_grown_bytes": grown}


def a_program_that_hangs_is_noticed_and_started_again() -> dict[str, Any]:
    """All of them at once: each has a watchdog of its own, and none waits for another's."""
    eventually(all_run, 400)  # a watchdog counts from the program's own word on
    before = {name: pid(name) for name in PROGRAMS}
    assert all(before.values()), before
    began, seconds = time.monotonic(), dict[str, float]()
    for number in before.values():
        os.kill(number, signal.SIGSTOP)

    def all_noticed() -> bool:
        for name in (n for n in PROGRAMS if n not in seconds):
            if pid(name) not in (0, before[name]):
                seconds[name] = round(time.monotonic() - began, 1)
        return len(seconds) == len(PROGRAMS)

    try:
        eventually(all_noticed, 300)
    except TimeoutError:
        raise TimeoutError(f"noticed: {seconds}; of {before}") from None
    for name in PROGRAMS:
        assert "Watchdog timeout" in run("journalctl", "-u", f"plaza-{name}.service"), name
    eventually(all_run, 400)
    return {"noticed_s": seconds}


def any_of_them_dies_alone() -> dict[str, Any]:
    eventually(all_run, 400)
    for victim in PROGRAMS:
        before = {name: pid(name) for name in PROGRAMS}
        assert all(before.values()), before
        os.kill(before[victim], signal.SIGKILL)
        eventually(lambda v=victim, b=before: pid(v) not in (0, b[v]), 120)
        others = {name for name in PROGRAMS if name != victim and pid(name) != before[name]}
        assert not others, f"{victim} took {others} along"
    eventually(all_run, 400)
    return {}


def a_stop_is_orderly_and_quick() -> dict[str, Any]:
    seconds = {}
    for name in reversed(PROGRAMS):
        began = time.monotonic()
        run("systemctl", "stop", f"plaza-{name}.service")
        seconds[name] = round(time.monotonic() - began, 1)
        assert unit(name)["Result"] == "success", (name, unit(name), journal(name))
    return {"stop_s": seconds}


def a_node_without_a_screen_starts_no_kiosk_and_that_is_no_failure() -> dict[str, Any]:
    configure(SETTINGS.format(profile="portal"))
    run("systemctl", "start", "plaza-kiosk.service")
    seen = unit("kiosk")
    assert (seen["ActiveState"], seen["MainPID"]) == ("inactive", "0"), seen
    configure(SETTINGS.format(profile="kiosk"))
    return seen


def the_kiosk_opens_serial_ports_from_inside_its_sandbox() -> dict[str, Any]:
    drop_in("kiosk", OPENS)
    run("systemctl", "daemon-reload")
    try:
        run("systemctl", "start", "plaza-kiosk.service")
    except RuntimeError as e:
        raise RuntimeError(f"{e}\n{journal('kiosk')}") from None
    assert Path("/run/plaza-kiosk/ok").exists()
    return {}


def systemd_judges_the_exposure_of_what_runs() -> dict[str, Any]:
    names = sorted(p.name for p in Path("/usr/lib/systemd/system").glob("plaza-*.service"))
    seen = {}
    for name in (n for n in names if "@" not in n and "-vm-" not in n):
        shown = run("systemd-analyze", "security", "--no-pager", name, check=False)
        seen[name] = float(shown.rsplit(": ", 1)[1].split()[0])
    assert max(seen.values()) <= 5.0, seen
    assert max(seen[f"plaza-{n}.service"] for n in ("portal", "sync")) <= 2.5, seen
    return seen


STEPS = [
    the_door_is_shut_and_nothing_is_carried_before_any_program_runs,
    the_kernels_settings_are_in_force,
    every_program_starts_in_its_sandbox_and_says_that_it_is_ready,
    the_portal_answers_and_reaches_the_gate,
    the_doctor_examines_the_node_from_its_sandbox_and_leaves_a_note,
    limits_and_weights_are_in_force,
    a_crowded_portal_leaves_the_kiosk_its_time,
    any_of_them_dies_alone,
    a_program_that_hangs_is_noticed_and_started_again,
    a_stop_is_orderly_and_quick,
    a_node_without_a_screen_starts_no_kiosk_and_that_is_no_failure,
    the_kiosk_opens_serial_ports_from_inside_its_sandbox,
    systemd_judges_the_exposure_of_what_runs,
]


if __name__ == "__main__":
    tell_steps(STEPS)
