"""A cash bus that is not there: three peripherals at the far end of a pty, and a person with coins and notes.

Amounts are centavos. What is in box, stacker and hopper outlives our driver and its own power cuts.
Controls may be called from any thread.
"""

from __future__ import annotations

import threading
import time

from hardware.cash.sim_acceptors import PowerUp
from hardware.cash.sim_bus import SimBus
from hardware.transport.on_pty import OnPty
from hardware.transport.pty_end import PtyEnd


class CashSimulator(OnPty):
    """Coins, notes and hopper on one bus."""

    def __init__(self, *, hopper_coins: int = 200, echoes: bool = True) -> None:
        self.bus = SimBus(echoes=echoes, hopper_coins=hopper_coins)
        self.collected_centavos = 0
        self._lock = threading.RLock()
        self._end = PtyEnd(self._receive, self._pass_time, idle_s=0.02)

    # --- the person ---------------------------------------------------------------------------

    def insert_coin(self, centavos: int) -> bool:
        """True when it goes in; else it falls into the return tray."""
        with self._lock:
            return self.bus.coins.insert(centavos, time.monotonic())

    def insert_note(self, centavos: int) -> bool:
        """True when it is drawn in; it may still come back."""
        with self._lock:
            return self.bus.notes.insert(centavos, time.monotonic())

    def string_coin(self) -> None:
        with self._lock:
            self.bus.coins.string()

    def string_note(self) -> None:
        with self._lock:
            self.bus.notes.string()

    # --- the park -----------------------------------------------------------------------------

    def jam_coins(self) -> None:
        with self._lock:
            self.bus.coins.jam()

    def jam_note(self) -> None:
        with self._lock:
            self.bus.notes.jam()

    def clear_jams(self) -> None:
        with self._lock:
            self.bus.coins.clear_jam()
            self.bus.notes.clear_jam()
            self.bus.hopper.is_jammed = False

    def pull_plug(self) -> None:
        """Power of all peripherals; a note in the path stays where it is."""
        with self._lock:
            self.bus.pull_plug()

    def restore(self, power_up: PowerUp = "return") -> None:
        """Power again; `power_up` is what the validator does with a note in its path."""
        with self._lock:
            self.bus.notes.power_up = power_up
            self.bus.restore(time.monotonic())

    def fill_stacker(self) -> None:
        with self._lock:
            self.bus.notes.fill()

    def empty_stacker(self) -> None:
        with self._lock:
            self.bus.notes.empty()

    def take_stacker(self) -> None:
        with self._lock:
            self.bus.notes.take_stacker()

    def put_stacker(self) -> None:
        with self._lock:
            self.bus.notes.put_stacker()

    def collect(self) -> int:
        """Somebody opens box and stacker and takes all the money out; its centavos."""
        with self._lock:
            taken = self.bus.inside_centavos
            self.bus.coins.box.clear()
            self.bus.notes.box.clear()
            self.collected_centavos += taken
            return taken

    def set_hopper(self, coins: int) -> None:
        with self._lock:
            self.bus.hopper.coins = coins

    def hopper_jams_after(self, coins: int) -> None:
        """The next order pays only so many."""
        with self._lock:
            self.bus.hopper.jams_after = coins

    def silence(self) -> None:
        self.bus.is_silent = True

    def speak(self) -> None:
        self.bus.is_silent = False

    def state(self) -> dict[str, object]:
        """Where every piece is, for the bench."""
        with self._lock:
            notes, hopper = self.bus.notes, self.bus.hopper
            return {
                "plugged": self.is_plugged,
                "powered": notes.is_powered,
                "silent": self.bus.is_silent,
                "coin_box": dict(self.bus.coins.box),
                "stacker": dict(notes.box),
                "note_in_path": notes.path,
                "stacker_full": notes.is_full,
                "stacker_in": notes.has_stacker,
                "coins_jammed": self.bus.coins.is_jammed,
                "notes_jammed": notes.is_jammed,
                "returned": dict(self.bus.coins.back + notes.back),
                "hopper_coins": hopper.coins,
                "hopper_paid": hopper.paid,
                "inside_centavos": self.bus.inside_centavos,
                "collected_centavos": self.collected_centavos,
            }

    def _receive(self, data: bytes) -> None:
        with self._lock:
            out = self.bus.feed(data, time.monotonic())
        if out:
            self._end.send(out)

    def _pass_time(self) -> None:
        with self._lock:
            self.bus.tick(time.monotonic())
