"""Keeps hostapd running with the site's configuration: `plaza wifi run`, one process under systemd.

It gives the visitors' interface its addresses, writes the file, starts hostapd by argv, isolates the
ports of the visitors' bridge, and lets nothing of hostapd's output pass but what holds no device. A
hang-up signal applies a changed site file; when hostapd ends, this ends too and systemd starts both.
"""

from __future__ import annotations

import fcntl
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface
from pathlib import Path

from captive_portal.site import Network
from captive_portal.wifi.events import StationCounter
from captive_portal.wifi.hostapd_conf import render_hostapd
from captive_portal.wifi.plan import NOTE_TEXT, Cause, NoPlan, WifiPlan
from captive_portal.wifi.profile import COUNTRY
from captive_portal.wifi.system import RUNTIME, ask, isolate_ports, prepare_guest_side

Planner = Callable[[], WifiPlan | NoPlan]
Say = Callable[[str], None]
GuestSide = Callable[[str, Sequence[IPv4Interface | IPv6Interface]], str]
SUMMARY_S = 600.0
TICK_S = 5.0
"""Between two looks: at hostapd and the ports, or for a radio that is not there yet."""
WIRED_TRIES = 12
"""How often the visitors' interface of a wired site is tried, a tick apart."""
_STOP_S = 5.0
_REGULATORY_S = 5.0


@dataclass(frozen=True, slots=True)
class Programs:
    """By which names or paths the programs are started."""

    hostapd: str = "hostapd"
    iw: str = "iw"


