"""A printer on USB, through libusb: the bulk endpoints of its printer interface, for us alone.

The only module that touches pyusb, which is imported when a port is opened. A device is named by
what it is (`vvvv:pppp`, with a serial number when there are two alike) or by where it is plugged
(`by-path/1-1.4`), never by its address, which changes at every re-plug.
"""

from __future__ import annotations

import contextlib
import errno
from dataclasses import dataclass
from typing import Any

from hardware.transport.port import READ_MAX, WRITE_TIMEOUT_S, PortCause, PortProblem

PRINTER_CLASS = 7
_BULK = 2
_IN = 0x80

_CAUSES = {
    errno.ENOENT: PortCause.GONE,
    errno.ENODEV: PortCause.GONE,
    errno.EIO: PortCause.GONE,
    errno.EPIPE: PortCause.GONE,
    errno.EBUSY: PortCause.BUSY,
    errno.EACCES: PortCause.DENIED,
    errno.EPERM: PortCause.DENIED,
}


@dataclass(frozen=True, slots=True)
class UsbName:
    """Either `vendor` and `product` (and perhaps `serial`), or the `path` of the socket."""

    vendor: int = 0
    product: int = 0
    serial: str = ""
    path: str = ""


class UsbPort:
    """A claimed interface. Make one with `open_usb`."""

    def __init__(self, device: Any, number: int, out: Any, into: Any) -> None:
        self._device = device
        self._number = number
        self._out = out
        self._into = into

    def read(self, timeout_s: float) -> bytes | PortProblem:
        import usb.core

        if self._into is None:
            return b""
        try:
            wait_ms = max(1, round(timeout_s * 1000))  # libusb reads 0 as "for ever"
            return bytes(self._into.read(READ_MAX, wait_ms))
        except usb.core.USBTimeoutError:
            return b""
        except usb.core.USBError as problem:
            return PortProblem(PortCause.GONE, str(problem))

    def write(self, data: bytes) -> PortProblem | None:
        import usb.core

        try:
            sent = self._out.write(data, round(WRITE_TIMEOUT_S * 1000))
        except usb.core.USBTimeoutError as problem:
            return PortProblem(PortCause.BLOCKED, str(problem))
        except usb.core.USBError as problem:
            return PortProblem(PortCause.GONE, str(problem))
        if sent < len(data):
            return PortProblem(PortCause.BLOCKED, f"{len(data) - sent} bytes not taken")
        return None

    def drop_input(self) -> None:
        for _ in range(16):
            if not isinstance(got := self.read(0.0), bytes) or not got:
                return

    def close(self) -> None:
        import usb.core
        import usb.util

        with contextlib.suppress(usb.core.USBError):
            usb.util.release_interface(self._device, self._number)
        with contextlib.suppress(usb.core.USBError):
            usb.util.dispose_resources(self._device)


def open_usb(name: UsbName, backend: Any = None) -> UsbPort | PortProblem:
    """Find the device and claim its printer interface. `backend`: another libusb, for simulators."""
    import usb.core

    try:
        found = [d for d in usb.core.find(find_all=True, backend=backend) if _is(d, name)]
    except usb.core.NoBackendError:
        return PortProblem(PortCause.MISSING, "libusb-1.0 is not installed")
    except (usb.core.USBError, NotImplementedError) as problem:
        return PortProblem(PortCause.MISSING, str(problem))
    if not found:
        return PortProblem(PortCause.MISSING, "no such USB device")
    try:
        return _claim(found[0])
    except usb.core.USBError as problem:
        return PortProblem(_CAUSES.get(problem.errno or 0, PortCause.GONE), str(problem))


def _is(device: Any, name: UsbName) -> bool:
    if name.path:
        return name.path == socket_path(device)
    if (device.idVendor, device.idProduct) != (name.vendor, name.product):
        return False
    return not name.serial or name.serial == _serial(device)


def socket_path(device: Any) -> str:
    """Bus and ports as sysfs writes them: `1-1.4`."""
    return f"{device.bus}-{'.'.join(map(str, device.port_numbers or ()))}"


def _serial(device: Any) -> str:
    """Its serial number; empty when it has none, or does not let itself be asked."""
    import usb.core

    try:
        return device.serial_number or ""
    except (usb.core.USBError, ValueError):  # ValueError: no language of its texts is readable
        return ""


def _claim(device: Any) -> UsbPort | PortProblem:
    import usb.util

    interfaces = [i for configuration in device for i in configuration]
    printers = [i for i in interfaces if i.bInterfaceClass == PRINTER_CLASS] or interfaces
    for interface in printers:
        out, into = _endpoint(interface, out=True), _endpoint(interface, out=False)
        if out is None:
            continue
        number = interface.bInterfaceNumber
        with contextlib.suppress(NotImplementedError):  # not every system has kernel drivers
            if device.is_kernel_driver_active(number):
                device.detach_kernel_driver(number)
        usb.util.claim_interface(device, number)
        return UsbPort(device, number, out, into)
    return PortProblem(PortCause.MISSING, "no interface takes data in bulk")


def _endpoint(interface: Any, *, out: bool) -> Any:
    for endpoint in interface:
        towards_us = bool(endpoint.bEndpointAddress & _IN)
        if endpoint.bmAttributes & 3 == _BULK and towards_us is not out:
            return endpoint
    return None
