"""Which USB devices get a driver on a node, by the rules as they are installed.

A small reader of the rules' language judges devices as `lsusb` shows them; where systemd is new enough
(Debian 13), `udevadm verify` also reads the files themselves.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

RULES = Path(__file__).parents[2] / "images/overlay/usr/lib/udev/rules.d"
USB = RULES / "62-plaza-usb.rules"
_TERM = re.compile(r'\s*([A-Z_]+(?:\{[^}]*\})?)\s*(==|!=|=|\+=|:=)\s*"([^"]*)"\s*')


def judge(vendor: str, interfaces: str, device_class: str = "00", authorized: str = "0") -> str:
    """`authorized` of a device after the rules. Interfaces as udev writes them: `:030101:080650:`."""
    facts = {
        "ACTION": "add", "SUBSYSTEM": "usb", "KERNEL": "1-1", "ENV{DEVTYPE}": "usb_device",
        "ENV{ID_USB_INTERFACES}": interfaces, "ATTR{idVendor}": vendor,
        "ATTR{bDeviceClass}": device_class, "ATTR{authorized}": authorized,
    }  # fmt: skip
    return walk(facts)["ATTR{authorized}"]


def walk(facts: dict[str, str]) -> dict[str, str]:
    """The facts after every rule of the file, in the order of the file."""
    goto = ""
    for line in USB.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        terms = [found.groups() for found in _TERM.finditer(line)]
        assert ",".join(f'{k}{op}"{v}"' for k, op, v in terms).replace(" ", "") == line.replace(
            ", ", ","
        ).replace(" ", ""), f"not understood: {line}"
        if goto:
            goto = "" if ("LABEL", "=", goto) in terms else goto
            continue
        if all(_holds(facts.get(k, ""), op, v) for k, op, v in terms if op in ("==", "!=")):
            for key, op, value in terms:
                if op == "=" and key == "GOTO":
                    goto = value
                elif op == "=":
                    facts[key] = value
    return facts


def _holds(value: str, op: str, pattern: str) -> bool:
    matches = any(fnmatchcase(value, one) for one in pattern.split("|"))
    return matches if op == "==" else not matches


TAKEN = [
    ("keyboard", "046d", ":030101:", "00"),
    ("touch screen", "222a", ":030000:030101:", "00"),
    ("receipt printer", "04b8", ":070102:ff0000:", "00"),
    ("nameless printer", "0fe6", ":070102:", "00"),
    ("hub", "2109", ":090000:", "09"),
    ("hub of the board", "0424", ":090002:", "09"),
    ("USB stick", "0781", ":080650:", "00"),
    ("USB sound", "0d8c", ":010100:010200:030000:", "00"),
    ("camera", "046d", ":0e0100:0e0200:010100:010200:", "ef"),
    ("card reader", "08e6", ":0b0000:", "00"),
    ("another card reader", "aaaa", ":0b0000:", "00"),
    ("code reader as a serial port", "1eab", ":020201:0a0000:", "02"),
    ("terminal as a serial port", "abcd", ":020201:0a0000:", "02"),
    ("serial adapter", "10c4", ":ff0000:", "00"),
    ("charge controller's cable", "0403", ":ffffff:", "00"),
    ("LTE modem with its network", "2c7c", ":ff0000:ff0000:020600:0a0000:", "ef"),
    ("network of a Raspberry Pi 3", "0424", ":ff00ff:", "ff"),
    ("Wi-Fi adapter", "0e8d", ":ffffff:", "00"),
]  # fmt: skip
REFUSED = [
    ("network adapter by CDC", "abcd", ":020600:0a0000:", "02"),
    ("network adapter by NCM", "abcd", ":020d00:0a0001:", "02"),
    ("a phone that shares its line", "18d1", ":e00103:0a0000:", "e0"),
    ("a keyboard that brings a network", "abcd", ":030101:020600:0a0000:", "00"),
    ("a stick that brings a network", "abcd", ":080650:e00103:", "00"),
    ("Bluetooth", "0a12", ":e00101:", "e0"),
    ("something of its maker's own", "abcd", ":ff0000:", "ff"),
    ("a keyboard with something of its maker's own", "abcd", ":030101:ff0000:", "00"),
    ("a device in firmware mode", "0483", ":fe0102:", "00"),
    ("a camera of photographs", "04a9", ":060101:", "00"),
]  # fmt: skip


@pytest.mark.parametrize(("vendor", "interfaces", "device"), [t[1:] for t in TAKEN],
                         ids=[t[0] for t in TAKEN])  # fmt: skip
def test_what_a_node_is_built_from_gets_its_driver(
    vendor: str, interfaces: str, device: str
) -> None:
    assert judge(vendor, interfaces, device) == "1"
    assert judge(vendor, interfaces, device, authorized="1") == "1"


@pytest.mark.parametrize(("vendor", "interfaces", "device"), [t[1:] for t in REFUSED],
                         ids=[t[0] for t in REFUSED])  # fmt: skip
def test_what_nobody_named_gets_none_also_when_it_was_there_at_the_start(
    vendor: str, interfaces: str, device: str
) -> None:
    assert judge(vendor, interfaces, device) == "0"
    assert judge(vendor, interfaces, device, authorized="1") == "0"


def test_devices_behind_a_root_hub_wait_and_the_hub_itself_stays() -> None:
    hub = {
        "ACTION": "add", "SUBSYSTEM": "usb", "KERNEL": "usb1", "ENV{DEVTYPE}": "usb_device",
        "ATTR{authorized_default}": "1", "ATTR{authorized}": "1",
    }  # fmt: skip
    after = walk(hub)

    assert (after["ATTR{authorized_default}"], after["ATTR{authorized}"]) == ("0", "1")


def test_other_subsystems_are_left_alone() -> None:
    disk = {"ACTION": "add", "SUBSYSTEM": "block", "KERNEL": "sda", "ATTR{authorized}": "1"}

    assert walk(dict(disk)) == disk


def _can_verify() -> bool:
    if shutil.which("udevadm") is None:
        return False
    told = subprocess.run(["udevadm", "--version"], capture_output=True, text=True, check=False)
    return told.stdout.strip().isdigit() and int(told.stdout) >= 254


@pytest.mark.skipif(not _can_verify(), reason="NOT RUN: udevadm verify came with systemd 254")
def test_udev_itself_understands_the_rules() -> None:
    argv = ["udevadm", "verify", "--resolve-names=late", *map(str, sorted(RULES.glob("*.rules")))]
    judged = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert judged.returncode == 0, judged.stdout + judged.stderr
