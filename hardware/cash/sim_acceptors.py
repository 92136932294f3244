"""Simulated coin acceptor and bill validator: what they answer, and where each piece is.

Pure: time is an argument. `box` is what is really inside, in pieces by centavos; `back` what the person
got back. Lifetime counts, box and a note in the path survive a power cut; ring, masks and gate do not.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Literal

from hardware.cash.frames import Header

NAK = None
Answer = bytes | Literal["silent"] | None
"""Data of a good answer, None for NAK, or silence."""

PowerUp = Literal["return", "stack", "stack_unnamed", "swallow", "vanish", "jam"]
"""What a validator does with a note in its path when power returns. `swallow` stacks it without an
event, `vanish` gives it back without one."""

BOOT_S = 0.8
COIN_FALLS_S = 0.2
NOTE_READS_S = 0.4
NOTE_MOVES_S = 0.5
ESCROW_S = 30.0


class SimAcceptor:
    ring_header = Header.COIN_EVENTS
    id_header = Header.COIN_ID

    def __init__(self, address: int, serial: int, types: dict[int, int]) -> None:
        self.address = address
        self.serial = serial
        self.types = types
        self.box: Counter[int] = Counter()
        self.back: Counter[int] = Counter()
        self.accepted = 7
        self.keeps_count = True
        self.is_powered = True
        self.is_silent = False
        self.is_jammed = False
        self._boots_at = 0.0
        self._wipe()

    def _wipe(self) -> None:
        self._counter = 0
        self._ring: deque[tuple[int, int]] = deque([(0, 0)] * 5, maxlen=5)
        self._mask = 0
        self._is_open = True

    def pull_plug(self) -> None:
        self.is_powered = False

    def restore(self, now: float) -> None:
        if not self.is_powered:
            self.is_powered = True
            self._boots_at = now + BOOT_S
            self._wipe()

    def is_up(self, now: float) -> bool:
        return self.is_powered and now >= self._boots_at

    def takes(self, amount: int, now: float) -> bool:
        kind = self._type_of(amount)
        is_able = self.is_up(now) and self._is_open and not self.is_jammed
        return is_able and kind > 0 and bool(self._mask >> (kind - 1) & 1)

    def answer(self, header: int, data: bytes, now: float) -> Answer:
        if self.is_silent or not self.is_up(now):
            return "silent"
        told = self._told(header)
        if told is not None or not data:
            return told
        if header == self.id_header:
            return self._name(self.types.get(data[0], 0))
        if header == Header.MASTER_INHIBIT:
            self._is_open = bool(data[0] & 1)
            return b""
        if header == Header.INHIBITS and len(data) == 2:
            self._mask = int.from_bytes(data, "little")
            return b""
        return NAK

    def _told(self, header: int) -> bytes | None:
        """What it answers to questions that change nothing."""
        if header == self.ring_header:
            return bytes((self._counter,)) + bytes(b for pair in self._ring for b in pair)
        if header == Header.ACCEPT_COUNT and not self.keeps_count:
            return NAK
        return {
            Header.SIMPLE_POLL: b"",
            Header.SERIAL: self.serial.to_bytes(3, "little"),
            Header.READ_INHIBITS: self._mask.to_bytes(2, "little"),
            Header.ACCEPT_COUNT: self.accepted.to_bytes(3, "little"),
            Header.SELF_CHECK: b"\x14" if self.is_jammed else b"\0",
        }.get(header)

    def tell(self, a: int, b: int) -> None:
        """An event for the ring: a piece and its path or 0 and a code."""
        self._counter = self._counter % 255 + 1
        self._ring.appendleft((a, b))

    def tick(self, now: float) -> None:
        raise NotImplementedError

    def _name(self, amount: int) -> bytes:
        raise NotImplementedError

    def _type_of(self, amount: int) -> int:
        return next((n for n, a in self.types.items() if a == amount), 0)

    def _keep(self, amount: int) -> None:
        self.box[amount] += 1
        self.accepted = (self.accepted + 1) % (1 << 24)


class SimCoins(SimAcceptor):
    def __init__(self, address: int = 2) -> None:
        super().__init__(address, 0x0C0123, {4: 50, 5: 100, 6: 200, 7: 500, 8: 1000})
        self._falling: deque[tuple[float, int]] = deque()

    def insert(self, amount: int, now: float) -> bool:
        """True when it goes in. A refused coin of a known kind leaves an event, like a real one."""
        if not self.takes(amount, now):
            self.back[amount] += 1
            if self.is_up(now) and not self.is_jammed:
                self.tell(0, 128 + max(self._type_of(amount), 1) - 1)
            return False
        self._falling.append((now + COIN_FALLS_S, amount))
        return True

    def pull_plug(self) -> None:
        super().pull_plug()
        for _, amount in self._falling:  # the gate's coil lets go before the credit sensor
            self.back[amount] += 1
        self._falling.clear()

    def jam(self) -> None:
        self.is_jammed = True
        self.tell(0, 14)

    def clear_jam(self) -> None:
        self.is_jammed = False

    def string(self, code: int = 20) -> None:
        """A coin on a string: an event, and no coin."""
        self.tell(0, code)

    def tick(self, now: float) -> None:
        while self._falling and self._falling[0][0] <= now:
            _, amount = self._falling.popleft()
            self._keep(amount)
            self.tell(self._type_of(amount), 1)

    def _name(self, amount: int) -> bytes:
        if not amount:
            return b"......"
        text = f"{amount:03d}" if amount < 1000 else f"{amount // 1000}K{amount % 1000 // 100}"
        return f"MX{text}A".encode()


class SimNotes(SimAcceptor):
    ring_header = Header.BILL_EVENTS
    id_header = Header.BILL_ID

    def __init__(self, address: int = 40) -> None:
        notes = {1: 2000, 2: 5000, 3: 10000, 4: 20000, 5: 50000}
        super().__init__(address, 0x0B0456, notes)
        self.power_up: PowerUp = "return"
        self.path = 0
        """Centavos of the note between the mouth and the stacker."""
        self.has_stacker = True
        self.is_full = False
        self._step: Literal["", "reading", "held", "stacking", "returning", "booting"] = ""
        self._step_at = 0.0

    def insert(self, amount: int, now: float) -> bool:
        able = self.has_stacker and not self.is_full and not self.path
        if not able or not self.takes(amount, now):
            self.back[amount] += 1
            return False
        self.path = amount
        self._go("reading", now + NOTE_READS_S)
        return True

    def jam(self) -> None:
        """The note on its way, if any, stays in the path until somebody opens the lid."""
        self.is_jammed = True
        self._step = ""
        self.tell(0, 6)

    def clear_jam(self) -> None:
        """A technician takes the note out and hands it to the office."""
        self.is_jammed = False
        self.path = 0

    def string(self, code: int = 18) -> None:
        self.tell(0, code)

    def fill(self) -> None:
        self.is_full = True
        self.tell(0, 14)

    def empty(self) -> None:
        self.is_full = False
        self.tell(0, 10)

    def take_stacker(self) -> None:
        self.has_stacker = False
        self.tell(0, 11)

    def put_stacker(self) -> None:
        self.has_stacker = True
        self.tell(0, 12)

    def restore(self, now: float) -> None:
        was_off = not self.is_powered
        super().restore(now)
        if was_off and self.path and not self.is_jammed:
            self._go("booting", now + BOOT_S + NOTE_MOVES_S)

    def answer(self, header: int, data: bytes, now: float) -> Answer:
        if self.is_silent or not self.is_up(now):
            return "silent"
        match header:
            case Header.SCALING:
                return (100).to_bytes(2, "little") + b"\2"
            case Header.OPERATING_MODE:
                return b""
            case Header.ROUTE_BILL if len(data) == 1:
                return self._route(data[0], now)
        return super().answer(header, data, now)

    def _route(self, way: int, now: float) -> bytes:
        if self._step != "held":
            return b"\xfe"
        self._go("stacking" if way == 1 else "returning", now + NOTE_MOVES_S)
        return b""

    def _go(
        self, step: Literal["reading", "held", "stacking", "returning", "booting"], at: float
    ) -> None:
        self._step, self._step_at = step, at

    def tick(self, now: float) -> None:
        if not self._step or now < self._step_at or not self.is_powered or self.is_jammed:
            return
        match self._step:
            case "reading":
                self._go("held", now + ESCROW_S)
                self.tell(self._type_of(self.path), 1)
            case "stacking":
                self._stack(self._type_of(self.path), 0)
            case "held" | "returning":
                self._give_back(tells=True)
            case "booting":
                self._after_boot()

    def _after_boot(self) -> None:
        match self.power_up:
            case "return" | "vanish":
                self._give_back(tells=self.power_up == "return")
            case "stack":
                self._stack(self._type_of(self.path), 0)
            case "stack_unnamed":
                self._stack(0, 21)
            case "swallow":
                self._keep(self.path)
                self.path, self._step = 0, ""
            case "jam":
                self.jam()

    def _stack(self, a: int, b: int) -> None:
        self._keep(self.path)
        self.path, self._step = 0, ""
        self.tell(a, b)

    def _give_back(self, *, tells: bool) -> None:
        self.back[self.path] += 1
        self.path, self._step = 0, ""
        if tells:
            self.tell(0, 1)

    def _name(self, amount: int) -> bytes:
        return f"MX{amount // 100:04d}A".encode() if amount else b"......."
