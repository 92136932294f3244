"""A card that is not there: the far end of vpcd, the virtual reader of the vsmartcard project.

vpcd listens on a TCP port; a connection is a card put in, its end a card taken out. Each message is
a two-byte length and that many bytes: one byte is a signal (0 off, 1 on, 2 reset, 4 tell the ATR),
anything longer an APDU. Controls may be called from any thread.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

from hardware.card.virtual_piv import VirtualPiv

RETRY_S = 0.05
SWAP_S = 0.5
"""No hand is faster. pcscd looks at such a reader every 0.4 s, and one that it saw fail and then never

saw empty is shown empty until its next card is pulled too (pcsc-lite 1.9.9).
"""
_OFF, _ON, _RESET, _TELL_ATR = 0, 1, 2, 4

Spoil = Callable[[bytes, bytes], bytes | None]
"""(command, true answer) to the answer that is sent; None falls silent."""


class CardSimulator:
    """One card slot of vpcd on 127.0.0.1:`port`. While a card is in, it comes back when pcscd does."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._card: VirtualPiv | None = None
        self._turn = 0
        self._removed_at = 0.0
        self.spoil: Spoil | None = None
        self.atr: bytes | None = None
        """Told instead of the card's own; empty makes the card mute."""
        self.think_s = 0.0
        self.commands: list[bytes] = []
        """The newest hundred APDUs, PINs blanked."""

    @property
    def card(self) -> VirtualPiv | None:
        return self._card

    def insert(self, card: VirtualPiv) -> None:
        """Put a card in; the one that was in is taken out first."""
        self.remove()
        with self._lock:
            self._card = card
            self._turn += 1
            arguments = (card, self._turn)
            self._thread = threading.Thread(target=self._live, args=arguments, daemon=True)
            self._thread.start()

    def remove(self) -> None:
        with self._lock:
            if self._card is not None:
                self._removed_at = time.monotonic()
            self._card = None
            self._turn += 1
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
            thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5)

    close = remove

    def _live(self, card: VirtualPiv, turn: int) -> None:
        time.sleep(max(0.0, self._removed_at + SWAP_S - time.monotonic()))
        while self._turn == turn:
            try:
                with socket.create_connection(("127.0.0.1", self._port), timeout=1) as line:
                    self._serve(line, card, turn)
            except OSError:
                time.sleep(RETRY_S)

    def _serve(self, line: socket.socket, card: VirtualPiv, turn: int) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.settimeout(None)
        with self._lock:
            if self._turn != turn:
                return
            self._socket = line
        try:
            while (message := _message(line)) is not None:
                answer = self._heard(card, message)
                if answer is not None:
                    line.sendall(struct.pack(">H", len(answer)) + answer)
        finally:
            card.reset()
            with self._lock:
                if self._socket is line:
                    self._socket = None

    def _heard(self, card: VirtualPiv, message: bytes) -> bytes | None:
        if len(message) == 1:
            if message[0] == _TELL_ATR:
                return card.atr if self.atr is None else self.atr
            if message[0] in (_OFF, _ON, _RESET):
                card.reset()
            return None
        self.commands = [*self.commands[-99:], _blanked(message)]
        if self.think_s:
            time.sleep(self.think_s)
        answer = card.answer(message)
        return answer if self.spoil is None else self.spoil(message, answer)


def _message(line: socket.socket) -> bytes | None:
    head = _exactly(line, 2)
    return None if head is None else _exactly(line, struct.unpack(">H", head)[0])


def _exactly(line: socket.socket, count: int) -> bytes | None:
    """`count` bytes, or None at the end of the line.

    vpcd writes length and message apart; without a prompt acknowledgement Nagle's algorithm would
    hold the second for 40 ms.
    """
    got = b""
    while len(got) < count:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        piece = line.recv(count - len(got))
        if not piece:
            return None
        got += piece
    return got


def _blanked(command: bytes) -> bytes:
    return command[:5].ljust(len(command), b"\0") if command[1:2] == b"\x20" else command
