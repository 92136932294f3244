"""The switches of a real node, on a /sys of our own and a systemctl that writes down what it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from plaza.energy_edge import LinuxEdge, port_folder
from plaza.energy_plan import (
    Action,
    Antennas,
    Arm,
    Halt,
    Light,
    Processor,
    Service,
    Switch,
    Usb,
)
from plaza.energy_simulator import JournalEdge, SimulatedEdge, action_of
from plaza.energy_usb import UsbDevices


class Board:
    """A board with a panel, HDMI, two radios, a hub and a clock that can wake it."""

    def __init__(self, folder: Path) -> None:
        self.sys = folder / "sys"
        self.put("class/backlight/10-0045/max_brightness", "31")
        self.put("class/backlight/10-0045/brightness", "31")
        self.put("class/backlight/10-0045/bl_power", "0")
        self.put("class/graphics/fb0/blank", "0")
        self.put("class/rfkill/rfkill0/soft", "0")
        self.put("class/rfkill/rfkill1/soft", "0")
        self.put("bus/usb/devices/1-1:1.0/1-1-port2/disable", "0")
        policy = "devices/system/cpu/cpufreq/policy0"
        self.put(f"{policy}/scaling_governor", "ondemand")
        self.put(f"{policy}/scaling_available_governors", "ondemand powersave performance")
        self.told = folder / "told"
        self.told.touch()
        program = folder / "systemctl"
        program.write_text(
            f'#!/bin/sh\necho "$*" >> {self.told}\n'
            'case "$*" in *plaza-wifi*enabled*|is-enabled*plaza-wifi*) exit 1;; esac\n'
            'case "$*" in *stop*plaza-sync*) echo "no such unit" >&2; exit 5;; esac\n'
        )
        program.chmod(0o755)
        self.edge = LinuxEdge(("1-1-port2",), sys=self.sys, systemctl=str(program))

    def put(self, name: str, text: str) -> None:
        file = self.sys / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def get(self, name: str) -> str:
        return (self.sys / name).read_text()

    def commands(self) -> list[str]:
        return self.told.read_text().splitlines()


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def test_a_unit_that_the_site_does_not_use_is_never_started(board: Board) -> None:
    assert board.edge.do(Switch(Service.KIOSK, on=True)) == ""
    assert board.edge.do(Switch(Service.RADIO, on=True)) == ""
    assert board.commands() == [
        "is-enabled --quiet plaza-kiosk.service",
        "--no-block start plaza-kiosk.service",
        "is-enabled --quiet plaza-wifi.service",
    ]


def test_a_unit_that_does_not_stop_is_told(board: Board) -> None:
    assert "no such unit" in board.edge.do(Switch(Service.CARRIER, on=False))


def test_the_screen_dims_and_its_signal_goes(board: Board) -> None:
    panel = "class/backlight/10-0045"
    assert board.edge.do(Light(40)) == ""
    assert (board.get(f"{panel}/brightness"), board.get("class/graphics/fb0/blank")) == ("12", "0")
    assert board.edge.do(Light(0)) == ""
    assert (board.get(f"{panel}/brightness"), board.get(f"{panel}/bl_power")) == ("0", "4")
    assert board.get("class/graphics/fb0/blank") == "4"


def test_radios_usb_and_processor(board: Board) -> None:
    for action in (Antennas(on=False), Usb(on=False), Processor(slow=True)):
        assert board.edge.do(action) == ""
    assert board.get("class/rfkill/rfkill1/soft") == "1"
    assert board.get("bus/usb/devices/1-1:1.0/1-1-port2/disable") == "1"
    assert board.get("devices/system/cpu/cpufreq/policy0/scaling_governor") == "powersave"
    assert board.edge.do(Processor(slow=False)) == ""
    assert board.get("devices/system/cpu/cpufreq/policy0/scaling_governor") == "ondemand"


@pytest.mark.parametrize(
    ("port", "folder"),
    [
        ("1-1-port2", "1-1:1.0/1-1-port2"),
        ("1-1.4-port1", "1-1.4:1.0/1-1.4-port1"),
        ("usb2-port1", "2-0:1.0/usb2-port1"),
        ("../../../etc", ""),
        ("1-1-port2/..", ""),
        ("", ""),
    ],
)
def test_a_usb_port_is_a_name_and_never_a_path(port: str, folder: str) -> None:
    assert port_folder(port) == folder


def usb_tree(board: Board) -> None:
    """A hub with the controller's adapter, a printer, a memory, and a thing that the rules refused."""
    for name, kind, interface in [
        ("1-1", "09", "09"),
        ("1-1.1", "00", "ff"),
        ("1-1.2", "00", "07"),
        ("1-1.3", "00", "08"),
        ("1-1.4", "00", "03"),
    ]:
        board.put(f"bus/usb/devices/{name}/bDeviceClass", kind)
        board.put(f"bus/usb/devices/{name}/{name}:1.0/bInterfaceClass", interface)
        board.put(f"bus/usb/devices/{name}/authorized", "0" if name == "1-1.4" else "1")
    device = board.sys / "bus/usb/devices/1-1.1/1-1.1:1.0"
    tty = board.sys / "class/tty/ttyUSB0"
    tty.mkdir(parents=True)
    (tty / "device").symlink_to(device)


