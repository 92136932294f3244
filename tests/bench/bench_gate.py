"""The gate's figures: verbs beside 0 to 10,000 visits, tap to first packet, revoke to last, restore.

Verbs and restore run in a network namespace of their own; the way of a packet in the laboratory of the
network tests (two guests on a bridge, the real daemon, the real portal, an Internet). Root only.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from captive_portal.gate.kernel import LinuxKernel
from captive_portal.gate.nft import GatePolicy, NftGate
from captive_portal.gate.nft_runner import ArgvNft, best_runner
from captive_portal.gate.ruleset import GuestSide
from captive_portal.gate.store import VisitStore
from captive_portal.gate.visits import GateTrouble, Limits
from captive_portal.gate.wiring import boot_ms
from captive_portal.pseudonym import DayKey

LAB = Path(__file__).parents[1] / "network" / "conftest.py"
LIMITS = Limits(500_000_000, 512, 256)
SIDE = GuestSide("guest0", "up0", 8380, gateway4="10.66.0.1")


class Counted:
    """Address 10.N.N.N is behind 02:00:0a:N:N:N."""

    def mac_of(self, ip: str) -> str:
        return "02:00:" + ":".join(f"{int(part):02x}" for part in ip.split("."))

    def crowds(self) -> dict[str, int]:
        return {}


def say(what: str, value: float, unit: str, **more: str) -> None:
    print(json.dumps({"what": what, "value": round(value, 3), "unit": unit, **more}), flush=True)


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    result = work()
    spent = (time.perf_counter() - began) * 1000
    assert not isinstance(result, GateTrouble), result
    return spent


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def make_gate(folder: Path) -> NftGate:
    store = VisitStore(folder / "visits.ndjson")
    kernel = LinuxKernel(best_runner())
    return NftGate(GatePolicy(SIDE), kernel, Counted(), store, boot_ms, DayKey(boot_ms))


def ip_of(group: int, n: int) -> str:
    return f"10.{group}.{n >> 8}.{n & 255}"


def verbs(folder: Path) -> None:
    for interface in ("guest0", "up0"):
        peer = interface + "p"
        subprocess.run(["ip", "link", "add", interface, "type", "veth", "peer", peer], check=True)
    gate = make_gate(folder)
    assert gate.restore() == 0
    inside = 0
    for members in (0, 1000, 10_000):
        for n in range(inside, members):
            gate.grant(ip_of(1, n), 3600, LIMITS)
        inside = members
        grants, looks, revokes = [], [], []
        for n in range(500):
            ip = ip_of(2, n)
            grants.append(timed(lambda ip=ip: gate.grant(ip, 600, LIMITS)))
            looks.append(timed(lambda ip=ip: gate.look(ip)))
            revokes.append(timed(lambda ip=ip: gate.revoke(ip)))
        for verb, times in (("grant", grants), ("look", looks), ("revoke", revokes)):
            goal = {"goal": "<= 1"} if verb == "grant" else {}
            say(f"gate: {verb} beside {members} visits", p95(times), "ms p95", **goal)
        say(f"gate: check of the firewall beside {members} visits", timed(gate.check), "ms")
    restore(folder)
    peer_by_program()


def restore(folder: Path) -> None:
    """A new process: from the file in memory to 10,000 visits in the kernel."""
    for what, spoil in (("start after a crash of the gate", False), ("firewall emptied", True)):
        times, busy = [], []
        for _ in range(3):
            if spoil:
                subprocess.run(["nft", "flush ruleset"], check=True)
            fresh, began = make_gate(folder), time.process_time()
            times.append(timed(fresh.start))
            busy.append((time.process_time() - began) * 1000)
        more = {"goal": "<= 200", "peer": f"processor time {statistics.median(busy):.0f} ms"}
        say(f"gate: restore of 10,000 visits, {what}", statistics.median(times), "ms", **more)


def peer_by_program() -> None:
    """The way other portals go: the `nft` program once per change."""
    nft, times = ArgvNft("nft"), []
    for n in range(30):
        text = f"add element inet plaza allow {{ 02:09:00:00:00:{n:02x} timeout 60s }}"
        times.append(timed(lambda text=text: nft.run(text)))
    say("peer: one set element by the nft program", p95(times), "ms p95")


def packets() -> None:
    spec = importlib.util.spec_from_file_location("plaza_lab", LAB)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["plaza_lab"] = made
    spec.loader.exec_module(made)
    with tempfile.TemporaryDirectory() as folder:
        lab = made.Lab(Path(folder))
        try:
            lab.build()
            lab.meet(lab.ann)
            taps(lab)
            ends(lab)
        finally:
            lab.ann.rest()
            lab.close()


def taps(lab: Any) -> None:
    times = []
    for _ in range(40):
        seen = lab.ann.do("tap", "10.66.0.1", "203.0.113.10")
        assert seen["status"] == 303, seen
        times.append(seen["ms"])
        lab.gate.revoke(lab.ann.ip)
    say("gate: tap to first packet (form, portal, gate, TCP)", p95(times), "ms p95", goal="<= 50")


def ends(lab: Any) -> None:
    times = []
    for _ in range(8):
        lab.gate.grant(lab.ann.ip, 600)
        rain = lab.ann.start("rain", "203.0.113.10", "5001", "0.9")
        time.sleep(0.6)
        asked = time.monotonic()
        lab.gate.revoke(lab.ann.ip)
        seen = json.loads(rain.communicate(timeout=20)[0].splitlines()[-1])
        assert seen["datagrams"] > 0
        times.append(max(0.0, (seen["last"] - asked) * 1000))
    say("gate: revoke to last packet", max(times), "ms worst of 8", goal="<= 50")


def main() -> None:
    if os.geteuid() != 0:
        say("gate: NOT RUN, needs root", 0, "")
        return
    if len(sys.argv) == 2:
        verbs(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        argv = ["unshare", "--net", sys.executable, "-P", __file__, folder]
        subprocess.run(argv, check=True)
    packets()


if __name__ == "__main__":
    main()
