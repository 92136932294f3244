"""The far end of a USB cable: a libusb that knows one printer, for the real pyusb to talk to.

No kernel here offers a USB gadget, so this stands where libusb stands: descriptors, claims, bulk
transfers in packets, time-outs and vanishing devices, each with the error number of the real one.
"""

from __future__ import annotations

import errno
import threading
import time
from array import array
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import usb.backend
from usb.core import USBError, USBTimeoutError

PACKET = 64
OUT, IN = 0x01, 0x82
BUFFER_BYTES = 4096
"""What the device takes before it must be read: then bulk writes wait."""


class UsbEnd:
    """Like `PtyEnd`, for one device. Give `backend` to whoever opens `path`."""

    def __init__(
        self,
        on_bytes: Callable[[bytes], None],
        on_idle: Callable[[], None] = lambda: None,
        wants_bytes: Callable[[], bool] = lambda: True,
        idle_s: float = 0.02,
        *,
        vendor: int = 0x04B8,
        product: int = 0x0E28,
        serial: str = "DEMO0001",
        bidirectional: bool = True,
    ) -> None:
        self._on_bytes = on_bytes
        self._on_idle = on_idle
        self._wants_bytes = wants_bytes
        self._idle_s = idle_s
        self.vendor, self.product, self.serial = vendor, product, serial
        self.bidirectional = bidirectional
        self.change = threading.Condition()
        self.generation = 0
        """0: never plugged; a handle of an older generation is of a device that is gone."""
        self.plugged = False
        self.claimed = False
        self.inbox, self.outbox = bytearray(), bytearray()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="usb-end", daemon=True)
        self.path = f"usb://{vendor:04x}:{product:04x}:{serial}"
        self.backend = _Backend(self)

    @property
    def is_plugged(self) -> bool:
        return self.plugged

    def open(self) -> str:
        self.replug()
        if not self._thread.is_alive():
            self._thread.start()
        return self.path

    def unplug(self) -> None:
        with self.change:
            self.plugged = self.claimed = False
            self.inbox.clear()
            self.outbox.clear()
            self.change.notify_all()

    def replug(self) -> None:
        with self.change:
            if not self.plugged:
                self.generation += 1
                self.plugged = True
                self.change.notify_all()

    def send(self, data: bytes) -> None:
        with self.change:
            if self.plugged and len(self.outbox) < BUFFER_BYTES:
                self.outbox += data
                self.change.notify_all()

    def close(self) -> None:
        with self.change:
            self._closing = True
            self.change.notify_all()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)
        self.unplug()

    def _run(self) -> None:
        while not self._closing:
            with self.change:
                if not self.inbox or not self._wants_bytes():
                    self.change.wait(self._idle_s)
                data = bytes(self.inbox) if self._wants_bytes() else b""
                del self.inbox[: len(data)]
                self.change.notify_all()
            if data:
                self._on_bytes(data)
            self._on_idle()


