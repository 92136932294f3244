"""PC/SC as values: the one module that touches pyscard. Nothing here raises for what a reader does.

Every object belongs to one PC/SC context. When pcscd is restarted the context is dead for ever: the
answer is `Trouble(NO_SERVICE)`, and the caller opens a new one. (pyscard's own CardMonitor ends there.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from smartcard import scard

PRESENT: int = scard.SCARD_STATE_PRESENT
MUTE: int = scard.SCARD_STATE_MUTE
GONE: int = scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE | scard.SCARD_STATE_IGNORE
COUNTER_SHIFT = 16
"""Above this bit of a reader's state pcsc-lite counts insertions and removals."""


class PcscCause(StrEnum):
    NO_SERVICE = "no_service"
    NO_READER = "no_reader"
    NO_CARD = "no_card"
    TAKEN = "taken"
    MUTE = "mute"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Trouble:
    cause: PcscCause
    code: int = 0
    """The PC/SC code, for a technician's log."""


class Channel(Protocol):
    """An exclusive connection to one card."""

    def transmit(self, command: bytes) -> bytes | Trouble: ...

    def close(self, *, reset: bool) -> None:
        """`reset` makes the card forget the PIN it was given."""
        ...


class Service(Protocol):
    """One PC/SC context."""

    def readers(self) -> tuple[str, ...] | Trouble: ...

    def wait(self, known: Mapping[str, int], timeout_s: float) -> dict[str, int] | Trouble:
        """The states of those readers, at once if one differs from `known`, else after the time."""
        ...

    def interrupt(self) -> None:
        """End a `wait` of another thread now; without one, do nothing."""
        ...

    def connect(self, reader: str) -> Channel | Trouble: ...

    def close(self) -> None: ...


OpenService = Callable[[], Service | Trouble]

_CAUSES: dict[int, PcscCause] = {
    scard.SCARD_E_NO_SERVICE: PcscCause.NO_SERVICE,
    scard.SCARD_E_INVALID_HANDLE: PcscCause.NO_SERVICE,
    scard.SCARD_F_COMM_ERROR: PcscCause.NO_SERVICE,
    scard.SCARD_F_INTERNAL_ERROR: PcscCause.NO_SERVICE,
    scard.SCARD_E_SERVICE_STOPPED: PcscCause.NO_SERVICE,
    scard.SCARD_E_UNKNOWN_READER: PcscCause.NO_READER,
    scard.SCARD_E_NO_READERS_AVAILABLE: PcscCause.NO_READER,
    scard.SCARD_E_READER_UNAVAILABLE: PcscCause.NO_READER,
    scard.SCARD_E_NO_SMARTCARD: PcscCause.NO_CARD,
    scard.SCARD_W_REMOVED_CARD: PcscCause.NO_CARD,
    scard.SCARD_W_RESET_CARD: PcscCause.NO_CARD,
    scard.SCARD_E_SHARING_VIOLATION: PcscCause.TAKEN,
    scard.SCARD_W_UNRESPONSIVE_CARD: PcscCause.MUTE,
    scard.SCARD_W_UNPOWERED_CARD: PcscCause.MUTE,
    scard.SCARD_W_UNSUPPORTED_CARD: PcscCause.MUTE,
    scard.SCARD_E_PROTO_MISMATCH: PcscCause.MUTE,
}


_NO_TROUBLE = (scard.SCARD_S_SUCCESS, scard.SCARD_E_TIMEOUT, scard.SCARD_E_CANCELLED)


def trouble(code: int) -> Trouble:
    """The cause behind a PC/SC return code (given signed or unsigned)."""
    return Trouble(_CAUSES.get(code & 0xFFFFFFFF, _CAUSES.get(code, PcscCause.FAILED)), code)


def open_service() -> Service | Trouble:
    """A new context with pcscd, through the socket that PCSCLITE_CSOCK_NAME or the system names."""
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
    return _PcscService(context) if code == scard.SCARD_S_SUCCESS else trouble(code)


class _PcscService:
    def __init__(self, context: int) -> None:
        self._context = context

    def readers(self) -> tuple[str, ...] | Trouble:
        code, names = scard.SCardListReaders(self._context, [])
        if code == scard.SCARD_S_SUCCESS:
            return tuple(names)
        found = trouble(code)
        return () if found.cause is PcscCause.NO_READER else found

    def wait(self, known: Mapping[str, int], timeout_s: float) -> dict[str, int] | Trouble:
        asked = list(known.items())
        code, states = scard.SCardGetStatusChange(self._context, int(timeout_s * 1000), asked)
        if code not in _NO_TROUBLE:
            return trouble(code)
        return {name: state & ~scard.SCARD_STATE_CHANGED for name, state, _ in states}

    def interrupt(self) -> None:
        scard.SCardCancel(self._context)

    def connect(self, reader: str) -> Channel | Trouble:
        code, handle, protocol = scard.SCardConnect(
            self._context,
            reader,
            scard.SCARD_SHARE_EXCLUSIVE,
            scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
        )
        return _PcscChannel(handle, protocol) if code == scard.SCARD_S_SUCCESS else trouble(code)

    def close(self) -> None:
        scard.SCardReleaseContext(self._context)


class _PcscChannel:
    def __init__(self, handle: int, protocol: int) -> None:
        self._handle = handle
        t0 = protocol == scard.SCARD_PROTOCOL_T0
        self._protocol = scard.SCARD_PCI_T0 if t0 else scard.SCARD_PCI_T1

    def transmit(self, command: bytes) -> bytes | Trouble:
        code, answer = scard.SCardTransmit(self._handle, self._protocol, list(command))
        # After a failure pyscard hands back its whole zeroed buffer: the code alone is true.
        return bytes(answer) if code == scard.SCARD_S_SUCCESS else trouble(code)

    def close(self, *, reset: bool) -> None:
        how = scard.SCARD_RESET_CARD if reset else scard.SCARD_LEAVE_CARD
        scard.SCardDisconnect(self._handle, how)
