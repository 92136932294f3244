"""A cash corner in memory: person, bus, journal and money machine in virtual time (demostración).

`books_agree` compares what is really inside with what the journal says, to the peso. Kill the program
with `kill`, the whole corner's power with `cut_power`; the pieces and the journal stay.
"""

from __future__ import annotations

from dataclasses import replace

from hardware.cash.sim_acceptors import PowerUp
from hardware.cash.sim_bus import SimBus
from hardware.cash.simulated_line import SimulatedLine
from kiosk.simulated_city import debt
from kiosk.simulated_kiosk import SimulatedKiosk
from kiosk.simulators import Fuse, MemoryClock, MemoryLedger
from kiosk.usecases.cash_progress import CashProgress, CashSettled
from kiosk.usecases.cash_till import CashLimits
from kiosk.usecases.pay_by_cash import PayByCash
from municipio.cash import CashBox, CashMovement, CashRules, MovementKind, count_box
from municipio.devices import CashUnit, DeviceState
from municipio.liquidacion import Liquidacion
from municipio.payments import Payment
from municipio.settings import parse_settings

COINS = frozenset({50, 100, 200, 500, 1000})
NOTES = frozenset({2000, 5000, 10000, 20000, 50000})
RULES = CashRules(COINS, NOTES, change_limit_centavos=20000)


def plug_cash(kiosk: SimulatedKiosk, *, hopper_coins: int = 150, **rules: object) -> SimBus:
    """Put a cash bus into a whole kiosk and start that anew; `rules` are settings of `cash`.

    Amounts are rounded to the peso unless `rounding` says otherwise.
    """
    cash = {"enabled": True, "port": "simulated", "hopper_address": 3, "rounding": "peso"}
    kiosk.settings = parse_settings({"cash": {**cash, **rules}})
    world = kiosk.world
    world.cash = SimulatedLine(SimBus(hopper_coins=hopper_coins))
    row = CashMovement(
        world.new_id(), "", MovementKind.HOPPER_SET, CashUnit.HOPPER, 100, hopper_coins
    )
    world.ledger.save([row])
    kiosk.restart()
    kiosk.wait(8, step=0.25)
    return world.cash.bus


class CashCorner:
    """One kiosk's cash. `pay` is the machine of the program that runs now."""

    def __init__(self, *, hopper_coins: int = 150, rules: CashRules = RULES) -> None:
        self.clock = MemoryClock()
        self.fuse = Fuse()
        self.ledger = MemoryLedger(self.clock, self.fuse)
        self.line = SimulatedLine(SimBus(hopper_coins=hopper_coins))
        self.rules = rules
        self.limits = CashLimits()
        self.names = 0
        self.ledger.save([self._hopper_row(hopper_coins)])
        self.pay = self._machine()

    @property
    def bus(self) -> SimBus:
        return self.line.bus

    @property
    def box(self) -> CashBox:
        return count_box(self.ledger.cash_counts())

    def new_id(self) -> str:
        self.names += 1
        return f"id-{self.names:06d}"

    def owed(self, centavos: int) -> Liquidacion:
        """An invented debt of this amount, on a property of its own."""
        self.names += 1
        row = debt().rows[0]
        row = replace(row, subtotal_centavos=centavos)
        clave = f"{self.names:022d}"
        return replace(debt(clave, id=f"L-{clave}"), rows=(row,), total_centavos=centavos)

    def fill_hopper(self, coins: int) -> None:
        """A technician empties the hopper, fills it with `coins`, and says so."""
        self.bus.hopper.coins = coins
        self.ledger.save([self._hopper_row(coins - self.box.hopper_coins)])

    def _hopper_row(self, coins: int) -> CashMovement:
        return CashMovement(self.new_id(), "", MovementKind.HOPPER_SET, CashUnit.HOPPER, 100, coins)

    # --- time and trouble ---------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Time for the wire alone; nobody polls."""
        self.line.run(seconds)
        self.clock.boot_ms = int(self.line.now * 1000)

    def idle(self, seconds: float) -> list[Payment]:
        """Nobody pays; the kiosk tends the bus."""
        settled: list[Payment] = []
        end = self.line.now + seconds
        while self.line.now < end:
            self.wait(0.3)
            settled += self.pay.tend()
        return settled

    def kill(self) -> None:
        """The program dies between two instructions and starts anew."""
        self.fuse.at = 0
        self.line.restart()
        self.pay = self._machine()

    def cut_power(self, seconds: float, power_up: PowerUp = "return") -> None:
        """Node and peripherals at once."""
        self.bus.pull_plug()
        self.bus.notes.power_up = power_up
        self.line.run(seconds)
        self.kill()
        self.bus.restore(self.line.now)

    def _machine(self) -> PayByCash:
        return PayByCash(
            ledger=self.ledger,
            device=self.line,
            rules=self.rules,
            limits=self.limits,
            now=self.clock.now,
            today=self.clock.today,
            new_key=self.new_id,
            blocking=lambda _: None,
        )

    # --- the person ---------------------------------------------------------------------------

    def ready(self) -> None:
        """Until the bus can take money."""
        for _ in range(200):
            self.idle(0.3)
            if self.line.status().state is DeviceState.READY and not self.pay.has_work():
                return
        raise AssertionError(f"the bus never got ready: {self.line.status()}")

    def insert(self, centavos: int) -> bool:
        """A coin or a note, by its denomination; True when it goes in."""
        unit = self.bus.coins if centavos in COINS else self.bus.notes
        return unit.insert(centavos, self.line.now)

    def poll(self, key: str, seconds: float = 0.2) -> CashProgress:
        self.wait(seconds)
        return self.pay.poll(key)

    def until_settled(self, key: str, within_s: float = 60.0) -> Payment:
        end = self.line.now + within_s
        while self.line.now < end:
            progress = self.poll(key)
            if isinstance(progress, CashSettled):
                return progress.payment
        raise AssertionError(f"not settled: {progress}")

    # --- the books ----------------------------------------------------------------------------

    def books_agree(self) -> str:
        """Empty when what is inside is what the journal says, else how they differ."""
        box, hopper = self.box, self.bus.hopper
        inside = self.bus.inside_centavos - box.coins_centavos - box.notes_centavos
        slack = box.doubt_centavos + box.unread_pieces * max(NOTES)
        paid = box.hopper_coins - hopper.coins
        if not 0 <= inside <= slack:
            return f"inside differs by {inside}, in doubt are {slack}"
        if not 0 <= paid * 100 <= box.change_doubt_centavos:
            return f"the hopper differs by {paid} coins"
        return ""
