"""What a technician writes in a port setting, and the port that it opens.

/dev/serial/by-path/...           a serial line (any path)
usb://04b8:0e28                   a USB device by vendor and product
usb://04b8:0e28:J6MF123456        the one with that serial number
usb://by-path/1-1.4               whatever is plugged into that socket
tcp://192.168.8.20:9100           a device on the network; without a port, 9100
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hardware.transport.port import Port, PortProblem
from hardware.transport.serial_port import open_port
from hardware.transport.tcp_port import open_tcp
from hardware.transport.usb_port import UsbName, open_usb

RAW_PORT = 9100
_USB = re.compile(r"usb://([0-9a-fA-F]{4}):([0-9a-fA-F]{4})(?::([^/\s]{1,64}))?")
_USB_PATH = re.compile(r"usb://by-path/(\d{1,3}-\d{1,3}(?:\.\d{1,3})*)")
_TCP = re.compile(r"tcp://(\[[0-9a-fA-F:.]+\]|[^/:\s\[\]]+)(?::(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class SerialAddress:
    path: str


@dataclass(frozen=True, slots=True)
class TcpAddress:
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class UsbAddress:
    name: UsbName


Address = SerialAddress | TcpAddress | UsbAddress


class AddressError(ValueError):
    """A port setting that names no port; the message says what is expected."""


def parse_address(text: str) -> Address:
    """Raises AddressError."""
    if text and "://" not in text:
        return SerialAddress(text)
    if found := _USB_PATH.fullmatch(text):
        return UsbAddress(UsbName(path=found[1]))
    if found := _USB.fullmatch(text):
        return UsbAddress(UsbName(int(found[1], 16), int(found[2], 16), found[3] or ""))
    if found := _TCP.fullmatch(text):
        port = int(found[2] or RAW_PORT)
        if 0 < port < 65536:
            return TcpAddress(found[1].strip("[]"), port)
    raise AddressError(
        f"«{text}» is no port: write /dev/serial/by-path/..., usb://vvvv:pppp, "
        "usb://by-path/1-1.4 or tcp://address:9100"
    )


def open_address(address: Address, baud: int, *, usb_backend: Any = None) -> Port | PortProblem:
    """Open the port for this program alone. `baud` matters to serial lines only."""
    match address:
        case SerialAddress(path):
            return open_port(path, baud)
        case TcpAddress(host, port):
            return open_tcp(host, port)
        case UsbAddress(name):
            return open_usb(name, usb_backend)
