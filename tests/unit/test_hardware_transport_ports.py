"""Ports of every kind behave alike: trouble is a value, and what vanished is found again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hardware.transport.address import (
    Address,
    AddressError,
    SerialAddress,
    TcpAddress,
    UsbAddress,
    open_address,
    parse_address,
)
from hardware.transport.port import FarEnd, Port, PortCause, PortProblem
from hardware.transport.pty_end import PtyEnd
from hardware.transport.tcp_end import TcpEnd
from hardware.transport.usb_end import UsbEnd
from hardware.transport.usb_port import UsbName, open_usb


class Far:
    """A device that sends back what it hears, and stops listening when told."""

    def __init__(self, kind: Callable[..., Any]) -> None:
        self.deaf = threading.Event()
        self.end: Any = kind(self._echo, wants_bytes=lambda: not self.deaf.is_set())
        self.address = parse_address(self.end.open())

    def _echo(self, data: bytes) -> None:
        self.end.send(data)

    def open(self) -> Port | PortProblem:
        return open_address(self.address, 115200, usb_backend=getattr(self.end, "backend", None))

    def opened(self) -> Port:
        port = self.open()
        assert not isinstance(port, PortProblem), port
        return port


@pytest.fixture(params=[PtyEnd, TcpEnd, UsbEnd], ids=["serial", "network", "usb"])
def far(request: pytest.FixtureRequest) -> Iterator[Far]:
    built = Far(request.param)
    yield built
    built.deaf.clear()
    built.end.close()


def read(port: Port, size: int, within_s: float = 2.0) -> bytes:
    got, end = b"", time.monotonic() + within_s
    while len(got) < size and time.monotonic() < end:
        piece = port.read(0.1)
        assert isinstance(piece, bytes), piece
        got += piece
    return got


def test_bytes_cross_whole_and_in_order_both_ways(far: Far) -> None:
    port = far.opened()
    sent = bytes(range(256)) * 8

    assert port.write(sent) is None
    assert read(port, len(sent)) == sent
    port.close()


def test_without_bytes_a_read_ends_in_its_time(far: Far) -> None:
    port = far.opened()
    began = time.monotonic()

    assert port.read(0.1) == b""
    assert 0.05 < time.monotonic() - began < 1
    port.close()


def test_what_nobody_asked_for_can_be_forgotten(far: Far) -> None:
    port = far.opened()
    port.write(b"old")
    time.sleep(0.2)
    port.drop_input()

    assert port.read(0.05) == b""
    port.close()


def test_a_device_that_takes_nothing_blocks_a_write_for_two_seconds_at_most(far: Far) -> None:
    port = far.opened()
    far.deaf.set()
    began = time.monotonic()
    problem = port.write(bytes(16_000_000))

    assert isinstance(problem, PortProblem)
    assert problem.cause is PortCause.BLOCKED
    assert time.monotonic() - began < 5
    port.close()


def test_a_pulled_cable_is_gone_and_missing_and_found_again(far: Far) -> None:
    port = far.opened()
    far.end.unplug()
    problems = [port.read(0.1) for _ in range(3)]
    port.close()
    missing = far.open()
    far.end.replug()
    if isinstance(far.address, SerialAddress):
        far.address = parse_address(far.end.path)
    again = far.opened()

    assert isinstance(problems[-1], PortProblem)
    assert problems[-1].cause is PortCause.GONE
    assert isinstance(missing, PortProblem)
    assert missing.cause in (PortCause.MISSING, PortCause.GONE)
    assert again.write(b"hola") is None
    assert read(again, 4) == b"hola"
    again.close()


@pytest.mark.parametrize("kind", [PtyEnd, UsbEnd])
def test_a_port_is_for_one_program_alone(kind: Callable[..., FarEnd]) -> None:
    far = Far(kind)
    port = far.opened()
    second = far.open()
    port.close()
    far.end.close()

    assert isinstance(second, PortProblem)
    assert second.cause is PortCause.BUSY


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/dev/serial/by-path/x-port0", SerialAddress("/dev/serial/by-path/x-port0")),
        ("tcp://192.168.8.20", TcpAddress("192.168.8.20", 9100)),
        ("tcp://impresora.local:9101", TcpAddress("impresora.local", 9101)),
        ("tcp://[fd00::20]:9100", TcpAddress("fd00::20", 9100)),
        ("usb://04b8:0e28", UsbAddress(UsbName(0x04B8, 0x0E28))),
        ("usb://04b8:0E28:J6MF1", UsbAddress(UsbName(0x04B8, 0x0E28, "J6MF1"))),
        ("usb://by-path/1-1.4.2", UsbAddress(UsbName(path="1-1.4.2"))),
    ],
)
def test_a_port_setting_reads_as_an_address(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "usb://", "usb://04b8", "usb://xxxx:0000", "tcp://", "tcp://a:0", "tcp://a:99999",
             "tcp://a b:1", "http://a", "usb://by-path/../x"],
)  # fmt: skip
def test_a_port_setting_that_is_none_says_what_is_expected(text: str) -> None:
    with pytest.raises(AddressError, match="usb://vvvv:pppp"):
        parse_address(text)


def test_of_two_usb_printers_alike_the_serial_number_or_the_socket_chooses() -> None:
    end = UsbEnd(lambda data: None, serial="B2")
    end.open()
    wrong = open_usb(UsbName(end.vendor, end.product, "A1"), end.backend)
    elsewhere = open_usb(UsbName(path="2-1"), end.backend)
    right = open_usb(UsbName(path="1-1.4"), end.backend)
    end.close()

    assert isinstance(wrong, PortProblem)
    assert isinstance(elsewhere, PortProblem)
    assert not isinstance(right, PortProblem)
    right.close()


def test_a_usb_printer_that_only_listens_is_silent_and_not_broken() -> None:
    end = UsbEnd(lambda data: None, bidirectional=False)
    end.open()
    port = open_usb(UsbName(end.vendor, end.product), end.backend)
    assert not isinstance(port, PortProblem)

    assert port.write(b"x") is None
    assert port.read(0.01) == b""
    port.close()
    end.close()
