"""Telling phones of the portal in router advertisements: option 37 (RFC 8910 section 2.3).

dnsmasq sends the advertisements of the guest side, but has no word for this option. RFC 4861 section
6.2.3 lets a router spread its options over several advertisements, so this one repeats dnsmasq's header and
carries option 37 alone. Encoding and decoding are pure; `Announcer` is the socket.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import threading
from dataclasses import dataclass

RA_TYPE, RS_TYPE = 134, 133
OPTION = 37
_HEADER = struct.Struct("!BBHBBHII")
_ICMP6_FILTER = 1
_ALL_NODES = "ff02::1"
_ALL_ROUTERS = "ff02::2"
HOP_LIMIT = 64
OTHER_CONFIGURATION = 0x40
MIN_GAP_S = 3.0
"""No router answers more often than this (RFC 4861 section 10)."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """An https URI that `captive_portal.capport.announced_uri` let through, and the router's life."""

    uri: str
    lifetime_s: int

    def __post_init__(self) -> None:
        if not self.uri.startswith("https://") or not self.uri.isascii() or len(self.uri) > 255:
            raise ValueError("option 37 needs an https URI of at most 255 plain characters")
        if not 0 < self.lifetime_s <= 9000:
            raise ValueError("a router lives from 1 to 9000 seconds")


def encode_advertisement(what: Announcement) -> bytes:
    """The ICMPv6 message; the kernel fills in its checksum."""
    head = _HEADER.pack(RA_TYPE, 0, 0, HOP_LIMIT, OTHER_CONFIGURATION, what.lifetime_s, 0, 0)
    uri = what.uri.encode("ascii")
    units = (2 + len(uri) + 7) // 8
    return head + bytes([OPTION, units]) + uri.ljust(units * 8 - 2, b"\0")


def uri_in(message: bytes) -> str:
    """The portal's address in an advertisement, empty when there is none. Never raises."""
    if len(message) < _HEADER.size or message[0] != RA_TYPE:
        return ""
    at = _HEADER.size
    while at + 8 <= len(message):
        size = message[at + 1] * 8
        if size == 0 or at + size > len(message):
            return ""
        if message[at] == OPTION:
            return message[at + 2 : at + size].rstrip(b"\0").decode("ascii", "replace")
        at += size
    return ""


class Announcer:
    """Sends the advertisement every `every_s` and to who asks for it. Needs CAP_NET_RAW.

    The constructor raises OSError; later trouble (an interface that goes away) is tried again.
    """

    def __init__(self, interface: str, what: Announcement, every_s: float) -> None:
        self._interface, self._every_s = interface, every_s
        self._message = encode_advertisement(what)
        self._socket = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        # Only solicitations come in: a set bit of the filter is a type that is left out.
        wanted = bytearray(b"\xff" * 32)
        word = struct.unpack_from("=I", wanted, RS_TYPE // 32 * 4)[0] & ~(1 << RS_TYPE % 32)
        struct.pack_into("=I", wanted, RS_TYPE // 32 * 4, word)
        self._socket.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, bytes(wanted))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)
        self._joined = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self._socket.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(OSError):
                self._join()
                self._socket.sendto(self._message, (_ALL_NODES, 0, 0, self._joined))
            self._wait_for_question()

    def _wait_for_question(self) -> None:
        """Until somebody solicits, or it is time; never sooner than the shortest gap."""
        self._stop.wait(min(MIN_GAP_S, self._every_s))
        self._socket.settimeout(1.0)
        for _ in range(max(1, int(self._every_s - MIN_GAP_S))):
            if self._stop.is_set():
                return
            try:
                self._socket.recv(256)
                return
            except TimeoutError:
                continue
            except OSError:
                self._stop.wait(1)

    def _join(self) -> None:
        """Hear solicitations on the guest interface, which may have come back under another number."""
        index = socket.if_nametoindex(self._interface)
        if index == self._joined:
            return
        group = ipaddress.IPv6Address(_ALL_ROUTERS).packed + struct.pack("=I", index)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        self._socket.setsockopt(
            socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, struct.pack("=I", index)
        )
        self._joined = index
