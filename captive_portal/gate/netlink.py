"""The gate's own line to netfilter: transactions of set elements, and tracked connections to forget."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import threading
from collections.abc import Iterator

from captive_portal.gate.netlink_wire import (
    Answer,
    Item,
    Message,
    Place,
    attributes,
    decode,
    encode_batch,
    encode_dump,
    encode_forget_flows,
    encode_get,
    encode_shape,
    items,
    owner,
)
from captive_portal.gate.nft_runner import NftRefused

_NETLINK_NETFILTER = 12
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_BUFFER = 32 << 20
_TABLE_FLAGS = 2
_TIMEOUT_S = 5


class Netfilter:
    """One netlink socket in this process's network namespace. Needs CAP_NET_ADMIN; raises OSError."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seq = 1
        self._socket = self._open()

    def apply(self, messages: list[Message]) -> NftRefused | None:
        """Carry out all of them in one transaction, or none."""
        if not messages:
            return None
        with self._lock:
            first = self._take(len(messages) + 1)
            last = first + len(messages) - 1
            return self._settle(encode_batch(messages, first), first, last)

    def get(self, place: Place, key: bytes) -> Item | None:
        """One element, None when it is not there any more."""
        with self._lock:
            seq = self._take(1)
            try:
                self._socket.send(encode_get(place, key, seq))
                for answer in self._answers(seq, seq):
                    return (
                        None if answer.error is not None else next(iter(items(answer.body)), None)
                    )
            except OSError:
                self._socket = self._open()
        return None

    def dump(self, place: Place) -> list[Item] | NftRefused:
        """Every element of a set."""
        found: list[Item] = []
        with self._lock:
            seq = self._take(1)
            try:
                self._socket.send(encode_dump(place, seq))
                for answer in self._answers(seq, seq):
                    if answer.error:
                        return NftRefused(os.strerror(answer.error))
                    if answer.done or answer.error == 0:
                        break
                    found += items(answer.body)
            except OSError as e:
                self._socket = self._open()
                return NftRefused(f"netlink: {e.strerror or e}")
        return found

    def shape(self, family: int, table: str) -> bytes:
        """A digest of a table's flags, chains and rules, without elements; empty when it is missing."""
        digest = hashlib.sha256()
        with self._lock:
            first = self._take(3)
            try:
                for seq, question in enumerate(encode_shape(family, table, first), first):
                    self._socket.send(question)
                    found = 0
                    for answer in self._answers(seq, seq):
                        if answer.error or answer.done:
                            break
                        if seq == first:
                            digest.update(attributes(answer.body).get(_TABLE_FLAGS, b""))
                            found = 1
                            break
                        if owner(answer.body) == table:
                            digest.update(answer.body)
                            found += 1
                    if not found:
                        return b""
            except OSError:
                self._socket = self._open()
                return b""
        return digest.digest()

    def forget_flows(self, mark: int) -> NftRefused | None:
        """Delete the tracked connections with this mark; none is fine too."""
        with self._lock:
            seq = self._take(1)
            refused = self._settle(encode_forget_flows(mark, seq), seq, seq)
        missing = os.strerror(errno.ENOENT)
        return None if refused is None or refused.detail == missing else refused

    def _settle(self, request: bytes, first: int, last: int) -> NftRefused | None:
        """Send, then read to the acknowledgement of the last message; the first error is the reason."""
        try:
            self._socket.send(request)
            for answer in self._answers(first, last):
                if answer.error:
                    self._drain()
                    return NftRefused(os.strerror(answer.error))
                if answer.error == 0 and answer.seq == last:
                    return None
        except OSError as e:
            self._socket = self._open()
            return NftRefused(f"netlink: {e.strerror or e}")
        return None

    def _answers(self, first: int, last: int) -> Iterator[Answer]:
        """Answers to these sequence numbers, until the socket's time-out raises OSError."""
        while True:
            for answer in decode(self._socket.recv(1 << 20)):
                if first <= answer.seq <= last:
                    yield answer

    def _drain(self) -> None:
        """What else the kernel said about a refused transaction."""
        self._socket.setblocking(False)
        try:
            while self._socket.recv(1 << 20):
                pass
        except BlockingIOError:
            pass
        finally:
            self._socket.settimeout(_TIMEOUT_S)

    def _take(self, count: int) -> int:
        first = self._seq
        self._seq = first + count if first < 1 << 30 else 1
        return first

    def _open(self) -> socket.socket:
        line = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        for option in (_SO_SNDBUFFORCE, _SO_RCVBUFFORCE):
            line.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
        line.settimeout(_TIMEOUT_S)
        line.bind((0, 0))
        return line