def authorized(board: Board) -> list[str]:
    names = ("1-1", "1-1.1", "1-1.2", "1-1.3", "1-1.4")
    return [board.get(f"bus/usb/devices/{name}/authorized") for name in names]


def test_usb_devices_sleep_but_for_hubs_memories_and_the_charge_controller(
    board: Board, tmp_path: Path
) -> None:
    usb_tree(board)
    notes = tmp_path / "usb-off.json"

    def edge() -> LinuxEdge:
        return LinuxEdge(sys=board.sys, usb=UsbDevices(board.sys, notes, "/dev/ttyUSB0"))

    assert edge().do(Usb(on=False)) == ""
    assert authorized(board) == ["1", "1", "0", "1", "0"]
    assert edge().do(Usb(on=False)) == "", "a program that died asks again"
    assert edge().do(Usb(on=True)) == ""
    assert authorized(board) == ["1", "1", "1", "1", "0"], "what was refused stays refused"
    assert not notes.exists()


def test_notes_that_are_no_list_of_devices_authorise_nothing(board: Board, tmp_path: Path) -> None:
    usb_tree(board)
    notes = tmp_path / "usb-off.json"
    for raw in ('["../../../1-1.4"]', '{"1-1.4": 1}', "no", "[1, null]"):
        notes.write_text(raw)
        assert UsbDevices(board.sys, notes).give_back() == ""
        assert authorized(board)[-1] == "0"


def test_an_alarm_counts_only_when_it_is_there_when_read_back(board: Board) -> None:
    assert "no clock" in board.edge.do(Arm(600))
    board.put("class/rtc/rtc0/since_epoch", "1000")
    board.put("class/rtc/rtc0/wakealarm", "")
    # This file keeps what is written as it is; a clock would answer with the moment in seconds.
    assert "read back" in board.edge.do(Arm(600))
    board.put("class/rtc/rtc0/since_epoch", "0")
    assert "read back" in board.edge.do(Arm(600))


def test_a_halt_is_asked_of_systemd(board: Board) -> None:
    assert board.edge.do(Halt()) == ""
    assert board.commands() == ["poweroff"]


def test_a_board_without_a_part_has_nothing_to_switch(tmp_path: Path) -> None:
    edge = LinuxEdge(sys=tmp_path, systemctl="/nowhere/systemctl")
    for action in (Light(40), Light(0), Antennas(on=False), Usb(on=False), Processor(slow=True)):
        assert edge.do(action) == ""
    assert "systemctl" in edge.do(Halt())


def test_the_simulated_switches_do_the_same_and_can_refuse() -> None:
    edge = SimulatedEdge()
    for action in (Switch(Service.KIOSK, on=False), Light(25), Arm(60)):
        assert edge.do(action) == ""
    assert (edge.on[Service.KIOSK], edge.screen_percent, edge.armed_s) == (False, 25, 60)
    edge.refuses = {"halt"}
    assert edge.do(Halt())
    assert not edge.halted


@pytest.mark.parametrize(
    "action",
    [Switch(Service.RADIO, on=True), Light(25), Antennas(on=False), Usb(on=True), Arm(9), Halt()],
)
def test_a_stage_reads_the_same_action_that_was_journalled(action: Action, tmp_path: Path) -> None:
    file = tmp_path / "switches"
    assert JournalEdge(file).do(action) == ""
    assert action_of(file.read_text()) == action
