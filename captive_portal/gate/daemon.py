"""The gate's door: a Unix stream socket that only named users may open.

The kernel says who calls (SO_PEERCRED); file modes alone would not survive a careless chmod.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Collection
from pathlib import Path

from captive_portal.gate.protocol import LineReader, answer, decode_request
from captive_portal.gate.visits import Gate, GateTrouble

_PEER = struct.Struct("3i")
MAX_CALLERS = 32
IDLE_S = 5.0


class GateDaemon:
    """Serves one `Gate` on a socket until `stop`. `allowed_uids` may call; others are hung up on."""

    def __init__(self, gate: Gate, path: Path, allowed_uids: Collection[int]) -> None:
        self._gate = gate
        self._path = path
        self._allowed = frozenset(allowed_uids)
        self._slots = threading.BoundedSemaphore(MAX_CALLERS)
        self._stopping = threading.Event()
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        path.chmod(0o660)
        self._socket.listen(128)

    def serve(self) -> None:
        """Accept callers until `stop`; each has its own thread and five idle seconds."""
        while not self._stopping.is_set():
            try:
                caller, _ = self._socket.accept()
            except OSError:
                break
            if peer_uid(caller) not in self._allowed:
                caller.close()
                continue
            self._slots.acquire()
            threading.Thread(target=self._converse, args=(caller,), daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _converse(self, caller: socket.socket) -> None:
        reader = LineReader()
        try:
            with caller, contextlib.suppress(OSError):
                caller.settimeout(IDLE_S)
                while data := caller.recv(4096):
                    lines = reader.feed(data)
                    if isinstance(lines, GateTrouble):
                        caller.sendall(answer(self._gate, lines))
                        return
                    for line in lines:
                        caller.sendall(answer(self._gate, decode_request(line)))
        finally:
            self._slots.release()


def peer_uid(caller: socket.socket) -> int:
    """The user at the other end of a Unix socket, as the kernel knows it."""
    raw = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    uid: int = _PEER.unpack(raw)[1]
    return uid