class WifiSupervisor:
    """Runs until stopped or until hostapd ends. `plan` is asked again at every reload."""

    def __init__(
        self,
        plan: Planner,
        network: Network,
        say: Say,
        runtime: Path = RUNTIME,
        programs: Programs = Programs(),
        alive: Callable[[], None] = lambda: None,
        ready: Callable[[], None] = lambda: None,
        tick_s: float = TICK_S,
        prepare: GuestSide = prepare_guest_side,
    ) -> None:
        self._plan = plan
        self._network = network
        self._say = say
        self._runtime = runtime
        self._programs = programs
        self._alive = alive
        self._ready = ready
        self._tick_s = tick_s
        self._make_ready = prepare
        self._counter = StationCounter()
        self._trouble = ""
        self._orders: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._child: subprocess.Popen[str] | None = None

    def run(self) -> int:
        """0: stopped when asked, or nothing to do here; 1: another one runs, or hostapd ended."""
        self._runtime.mkdir(mode=0o755, parents=True, exist_ok=True)
        with (self._runtime / "run.pid").open("a+") as pid_file:
            try:
                fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say("already running")
                return 1
            pid_file.truncate(0)
            pid_file.write(f"{os.getpid()}\n")
            pid_file.flush()
            return self._run()

    def reload(self) -> None:
        self._orders.put("reload")

    def stop(self) -> None:
        self._orders.put("stop")

    def _run(self) -> int:
        # Before the radio is looked at: without a country it shows channels that it may only hear.
        ask([self._programs.iw, "reg", "set", COUNTRY], _REGULATORY_S)
        plan = self._first_plan()
        if plan is None:
            return 0
        self._write(plan)
        self._tell(plan)
        self._start()
        code = self._watch()
        self._end_child()
        return code

    def _first_plan(self) -> WifiPlan | None:
        """What goes on the air, waited for: to end would only be to be started again for ever.

        None on a wired site, or when told to stop.
        """
        said: tuple[str, ...] = ()
        wired_tries = WIRED_TRIES
        self._trouble = self._prepare()
        self._ready()  # names and addresses are served on that interface, with a radio or without
        while True:
            plan = self._plan()
            found = (self._trouble, str(plan) if isinstance(plan, NoPlan) else "")
            words = tuple(filter(None, found))
            for line in words if words != said else ():
                self._say(line)
            if not isinstance(plan, NoPlan):
                return plan
            said = words
            self._isolate()
            if plan.cause is Cause.WIRED:
                wired_tries -= 1
                if not self._trouble or not wired_tries:
                    return None
            if self._next_order() == "stop":
                return None
            self._trouble = self._prepare()

    def _prepare(self) -> str:
        gateways = [g for g in (self._network.gateway4, self._network.gateway6) if g]
        return self._make_ready(self._network.guest, gateways)

    def _prepare_still(self) -> None:
        """Again until it is done: while a slow board starts, `ip` may be too slow for its time limit."""
        if self._trouble and self._trouble != (found := self._prepare()):
            self._say(found or "the visitors' interface is ready")
            self._trouble = found

    def _next_order(self) -> str:
        """What is asked within a tick, else "tick"."""
        self._alive()
        try:
            return self._orders.get(timeout=self._tick_s)
        except queue.Empty:
            return "tick"

    def _watch(self) -> int:
        summary_at = time.monotonic() + SUMMARY_S
        while True:
            order = self._next_order()
            if order == "stop":
                return 0
            if order == "gone":
                self._say("hostapd ended")
                return 1
            if order == "reload":
                self._apply()
            self._prepare_still()
            self._isolate()
            if time.monotonic() >= summary_at:
                summary_at += SUMMARY_S
                self._sum_up()

    def _apply(self) -> None:
        """A changed site file: hostapd starts again, which takes a second or two.

        hostapd could read its file again by itself, but then it keeps the channel that it had.
        """
        plan = self._plan()
        if isinstance(plan, NoPlan):
            self._say(f"kept as it was: {plan}")
        elif not self._write(plan):
            self._say("nothing changed")
        else:
            self._tell(plan)
            self._end_child()
            self._start()
            self._say("configuration applied")

    def _write(self, plan: WifiPlan) -> bool:
        """Put the file in place whole, for root alone; whether it changed."""
        text = render_hostapd(plan, self._control)
        path = self._runtime / "hostapd.conf"
        if path.exists() and path.read_text(encoding="ascii") == text:
            return False
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        fresh.replace(path)
        return True

    @property
    def _control(self) -> Path:
        return self._runtime / "control"

    def _start(self) -> None:
        self._child = subprocess.Popen(
            [self._programs.hostapd, str(self._runtime / "hostapd.conf")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace",
        )  # fmt: skip
        threading.Thread(target=self._read, args=(self._child,), daemon=True).start()

    def _read(self, child: subprocess.Popen[str]) -> None:
        assert child.stdout is not None
        with child.stdout as lines:
            for line in lines:
                worth = self._counter.feed(line)
                if worth:
                    self._say(worth)
                if self._counter.enabled:
                    self._counter.enabled.clear()
                    self._orders.put("enabled")
        if child is self._child:
            self._orders.put("gone")

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.terminate()
        try:
            child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        self._counter.restarted()
        self._sum_up()

    def _isolate(self) -> None:
        isolate_ports(self._network.guest)

    def _sum_up(self) -> None:
        summary = self._counter.take()
        if not summary.is_quiet:
            self._say(str(summary))

    def _tell(self, plan: WifiPlan) -> None:
        kinds = ", ".join(n.kind for n in plan.networks)
        self._say(f"channel {plan.channel} of {plan.band.value} GHz, networks: {kinds}")
        for note in plan.notes:
            self._say(NOTE_TEXT[note])


def ask_to_reload(runtime: Path = RUNTIME) -> str:
    """Tell the running supervisor to read the site file again; empty, or why it could not be told."""
    try:
        with (runtime / "run.pid").open("r+") as pid_file:
            try:
                fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.kill(int(pid_file.read().strip()), signal.SIGHUP)
                return ""
    except (OSError, ValueError) as e:
        return f"plaza wifi run cannot be told: {type(e).__name__}"
    return "plaza wifi run is not running"