class _Backend(usb.backend.IBackend):  # type: ignore[misc]  # pyusb has no types
    """What pyusb asks of libusb; a handle is the generation in which it was opened."""

    def __init__(self, end: UsbEnd) -> None:
        super().__init__()
        self._end = end

    def enumerate_devices(self) -> list[int]:
        return [self._end.generation] if self._end.plugged else []

    def get_device_descriptor(self, dev: int) -> Any:
        end = self._end
        return SimpleNamespace(
            bLength=18, bDescriptorType=1, bcdUSB=0x0200, bDeviceClass=0, bDeviceSubClass=0,
            bDeviceProtocol=0, bMaxPacketSize0=PACKET, idVendor=end.vendor, idProduct=end.product,
            bcdDevice=0x0100, iManufacturer=0, iProduct=0, iSerialNumber=3, bNumConfigurations=1,
            bus=1, address=dev % 120 + 1, port_number=4, port_numbers=(1, 4), speed=3,
        )  # fmt: skip

    def get_configuration_descriptor(self, dev: int, config: int) -> Any:
        return SimpleNamespace(
            bLength=9, bDescriptorType=2, wTotalLength=32, bNumInterfaces=1, bConfigurationValue=1,
            iConfiguration=0, bmAttributes=0xC0, bMaxPower=1, extra_descriptors=[],
        )  # fmt: skip

    def get_interface_descriptor(self, dev: int, intf: int, alt: int, config: int) -> Any:
        if intf or alt:
            raise IndexError("one interface")
        return SimpleNamespace(
            bLength=9, bDescriptorType=4, bInterfaceNumber=0, bAlternateSetting=0,
            bNumEndpoints=1 + self._end.bidirectional, bInterfaceClass=7, bInterfaceSubClass=1,
            bInterfaceProtocol=1 + self._end.bidirectional, iInterface=0, extra_descriptors=[],
        )  # fmt: skip

    def get_endpoint_descriptor(self, dev: int, ep: int, intf: int, alt: int, config: int) -> Any:
        return SimpleNamespace(
            bLength=7, bDescriptorType=5, bEndpointAddress=(OUT, IN)[ep], bmAttributes=2,
            wMaxPacketSize=PACKET, bInterval=0, bRefresh=0, bSynchAddress=0, extra_descriptors=[],
        )  # fmt: skip

    def open_device(self, dev: int) -> int:
        self._here(dev)
        return dev

    def close_device(self, dev_handle: int) -> None:
        return

    def get_configuration(self, dev_handle: int) -> int:
        return 1

    def set_configuration(self, dev_handle: int, config_value: int) -> None:
        self._here(dev_handle)

    def is_kernel_driver_active(self, dev_handle: int, intf: int) -> bool:
        return False

    def claim_interface(self, dev_handle: int, intf: int) -> None:
        with self._end.change:
            self._here(dev_handle)
            if self._end.claimed:
                raise USBError("Resource busy", None, errno.EBUSY)
            self._end.claimed = True

    def release_interface(self, dev_handle: int, intf: int) -> None:
        with self._end.change:
            self._here(dev_handle)
            self._end.claimed = False

    def ctrl_transfer(
        self,
        dev_handle: int,
        bmRequestType: int,  # pyusb passes these by USB's own names
        bRequest: int,
        wValue: int,
        wIndex: int,
        data: Any,
        timeout: int,
    ) -> int:
        """GET_DESCRIPTOR of texts: the languages, and the serial number."""
        text = self._end.serial if wValue & 0xFF else "\u0409"
        raw = text.encode("utf-16-le")
        answer = array("B", bytes((len(raw) + 2, 3)) + raw)[: len(data)]
        data[: len(answer)] = answer
        return len(answer)

    def bulk_write(self, dev_handle: int, ep: int, intf: int, data: Any, timeout: int) -> int:
        rest, end_at = bytes(data), time.monotonic() + timeout / 1000
        with self._end.change:
            while rest:
                self._here(dev_handle)
                room = BUFFER_BYTES - len(self._end.inbox)
                self._end.inbox += rest[:room]
                rest = rest[max(0, room) :]
                self._end.change.notify_all()
                if rest and not self._end.change.wait(end_at - time.monotonic()):
                    raise USBTimeoutError("Operation timed out", None, errno.ETIMEDOUT)
        return len(data)

    def bulk_read(self, dev_handle: int, ep: int, intf: int, buff: Any, timeout: int) -> int:
        end_at = time.monotonic() + timeout / 1000
        with self._end.change:
            while not self._end.outbox:
                self._here(dev_handle)
                if not self._end.change.wait(max(0.0, end_at - time.monotonic())):
                    raise USBTimeoutError("Operation timed out", None, errno.ETIMEDOUT)
            self._here(dev_handle)
            taken = self._end.outbox[: min(len(buff), PACKET)]
            del self._end.outbox[: len(taken)]
        buff[: len(taken)] = array("B", taken)
        return len(taken)

    def _here(self, handle: int) -> None:
        if not self._end.plugged or handle != self._end.generation:
            raise USBError("No such device", None, errno.ENODEV)
