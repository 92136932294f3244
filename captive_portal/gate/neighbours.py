"""Which hardware address stands behind a guest's IP address: one question to the kernel (rtnetlink).

RTM_GETNEIGH for a single address costs microseconds whatever the size of the neighbour table.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import Protocol

_RTM_NEWNEIGH, _RTM_GETNEIGH = 28, 30
_NLM_F_REQUEST, _NLM_F_DUMP = 0x1, 0x300
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NDA_DST, _NDA_LLADDR = 1, 2
_NUD_INCOMPLETE, _NUD_FAILED = 0x01, 0x20
_NLMSG = struct.Struct("=IHHII")
_NDMSG = struct.Struct("=BBHiHBB")
_RTATTR = struct.Struct("=HH")


class Neighbours(Protocol):
    def mac_of(self, ip: str) -> str | None:
        """Lower-case hardware address behind `ip` on the guest side, None when there is none."""
        ...

    def crowds(self) -> dict[str, int]:
        """How many IPv4 addresses each hardware address on the guest side has."""
        ...


class KernelNeighbours:
    """Asks the kernel's table of one interface, in the network namespace of this process."""

    def __init__(self, interface: str) -> None:
        self._interface = interface

    def mac_of(self, ip: str) -> str | None:
        try:
            index = socket.if_nametoindex(self._interface)
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
                kernel.settimeout(1)
                kernel.sendto(encode_question(ip, index), (0, 0))
                return decode_answer(kernel.recv(8192))
        except OSError:
            return None

    def crowds(self) -> dict[str, int]:
        found: dict[str, int] = {}
        try:
            index = socket.if_nametoindex(self._interface)
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
                kernel.settimeout(1)
                kernel.sendto(encode_all_ipv4(), (0, 0))
                done = False
                while not done:
                    rows, done = decode_all(kernel.recv(1 << 18), index)
                    for mac in rows:
                        found[mac] = found.get(mac, 0) + 1
        except OSError:
            return found
        return found


def encode_question(ip: str, index: int) -> bytes:
    """An RTM_GETNEIGH request for one address on one interface."""
    address = ipaddress.ip_address(ip)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    body = _NDMSG.pack(family, 0, 0, index, 0, 0, 0)
    body += _RTATTR.pack(_RTATTR.size + len(address.packed), _NDA_DST) + address.packed
    return _NLMSG.pack(_NLMSG.size + len(body), _RTM_GETNEIGH, _NLM_F_REQUEST, 1, 0) + body


def encode_all_ipv4() -> bytes:
    body = _NDMSG.pack(socket.AF_INET, 0, 0, 0, 0, 0, 0)
    flags = _NLM_F_REQUEST | _NLM_F_DUMP
    return _NLMSG.pack(_NLMSG.size + len(body), _RTM_GETNEIGH, flags, 1, 0) + body


def decode_all(data: bytes, index: int) -> tuple[list[str], bool]:
    """Hardware addresses of one interface in one datagram of a dump, and whether it was the last one."""
    macs: list[str] = []
    at = 0
    while at + _NLMSG.size <= len(data):
        length, kind, _, _, _ = _NLMSG.unpack_from(data, at)
        if length < _NLMSG.size or kind in (_NLMSG_ERROR, _NLMSG_DONE):
            return macs, True
        message = data[at : at + length]
        if len(message) >= _NLMSG.size + _NDMSG.size:
            owner = _NDMSG.unpack_from(message, _NLMSG.size)[3]
            mac = decode_answer(message) if owner == index else None
            if mac is not None:
                macs.append(mac)
        at += (length + 3) & ~3
    return macs, not data


def decode_answer(message: bytes) -> str | None:
    """The hardware address in an RTM_NEWNEIGH, None for an error or an unresolved entry."""
    if len(message) < _NLMSG.size + _NDMSG.size:
        return None
    length, kind, _, _, _ = _NLMSG.unpack_from(message)
    if kind != _RTM_NEWNEIGH:
        return None
    state = _NDMSG.unpack_from(message, _NLMSG.size)[4]
    if state & (_NUD_INCOMPLETE | _NUD_FAILED):
        return None
    at, end = _NLMSG.size + _NDMSG.size, min(length, len(message))
    while at + _RTATTR.size <= end:
        size, attribute = _RTATTR.unpack_from(message, at)
        if size < _RTATTR.size:
            return None
        value = message[at + _RTATTR.size : at + size]
        if attribute == _NDA_LLADDR and len(value) == 6:
            return value.hex(":")
        at += (size + 3) & ~3
    return None
