"""The only place where the kiosk's real objects are built: files, clocks, keys, devices, presenters.

Nothing here opens a window. What the first screen does not need (devices, the city's HTTP client, the
catalogue's search) is built when it is first asked for, in the thread that asks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from kiosk.aids import press_on
from kiosk.aids_wiring import AidDevices
from kiosk.background import Post, ThreadBackground
from kiosk.catalogues import load_words
from kiosk.deferred import Deferred, closing
from kiosk.flow import Flow, Screen
from kiosk.house import House
from kiosk.language import Words, untranslated
from kiosk.presenters.base import Desk, Presenter
from kiosk.presenters.frame import HeaderPresenter, IdlePresenter
from kiosk.presenters.home import HomePresenter
from kiosk.presenters.info import ArchivoDelSitioPresenter, FueraDeServicioPresenter
from kiosk.presenters.registry import Ports, build_presenters
from kiosk.speech import AudioMode
from kiosk.terminal_guard import terminal_trouble
from kiosk.vitals_wiring import Body
from municipio.cash import rules_from
from municipio.devices import CardTerminal, CashDevice, DeviceStatus, Printer
from municipio.energy import may_start_payments
from municipio.settings import Settings
from municipio.site_file.state import SiteStanding
from municipio.usecases.ports import (
    Catalogue,
    City,
    CityFolio,
    LinkReport,
    LinkState,
    NoAnswer,
    NoAnswerCause,
)
from municipio.wire.keys import PublicKey, verify
from sync.clock import SystemClock, quality_with
from sync.database import LedgerDamaged, LedgerUnreadable
from sync.datadir import DataDir
from sync.energy_note import FileBand
from sync.keys import KeyMissing, NodeKey, load_city_key
from sync.link import FileLink
from sync.salvage import open_salvaging
from sync.sealing import AgeSealer
from sync.site_state import read_site_state
from sync.stick import read_trip

if TYPE_CHECKING:
    from municipio.predial import SignedLiquidacion
    from municipio.usecases.ports import AlreadyPaid, UnknownAccount


class SilentCity:
    """The city of a node that does not know its city's key: nothing it says could be believed."""

    def fresh_liquidacion(
        self, clave: str
    ) -> SignedLiquidacion | AlreadyPaid | UnknownAccount | NoAnswer:
        return NoAnswer(NoAnswerCause.BAD_ANSWER, "no city key on this node")

    def folio(self, folio: str) -> CityFolio | NoAnswer | None:
        return NoAnswer(NoAnswerCause.BAD_ANSWER, "no city key on this node")


class SilentLink:
    """The link of a kiosk that is out of service: nobody knows."""

    def report(self) -> LinkReport:
        return LinkReport(LinkState.UNKNOWN, 0)


@dataclass(frozen=True, slots=True)
class Wired:
    """A house, what to warm up once its first screen is drawn, and what a technician must know."""

    house: House
    warm_up: Callable[[], None]
    troubles: tuple[str, ...] = ()


def wire(data: DataDir, settings: Settings, post: Post) -> Wired:
    """Everything of a real kiosk. A node without a usable memory or key is out of service, and says so."""
    data.create()
    clock = SystemClock(data.link_file, quality_with(settings.flag("node.rtc")))
    words, background = _words(), ThreadBackground(post, fatal=(LedgerUnreadable,))
    flow = _flow(settings)
    presenters: dict[Screen, Presenter[Any]] = {}
    aid_devices = AidDevices(settings, post, words)
    audio = AudioMode(aid_devices.mouth, words, lambda id: press_on(flow, presenters, id))
    listen = audio.listen if aid_devices.may_listen else None
    desk = Desk(words, flow, background, clock, settings, listen)
    state = read_site_state(data)
    if state is not None and state.standing is SiteStanding.WAITING:
        # No ledger: nothing may be recorded under a name that the right file will change.
        presenter = ArchivoDelSitioPresenter(desk, state.faults)
        return _out_of_service(desk, flow, audio, background, "no usable plaza.toml", presenter)
    ledger = open_salvaging(data.ledger, clock, settings.node_code, settings.text("city.inegi"))
    key = NodeKey.load(data)
    if isinstance(ledger, LedgerDamaged) or isinstance(key, KeyMissing):
        trouble = str(ledger) if isinstance(ledger, LedgerDamaged) else cast(KeyMissing, key).detail
        return _out_of_service(desk, flow, audio, background, trouble)
    city_key = load_city_key(data)
    catalogue = cast(Catalogue, Deferred(lambda: _catalogue(data, words)))
    link = FileLink(data.link_file, clock, settings.number("sync.heartbeat_s"))
    printer = Deferred(lambda: _printer(settings))
    terminal = Deferred(lambda: _terminal(data, settings, clock))
    cash, cash_trouble = Deferred(lambda: _cash(settings)), _cash_trouble(settings)
    card_trouble = terminal_trouble(data, settings, ledger)
    troubles = tuple(filter(None, (_key_trouble(city_key), card_trouble, cash_trouble)))
    ports = Ports(
        ledger=ledger,
        catalogue=catalogue,
        city=cast(City, Deferred(lambda: _city(settings, key, city_key))),
        link=link,
        sealer=AgeSealer(lambda name: catalogue.recipient_keys(name)),
        signer=key,
        printer=cast(Printer, printer) if _has(settings, "printer") else None,
        terminal=_card_port(terminal, settings, card_trouble),
        verify=_verifier(city_key),
        new_id=lambda: uuid4().hex,
        cash=cast(CashDevice, cash) if _has(settings, "cash") else None,
        may_start_payments=_energy_allows(FileBand(data, settings, clock)),
    )
    devices = (printer, terminal, cash)

    def warm_up() -> None:
        aid_devices.start(aids)
        background.run(lambda: _warm(ports, devices, catalogue), lambda _: None)

    close = closing(aid_devices, *devices, background, ledger)
    presenters.update(build_presenters(desk, ports))
    background.on_fatal = lambda error: _stop_serving(presenters, flow, error)
    aids = aid_devices.join(flow, presenters, audio)
    house = _house(desk, flow, audio, presenters, close, link)
    house.idle.subscribe(aids.idle)
    statuses = partial(_statuses, settings, ports, aid_devices)
    wired = Wired(replace(house, forget=aids.wipe, statuses=statuses), warm_up, troubles)
    return _with_care(wired, data, desk, ports, city_key, aid_devices, presenters)


