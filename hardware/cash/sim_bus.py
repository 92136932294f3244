"""The simulated bus: three peripherals behind one wire that echoes, and the hopper among them."""

from __future__ import annotations

from hardware.cash.frames import MASTER, Frame, FrameReader, Header, encode
from hardware.cash.sim_acceptors import Answer, SimAcceptor, SimCoins, SimNotes

COIN_LEAVES_S = 0.1
GAP_S = 0.05


class SimHopper:
    """`coins` is what is really inside, `paid` what the person took; both survive a power cut."""

    def __init__(self, address: int = 3, coins: int = 200) -> None:
        self.address = address
        self.serial = b"\x11\x22\x33"
        self.coins = coins
        self.paid = 0
        self.wants_key = False
        self.is_powered = True
        self.is_silent = False
        self.jams_after = -1
        """Coins of the next order that leave before it jams; -1: it does not."""
        self.is_jammed = False
        self.orders = 0
        self._life = 1000
        self._wipe()

    def _wipe(self) -> None:
        self._is_enabled = self._has_key = False
        self._events = self._remaining = self._done = self._unpaid = 0
        self._next_at = 0.0

    def pull_plug(self) -> None:
        self.is_powered = False
        self._wipe()

    def restore(self, now: float) -> None:
        self.is_powered = True

    def answer(self, header: int, data: bytes, now: float) -> Answer:
        if self.is_silent or not self.is_powered:
            return "silent"
        if header == Header.DISPENSE:
            return self._dispense(data, now)
        if header == Header.HOPPER_ENABLE:
            self._is_enabled = data == b"\xa5"
        self._has_key = self._has_key or header == Header.CIPHER_KEY
        return {
            Header.SIMPLE_POLL: b"",
            Header.SERIAL: self.serial,
            Header.HOPPER_ENABLE: b"",
            Header.PUMP_RNG: b"",
            Header.CIPHER_KEY: bytes(range(1, 9)),
            Header.HOPPER_STATUS: bytes((self._events, self._remaining, self._done, self._unpaid)),
            Header.DISPENSE_COUNT: self._life.to_bytes(3, "little"),
            Header.HOPPER_TEST: b"\x02" if self.is_jammed else b"\0",
            Header.HOPPER_LEVEL: b"\x11" if self.coins == 0 else b"\x10",
        }.get(header)

    def _dispense(self, data: bytes, now: float) -> Answer:
        is_proved = self._has_key if self.wants_key else data[:-1] == self.serial
        if not self._is_enabled or not is_proved or self._remaining or not data[-1:]:
            return None
        self.orders += 1
        self._has_key = False
        self._events = self._events % 255 + 1
        self._remaining, self._done, self._unpaid = data[-1], 0, 0
        self._next_at = now + COIN_LEAVES_S
        return bytes((self._events,))

    def tick(self, now: float) -> None:
        while self._remaining and now >= self._next_at and self.is_powered:
            if self.jams_after == 0:
                self.is_jammed, self.jams_after = True, -1
            if self.is_jammed or not self.coins:
                self._unpaid, self._remaining = self._remaining, 0
                return
            self.jams_after -= self.jams_after > 0
            self.coins -= 1
            self.paid += 1
            self._life = (self._life + 1) % (1 << 24)
            self._remaining -= 1
            self._done += 1
            self._next_at += COIN_LEAVES_S


class SimBus:
    """Bytes of the master in, echo and answers out. Survives any bytes."""

    def __init__(self, *, echoes: bool = True, hopper_coins: int = 200) -> None:
        self.coins = SimCoins()
        self.notes = SimNotes()
        self.hopper = SimHopper(coins=hopper_coins)
        self.echoes = echoes
        self.is_silent = False
        self._reader = FrameReader()
        self._heard_at = 0.0

    @property
    def units(self) -> tuple[SimAcceptor | SimHopper, ...]:
        return (self.coins, self.notes, self.hopper)

    @property
    def inside_centavos(self) -> int:
        """Coin box and stacker, as a person who opens them would count."""
        return sum(a * n for unit in (self.coins, self.notes) for a, n in unit.box.items())

    def pull_plug(self) -> None:
        for unit in self.units:
            unit.pull_plug()

    def restore(self, now: float) -> None:
        for unit in self.units:
            unit.restore(now)

    def tick(self, now: float) -> None:
        for unit in self.units:
            unit.tick(now)

    def feed(self, data: bytes, now: float) -> bytes:
        """What appears on the wire because of these bytes."""
        self.tick(now)
        if now - self._heard_at > GAP_S:
            self._reader.clear()  # a slave forgets half a frame after a silence
        self._heard_at = now
        out = data if self.echoes else b""
        for frame in self._reader.feed(data):
            if frame.source == MASTER and not self.is_silent:
                out += self._answer(frame, now)
        return out

    def _answer(self, frame: Frame, now: float) -> bytes:
        unit = next((u for u in self.units if u.address == frame.to), None)
        answer: Answer = "silent" if unit is None else unit.answer(frame.header, frame.data, now)
        if answer == "silent":
            return b""
        if isinstance(answer, bytes):
            return encode(Frame(MASTER, frame.to, Header.REPLY, answer))
        return encode(Frame(MASTER, frame.to, Header.NAK))
