"""`plaza wifi run` around a stand-in for hostapd: a program that says what hostapd says."""

from __future__ import annotations

import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from captive_portal.sections import SectionProblem
from captive_portal.site import Network
from captive_portal.wifi.plan import Cause, NoPlan, WifiPlan, make_plan
from captive_portal.wifi.profile import parse_wifi
from captive_portal.wifi.radio import parse_radios
from captive_portal.wifi.supervisor import GuestSide, Programs, WifiSupervisor, ask_to_reload
from captive_portal.wifi.system import prepare_guest_side

MAC = "02:00:00:00:01:00"
# Not a name that `ip` would be asked for: nothing of this machine may change.
NOWHERE = Network(guest="../nowhere")
RADIO = parse_radios((Path(__file__).parents[1] / "golden/iw/mt7612u.txt").read_text())[0]
STAND_IN = f"""#!{sys.executable} -P
import os, signal, sys, time
def say(line): print(line, flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
say("name " + open(sys.argv[1]).read().split("ssid2=")[1].split()[0])
say("wlan0: AP-ENABLED ")
say("wlan0: AP-STA-CONNECTED {MAC}")
say("hwaddr {MAC}")
while not os.path.exists(os.path.join(os.path.dirname(sys.argv[1]), "die")):
    time.sleep(0.05)
sys.exit(1)
"""


def _plan(**keys: object) -> WifiPlan:
    profile = parse_wifi(keys)
    assert not isinstance(profile, SectionProblem)
    plan = make_plan(profile, RADIO, "br-nowhere")
    assert isinstance(plan, WifiPlan)
    return plan


@dataclass
class Running:
    """A supervisor in a thread, what it said, and how it ended."""

    folder: Path
    plan: WifiPlan | NoPlan
    said: list[str] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    looks: int = 0
    prepare: GuestSide = prepare_guest_side
    ready: list[int] = field(default_factory=list)
    """How often the plan had been asked for when systemd was told."""

    def __post_init__(self) -> None:
        program = self.folder / "stand-in"
        program.write_text(STAND_IN)
        program.chmod(0o755)
        self.runtime = self.folder / "run"
        self.supervisor = WifiSupervisor(
            self._look, NOWHERE, self.said.append, self.runtime,
            Programs(str(program), "/bin/true"), ready=lambda: self.ready.append(self.looks),
            tick_s=0.05, prepare=self.prepare,
        )  # fmt: skip
        self.thread = threading.Thread(target=lambda: self.ended.append(self.supervisor.run()))

    def _look(self) -> WifiPlan | NoPlan:
        self.looks += 1
        return self.plan

    def until(self, check: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not check():
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)

    def says(self, words: str) -> None:
        self.until(lambda: any(words in line for line in list(self.said)))

    def finish(self) -> int:
        self.supervisor.stop()
        self.thread.join(30)
        return self.ended[0]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path, _plan(ssid="Plaza"))
    made.thread.start()
    made.says("hwaddr (device)")
    yield made
    if made.thread.is_alive():
        made.finish()


def test_the_file_is_for_root_alone_and_the_log_names_no_device(running: Running) -> None:
    conf = running.runtime / "hostapd.conf"

    assert stat.S_IMODE(conf.stat().st_mode) == 0o600
    assert f"ssid2={b'Plaza'.hex()}" in conf.read_text()
    assert running.finish() == 0
    assert running.said[-1] == "devices: 0 now, joined 1, left 1"
    assert MAC not in "".join(running.said)


@pytest.mark.parametrize(
    "keys", [{"ssid": "Otra"}, {"ssid": "Otra", "channel": 11}, {"ssid": "Otra", "security": "owe"}]
)
def test_a_changed_site_starts_hostapd_again_with_it(
    keys: dict[str, object], running: Running
) -> None:
    running.plan = _plan(**keys)
    running.supervisor.reload()

    running.says("name " + b"Otra".hex())
    running.says("configuration applied")
    assert "devices: 0 now, joined 1, left 1" in running.said
    assert running.thread.is_alive()


def test_a_reload_without_a_change_disturbs_nobody(running: Running) -> None:
    running.supervisor.reload()

    running.says("nothing changed")
    assert running.said.count("hwaddr (device)") == 1


def test_a_site_that_cannot_be_made_leaves_the_network_as_it_was(running: Running) -> None:
    running.plan = NoPlan(Cause.SITE_FILE, "line 3")
    running.supervisor.reload()

    running.says("kept as it was: the site file has a mistake: line 3")
    assert running.thread.is_alive()


def test_when_hostapd_ends_the_service_ends_for_systemd_to_start_both(running: Running) -> None:
    (running.runtime / "die").touch()
    running.thread.join(30)

    assert running.ended == [1]
    assert "hostapd ended" in running.said


@pytest.fixture
def without_radio(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path, NoPlan(Cause.NO_RADIO))
    made.thread.start()
    made.says("there is no such radio")
    yield made
    if made.thread.is_alive():
        made.finish()


def test_a_radio_that_is_not_there_is_waited_for_and_told_once(without_radio: Running) -> None:
    """To end would make systemd start the program again every few seconds, for ever."""
    at = without_radio.looks
    without_radio.until(lambda: without_radio.looks > at + 3)
    assert without_radio.said.count("there is no such radio") == 1

    without_radio.plan = _plan(ssid="Plaza")
    without_radio.says("hwaddr (device)")
    assert without_radio.finish() == 0


def test_who_listens_on_the_visitors_interface_does_not_wait_for_the_radio(
    without_radio: Running,
) -> None:
    without_radio.until(lambda: without_radio.looks > 2)

    assert without_radio.ready == [0]


def test_while_it_waits_for_a_radio_it_can_be_stopped(without_radio: Running) -> None:
    assert without_radio.finish() == 0


def test_on_a_cable_there_is_nothing_to_keep(tmp_path: Path) -> None:
    made = Running(tmp_path, NoPlan(Cause.WIRED))
    made.thread.start()
    made.thread.join(30)

    assert made.ended == [0]
    assert made.said == ["'../nowhere' is not an interface name", str(made.plan)]


def test_an_interface_that_was_not_ready_in_time_is_made_ready_later(tmp_path: Path) -> None:
    """While a slow board starts, `ip` may take longer than it is waited for."""
    answers = ["ip: TimeoutExpired", "ip: TimeoutExpired"]
    made = Running(
        tmp_path, _plan(ssid="Plaza"), prepare=lambda *_: answers.pop() if answers else ""
    )
    made.thread.start()
    made.says("the visitors' interface is ready")
    assert made.said.count("ip: TimeoutExpired") == 1
    assert made.finish() == 0


def test_two_at_a_time_are_refused(running: Running) -> None:
    said: list[str] = []
    second = WifiSupervisor(lambda: running.plan, NOWHERE, said.append, running.runtime)

    assert second.run() == 1
    assert said == ["already running"]


def test_a_reload_of_nothing_says_so(tmp_path: Path) -> None:
    assert "cannot be told" in ask_to_reload(tmp_path)
    (tmp_path / "run.pid").write_text("1\n")
    assert ask_to_reload(tmp_path) == "plaza wifi run is not running"


def test_a_plan_is_told_with_its_notes(tmp_path: Path) -> None:
    made = Running(
        tmp_path, replace(_plan(security="owe", staff={"ssid": "T", "passphrase": "x" * 12}))
    )
    made.thread.start()

    made.says("networks: open, owe")
    made.says("no staff network")
    assert made.finish() == 0
