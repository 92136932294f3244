"""A whole kiosk without a display: flow, presenters and simulators, tapped by id (all demostración).

`restart` is what a power cut leaves: what was stored, the terminal and the printer live on; everything
else is built anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from kiosk.background import InlineBackground
from kiosk.flow import Flow, Place, Screen
from kiosk.language import Words, untranslated
from kiosk.presenters.base import Desk, Presenter
from kiosk.presenters.registry import Ports, build_presenters
from kiosk.simulated_city import MemoryCatalogue, debt, sign
from kiosk.simulators import (
    Fuse,
    MemoryCity,
    MemoryClock,
    MemoryLedger,
    MemoryLink,
    MemoryPrinter,
    MemorySealer,
    MemorySigner,
    MemorySpeaker,
    MemoryTerminal,
)
from kiosk.speech import AudioMode
from municipio.settings import Settings, parse_settings
from municipio.usecases.ports import LinkState

if TYPE_CHECKING:
    from hardware.cash.simulated_line import SimulatedLine
    from kiosk.simulated_installation import InstallationCorner
    from kiosk.simulated_technician import ServiceCorner


@dataclass
class World:
    """What a power cut does not take: the card, the devices, the city and the sun."""

    clock: MemoryClock = field(default_factory=MemoryClock)
    fuse: Fuse = field(default_factory=Fuse)
    catalogue: MemoryCatalogue = field(default_factory=MemoryCatalogue)
    link: MemoryLink = field(default_factory=MemoryLink)
    city: MemoryCity = field(default_factory=MemoryCity)
    names: int = 0
    cash: SimulatedLine | None = None
    """A cash bus in virtual time; it is asked to run while the kiosk ticks."""

    service: ServiceCorner | None = None
    """The reader for service cards, a card, and the city's list."""
    installing: InstallationCorner | None = None
    """A node that is being put up."""

    is_saving: bool = False
    """The node's battery is in reserve or guard."""

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(self.clock, self.fuse)
        self.terminal = MemoryTerminal(self.fuse)
        self.printer = MemoryPrinter(self.fuse)
        for clave, signed in self.catalogue.liquidaciones.items():
            self.city.liquidaciones[clave] = signed

    def new_id(self) -> str:
        self.names += 1
        return f"id-{self.names:04d}"

    def cut_network(self) -> None:
        self.link.state = LinkState.OFFLINE
        self.city.offline = True

    def restore_network(self) -> None:
        self.link.state = LinkState.ONLINE
        self.city.offline = False

    def expire(self, clave: str) -> None:
        """The catalogue's liquidación of a property was only valid in December."""
        old = debt(clave, issued_on=date(2025, 12, 1), valid_until=date(2025, 12, 31))
        self.catalogue.liquidaciones[clave] = sign(old)


class SimulatedKiosk:
    """`tap` presses a control of the screen that is up; a control that is not there is an error."""

    def __init__(
        self,
        world: World | None = None,
        *,
        settings: Settings | None = None,
        words: Words | None = None,
        voice: bool = True,
    ) -> None:
        self.world = world or World()
        self.settings = settings or parse_settings({})
        self.words = words or untranslated()
        self.now_s = 0.0
        self.speaker = MemorySpeaker()
        self._voice = voice
        self._boot()

    def _boot(self) -> None:
        world = self.world
        self.flow = Flow(
            idle_warning_s=self.settings.number("kiosk.idle_warning_s"),
            idle_wipe_s=self.settings.number("kiosk.idle_wipe_s"),
        )
        self.audio = AudioMode(self.speaker, self.words, self.tap)
        listen = self.audio.listen if self._voice else None
        self.desk = Desk(
            self.words, self.flow, InlineBackground(), world.clock, self.settings, listen
        )
        signer = MemorySigner()
        ports = Ports(
            ledger=world.ledger,
            catalogue=world.catalogue,
            city=world.city,
            link=world.link,
            sealer=MemorySealer(),
            signer=signer,
            printer=world.printer,
            terminal=world.terminal,
            verify=signer.verify,
            new_id=world.new_id,
            cash=world.cash,
            may_start_payments=lambda: not world.is_saving,
        )
        self.presenters: dict[Screen, Presenter[Any]] = build_presenters(self.desk, ports)
        if world.service is not None:
            world.service.join(
                self.desk, self.flow, ports, self.presenters, lambda: self.flow.touched(self.now_s)
            )
        if world.installing is not None:
            world.installing.join(self.desk, ports, self.presenters)
        self._up = Screen.HOME
        self.flow.on_place = self._show
        self.flow.on_wipe = self._wipe
        for presenter in self.presenters.values():
            presenter.subscribe(self._on_view)
        self._show(Place(Screen.HOME))
        self.tick()

    def restart(self) -> None:
        """The program died and came up again."""
        if self.world.cash is not None:
            self.world.cash.restart()
        self._boot()

    @property
    def screen(self) -> Screen:
        return self._up

    @property
    def view(self) -> Any:
        return self.presenters[self._up].view

    def tap(self, *ids: str) -> None:
        """Press controls one after another, each on the screen that is then up."""
        for id in ids:
            offered = {item.id: item.enabled for item in self.view.focus}
            if not offered.get(id, False):
                raise LookupError(f"{id} cannot be pressed on {self._up}: {sorted(offered)}")
            self.flow.touched(self.now_s)
            self.presenters[self._up].activate(id)

    def type(self, text: str, prefix: str = "key") -> None:
        """Press one key per character."""
        for char in text:
            self.tap(f"{prefix}.{'space' if char == ' ' else char}")

    def tick(self, seconds: float = 0.25) -> None:
        """Let time pass for the presenter that is up and for the idle timer."""
        self.now_s += seconds
        if self.world.cash is not None:
            self.world.cash.run(seconds)
            self.world.clock.boot_ms += int(seconds * 1000)
        if self.world.service is not None:
            self.world.service.tick()
        self.presenters[self._up].tick(self.now_s)
        self.flow.tick(self.now_s, busy=self.view.busy)

    def wait(self, seconds: float, step: float = 1.0) -> None:
        """Many ticks."""
        for _ in range(int(seconds / step)):
            self.tick(step)

    def _on_view(self, view: Any) -> None:
        if view.screen is self._up:
            self.audio.show(view)

    def _show(self, place: Place) -> None:
        self.presenters[self._up].leave()
        self._up = place.screen
        self.presenters[self._up].enter(**place.params)
        self.audio.show(self.view)

    def _wipe(self) -> None:
        for presenter in self.presenters.values():
            presenter.wipe()
        self.audio.wipe()
        self.words.reset()