def _with_care(
    wired: Wired,
    data: DataDir,
    desk: Desk,
    ports: Ports,
    city_key: PublicKey | KeyMissing,
    aids: AidDevices,
    presenters: dict[Screen, Presenter[Any]],
) -> Wired:
    """Who looks after the devices: technicians, and the record from the first screen until the end."""
    body = Body(data, desk.settings, desk.clock, ports.ledger)
    home = cast(HomePresenter, presenters[Screen.HOME])
    home.follow_stick(partial(read_trip, data.stick_file, desk.clock))

    def held() -> dict[str, Callable[[], DeviceStatus]]:
        return {**_held(desk.settings, ports, aids), **body.held()}

    whole = _with_service(wired, data, desk, ports, city_key, held, presenters)
    house = whole.house
    put_up = False
    if read_site_state(data) is not None:
        from kiosk.installation_wiring import stand

        put_up = stand(data, desk, ports, held(), presenters)

    def warm_up() -> None:
        whole.warm_up()
        if put_up:
            house.flow.go(Screen.PUESTA)
        desk.background.run(lambda: body.start(house.statuses), lambda _: None)

    def close() -> None:
        body.close()
        house.close()

    def statuses() -> Mapping[str, DeviceStatus]:
        return {**house.statuses(), **{name: status() for name, status in body.held().items()}}

    return replace(whole, house=replace(house, close=close, statuses=statuses), warm_up=warm_up)


def _key_trouble(city_key: PublicKey | KeyMissing) -> str:
    return city_key.detail if isinstance(city_key, KeyMissing) else ""


def _energy_allows(band: FileBand) -> Callable[[], bool]:
    return lambda: may_start_payments(band())


def _statuses(settings: Settings, ports: Ports, aids: AidDevices) -> Mapping[str, DeviceStatus]:
    return {name: status() for name, status in _held(settings, ports, aids).items()}


def _held(
    settings: Settings, ports: Ports, aids: AidDevices
) -> dict[str, Callable[[], DeviceStatus]]:
    from kiosk.technician_wiring import held_devices  # late: the first screen does not need it

    return held_devices(settings, ports, aids.status)


def _with_service(
    wired: Wired,
    data: DataDir,
    desk: Desk,
    ports: Ports,
    city_key: PublicKey | KeyMissing,
    held: Callable[[], Mapping[str, Callable[[], DeviceStatus]]],
    presenters: dict[Screen, Presenter[Any]],
) -> Wired:
    """The technician's place, where the node has a reader for service cards."""
    if not desk.settings.flag("card.enabled"):
        return wired
    from kiosk.technician_wiring import Known, ServiceDoor

    house = wired.house
    known = Known(
        data=data,
        flow=house.flow,
        desk=desk,
        ports=ports,
        city_key=None if isinstance(city_key, KeyMissing) else city_key,
        held=held(),
        note=house.header.service_card,
    )
    door = ServiceDoor(known)
    presenters[Screen.TECNICO] = door.presenter

    def warm_up() -> None:
        wired.warm_up()
        desk.background.run(door.start, lambda _: None)

    def close() -> None:
        door.close()
        house.close()

    def statuses() -> Mapping[str, DeviceStatus]:
        return {**house.statuses(), "card": door.reader_status()}

    house_with = replace(house, watch=door.watch, close=close, statuses=statuses)
    return replace(wired, house=house_with, warm_up=warm_up)


