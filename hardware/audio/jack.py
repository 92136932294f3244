"""Whether headphones are in their socket: from an input device's switch, or from ALSA's own control."""

from __future__ import annotations

from collections.abc import Callable

from hardware.audio.protocol import read_switch
from hardware.programs import Finished, run_program
from hardware.transport.event_port import EventPort, WrongDevice, open_events
from hardware.transport.event_stream import EV_SW, SW_HEADPHONE_INSERT, EventReader
from hardware.transport.port import Port, PortCause, PortProblem
from hardware.transport.port_watch import PortWatch

ASK_S = 1.0
ANSWER_MAX = 16_384


def ask_amixer(programs: str, card: str, control: str) -> bool | None:
    """`amixer cget` of the card's jack control; None when it does not say."""
    argv = (f"{programs}/amixer", "-c", card, "cget", f"iface=CARD,name={control}")
    told = run_program(argv, timeout_s=ASK_S, output_max=ANSWER_MAX)
    return read_switch(told.output) if isinstance(told, Finished) and told.code == 0 else None


class EvdevJack:
    """A switch SW_HEADPHONE_INSERT; `sensed` gets every position, None while nobody knows."""

    def __init__(self, path: str, device_id: str, sensed: Callable[[bool | None], None]) -> None:
        self._path, self._id, self._sensed = path, device_id, sensed
        self._events = EventReader()
        self._first = False
        self._watch = PortWatch("jack", self._open, self)

    def close(self) -> None:
        self._watch.close()

    def opened(self, port: Port) -> None:
        self._events.reset()
        self._sensed(self._first)

    def lost(self) -> None:
        self._sensed(None)

    def idle(self, now: float) -> bytes:
        return b""

    def heard(self, data: bytes, now: float) -> None:
        for event in self._events.feed(data):
            if event.type == EV_SW and event.code == SW_HEADPHONE_INSERT:
                self._sensed(event.value == 1)

    def _open(self) -> Port | PortProblem:
        opened = open_events(self._path, self._id)
        if isinstance(opened, EventPort):
            self._first = opened.headphones
            return opened.port
        if isinstance(opened, WrongDevice):
            return PortProblem(PortCause.DENIED, opened.found)
        return opened