def _stop_serving(
    presenters: dict[Screen, Presenter[Any]], flow: Flow, trouble: BaseException
) -> None:
    """The memory was damaged while in use: whatever is asked for, only one screen is left."""
    logging.getLogger("plaza.kiosk").error("%s", trouble)
    for screen in set(presenters) - {Screen.FUERA_DE_SERVICIO}:
        del presenters[screen]
    flow.home()


def _words() -> Words:
    """The catalogues, or the Spanish texts themselves: a kiosk without a translation still serves."""
    try:
        return load_words()
    except OSError:
        return untranslated()


def _flow(settings: Settings) -> Flow:
    return Flow(
        idle_warning_s=settings.number("kiosk.idle_warning_s"),
        idle_wipe_s=settings.number("kiosk.idle_wipe_s"),
    )


def _house(
    desk: Desk,
    flow: Flow,
    audio: AudioMode,
    presenters: dict[Screen, Presenter[Any]],
    close: Callable[[], None],
    link: FileLink | SilentLink,
) -> House:
    serves = not isinstance(link, SilentLink)
    header = HeaderPresenter(desk.words, desk.background, desk.settings, link, serves=serves)
    idle = IdlePresenter(desk.words, lambda: flow.touched(time.monotonic()), flow.end_session)
    return House(desk.words, flow, header, idle, presenters, audio, close)


def _out_of_service(
    desk: Desk,
    flow: Flow,
    audio: AudioMode,
    background: ThreadBackground,
    trouble: str,
    presenter: FueraDeServicioPresenter | None = None,
) -> Wired:
    presenters: dict[Screen, Presenter[Any]] = {
        Screen.FUERA_DE_SERVICIO: presenter or FueraDeServicioPresenter(desk)
    }
    house = _house(desk, flow, audio, presenters, background.close, SilentLink())
    return Wired(house, lambda: None, (trouble,))


def _has(settings: Settings, device: str) -> bool:
    if device == "terminal" and settings.text("terminal.kind") != "serial":
        return settings.flag("terminal.enabled") and settings.text("terminal.point_id") != ""
    if device == "cash" and _cash_trouble(settings):
        return False
    return settings.flag(f"{device}.enabled") and settings.text(f"{device}.port") != ""


def _card_port(terminal: Deferred[Any], settings: Settings, trouble: str) -> CardTerminal | None:
    usable = _has(settings, "terminal") and not trouble
    return cast(CardTerminal, terminal) if usable else None


def _verifier(city_key: PublicKey | KeyMissing) -> Callable[[bytes, bytes], bool]:
    if isinstance(city_key, KeyMissing):
        return lambda _signature, _message: False
    return lambda signature, message: verify(city_key, signature, message)


def _catalogue(data: DataDir, words: Words) -> Catalogue:
    from sync.catalogue import SqliteCatalogue

    return SqliteCatalogue(data.catalogue, words)


def _city(settings: Settings, key: NodeKey, city_key: PublicKey | KeyMissing) -> City:
    if isinstance(city_key, KeyMissing):
        return SilentCity()
    from sync.city import HttpCity
    from sync.wiring import build_courier

    courier = build_courier(settings, key)
    return SilentCity() if isinstance(courier, KeyMissing) else HttpCity(courier, city_key)


def _printer(settings: Settings) -> Any:
    from hardware.printer.driver import ReceiptPrinter
    from hardware.printer.profiles import PROFILES

    profile = PROFILES[settings.text("printer.profile")]
    return ReceiptPrinter(settings.text("printer.port"), settings.number("printer.baud"), profile)


def _terminal(data: DataDir, settings: Settings, clock: SystemClock) -> Any:
    from hardware.terminal.build import build_terminal

    def trusted_wall() -> float | None:
        now = clock.now()
        return now.time.timestamp() if now.is_trusted and now.time is not None else None

    return build_terminal(settings, data.path, trusted_wall)


def _cash(settings: Settings) -> Any:
    from hardware.cash.driver import CcTalkCash, setup_from

    port, baud = settings.text("cash.port"), settings.number("cash.baud")
    return CcTalkCash(port, baud, setup_from(settings))


def _cash_trouble(settings: Settings) -> str:
    """Why cash stays off although it is switched on: rules that cannot be read take nobody's money."""
    if not settings.flag("cash.enabled"):
        return ""
    if not settings.text("cash.port"):
        return "cash.enabled without cash.port: no cash is taken"
    try:
        rules_from(settings)
    except ValueError as error:
        return f"cash.coins or cash.notes: {error}; no cash is taken"
    return ""


def _warm(ports: Ports, devices: tuple[Deferred[Any], ...], catalogue: Catalogue) -> None:
    """Open what the next screens need, so that the first touch does not wait for it."""
    for port, device in zip((ports.printer, ports.terminal, ports.cash), devices, strict=True):
        if port is not None:
            device.get()
    catalogue.categories()
