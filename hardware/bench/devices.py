"""Every simulated device of the bench: how to build it, what may be done to it, what it shows.

Adding a device is one line of `DEVICES`. Modules are imported when a device is built, so that reading
a scenario costs nothing. Amounts in a scenario are pesos.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hardware.bench import builders
from hardware.bench.builders import Place, Watched
from hardware.bench.scenario import Scalar, Vocabulary
from municipio.devices import DeviceState
from municipio.settings import SETTINGS, Settings

Kind = type | tuple[str, ...]


class Simulator(Protocol):
    """The far end of a wire. Controls are methods of the object itself."""

    def open(self) -> str: ...

    def close(self) -> None: ...

    def state(self) -> dict[str, object]: ...


@dataclass(frozen=True, slots=True)
class Verb:
    """A control: `call` takes the simulator and the arguments, whose kinds are given."""

    call: Callable[..., object]
    kinds: tuple[Kind, ...] = ()


@dataclass(frozen=True, slots=True)
class Button:
    """A control on the bench page: a word of this device with its arguments filled in.

    `look` is how it is drawn: plain, coin, note, card or trouble.
    """

    label: str
    verb: str
    args: tuple[Scalar, ...] = ()
    look: str = "plain"


@dataclass(frozen=True, slots=True)
class Device:
    """`settings` are what the node needs to use it, with `{port}` for where it is.

    `watch` builds the node's own driver, to look at a device that no program of the node opens:
    always, or only while the setting `taken_by` is off.
    """

    name: str
    label: str
    build: Callable[[Place], Simulator]
    settings: Mapping[str, Scalar]
    verbs: Mapping[str, Verb]
    buttons: tuple[Button, ...]
    watch: Callable[[Settings], Watched] | None = None
    taken_by: str = ""
    missing: Callable[[], str] = field(default=lambda: "")
    """What this machine lacks to simulate it; empty when nothing."""


def _word(name: str, *kinds: Kind) -> tuple[str, Verb]:
    """A verb that is the simulator's method of the same name."""
    return name, Verb(lambda sim, *args: getattr(sim, name)(*args), kinds)


def _money(name: str, method: str) -> tuple[str, Verb]:
    """A verb whose pesos become centavos."""
    return name, Verb(lambda sim, pesos: getattr(sim, method)(round(pesos * 100)), (float,))


_CABLE = dict(_word(v) for v in ("silence", "speak", "unplug", "replug"))
_CABLE_BUTTONS = (
    Button("Desconectar", "unplug", look="trouble"),
    Button("Conectar", "replug"),
    Button("Que calle", "silence", look="trouble"),
    Button("Que responda", "speak"),
)

PRINTER = Device(
    "printer", "Impresora", builders.printer, {"printer.port": "{port}"},
    dict([
        *_CABLE.items(), _word("paper_out"), _word("set_paper", float), _word("load_paper"),
        _word("open_cover"), _word("close_cover"), _word("block"), _word("unblock"),
        _word("fault", ("cutter", "unrecoverable", "auto_recoverable")), _word("clear_faults"),
    ]),
    (
        Button("Quitar el papel", "paper_out", look="trouble"),
        Button("Dejar 4 cm", "set_paper", (40.0,), "trouble"),
        Button("Poner papel", "load_paper"),
        Button("Abrir la tapa", "open_cover", look="trouble"), Button("Cerrar la tapa", "close_cover"),
        Button("Trabar el cortador", "fault", ("cutter",), "trouble"),
        Button("Quitar fallas", "clear_faults"),
        *_CABLE_BUTTONS,
    ),
)  # fmt: skip

TERMINAL = Device(
    "terminal", "Terminal de tarjeta", builders.terminal,
    {"terminal.port": "{port}", "terminal.wait_s": 60},
    dict([
        *_CABLE.items(),
        *(_word(v) for v in ("hold", "auto", "approve", "decline", "cancel", "expire")),
    ]),
    (
        Button("Acercar tarjeta", "approve", look="card"),
        Button("Tarjeta rechazada", "decline", look="card"),
        Button("Botón rojo", "cancel", look="trouble"),
        Button("Esperar a la persona", "hold"), Button("Aprobar sola", "auto"),
        *_CABLE_BUTTONS,
    ),
)  # fmt: skip

CASH = Device(
    "cash", "Monedas y billetes", builders.cash, {"cash.port": "{port}", "cash.enabled": True},
    dict([
        *_CABLE.items(), _money("coin", "insert_coin"), _money("note", "insert_note"),
        _word("string_coin"), _word("string_note"), _word("jam_coins"), _word("jam_note"),
        _word("clear_jams"), _word("pull_plug"), _word("restore"), _word("fill_stacker"),
        _word("empty_stacker"), _word("take_stacker"), _word("put_stacker"),
        _word("set_hopper", int),
    ]),
    (
        *(Button(f"$ {n}", "coin", (float(n),), "coin") for n in (1, 2, 5, 10)),
        *(Button(f"$ {n}", "note", (float(n),), "note") for n in (20, 50, 100, 200, 500)),
        Button("Atorar un billete", "jam_note", look="trouble"),
        Button("Atorar una moneda", "jam_coins", look="trouble"),
        Button("Desatorar", "clear_jams"),
        Button("Llenar la caja de billetes", "fill_stacker", look="trouble"),
        Button("Sacar la caja", "take_stacker", look="trouble"),
        Button("Vaciar la caja", "empty_stacker"), Button("Meter la caja", "put_stacker"),
        *_CABLE_BUTTONS,
    ),
    builders.watch_cash, "cash.enabled",
)  # fmt: skip

CARD = Device(
    "card", "Tarjeta de técnico", builders.card, {},
    dict([
        _word("insert", ("tecnico", "ajena", "rota")), _word("remove"),
        _word("service_down"), _word("service_up"),
    ]),
    (
        Button("Meter la del técnico", "insert", ("tecnico",), "card"),
        Button("Meter una ajena", "insert", ("ajena",), "card"),
        Button("Meter una rota", "insert", ("rota",), "card"),
        Button("Sacar", "remove"),
        Button("Caer el lector", "service_down", look="trouble"), Button("Volver el lector", "service_up"),
    ),
    builders.watch_card, "card.enabled", builders.card_missing,
)  # fmt: skip

SUN = Device(
    "sun", "Batería y sol", builders.sun, {"power.kind": "vedirect", "power.port": "{port}"},
    dict([
        *_CABLE.items(),
        ("weather", Verb(lambda s, w: s.set_weather(w), (("clear", "cloudy", "storm"),))),
        ("charge", Verb(lambda s, p: s.set_charge(p), (float,))),
        ("hour", Verb(lambda s, h: s.set_hour(h), (float,))),
        ("pass_days", Verb(lambda s, d: s.pass_days(d), (float,))),
        ("time_factor", Verb(lambda s, f: s.set_time_factor(f), (float,))),
        _word("break_battery"), _word("new_battery"), _word("fault", int),
        ("garbage", Verb(lambda s: s.garbage(True))), ("clean", Verb(lambda s: s.garbage(False))),
    ]),
    (
        Button("Despejado", "weather", ("clear",)), Button("Nublado", "weather", ("cloudy",)),
        Button("Tormenta", "weather", ("storm",)),
        Button("Pasar un día", "pass_days", (1.0,)), Button("Un día por minuto", "time_factor", (1440.0,)),
        Button("Tiempo real", "time_factor", (1.0,)),
        Button("Batería vieja", "break_battery", look="trouble"), Button("Batería nueva", "new_battery"),
        *_CABLE_BUTTONS,
    ),
    builders.watch_power,
)  # fmt: skip

SCANNER = Device(
    "scanner", "Lector de códigos", builders.scanner,
    {"scanner.port": "{port}", "scanner.enabled": True},
    dict([*_CABLE.items(), _word("scan", str), _word("garbage")]),
    (
        Button("Recibo del año pasado", "scan", ("0620000101023005000007",), "card"),
        Button("Código dañado", "garbage", look="trouble"),
        *_CABLE_BUTTONS,
    ),
    builders.watch_scanner, "scanner.enabled",
)  # fmt: skip

DEVICES: dict[str, Device] = {d.name: d for d in (PRINTER, TERMINAL, CASH, CARD, SUN, SCANNER)}


def vocabulary() -> Vocabulary:
    """What a scenario may name."""
    return Vocabulary(
        {d.name: {word: verb.kinds for word, verb in d.verbs.items()} for d in DEVICES.values()},
        frozenset(s.name for s in SETTINGS),
    )


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done to a device, by a scenario or by a person at the page."""

    device: str
    verb: str
    args: tuple[Scalar, ...]


class Desk:
    """The devices of one installation: built together, opened together, done to by name."""

    def __init__(self, names: tuple[str, ...], place: Place) -> None:
        self._place = place
        self.devices = tuple(DEVICES[n] for n in names)
        self._sims = {d.name: d.build(place) for d in self.devices}
        self._watched: dict[str, Watched] = {}
        self.deeds: list[Deed] = []

    def __getitem__(self, name: str) -> Any:
        return self._sims[name]

    def open(self) -> None:
        """Plug everything in; each port gets a name that stays: `place.dev / device`."""
        self._place.dev.mkdir(parents=True, exist_ok=True)
        for name, sim in self._sims.items():
            sim.open()
            link = getattr(sim, "link", None)
            if link is not None:
                link(self._place.dev / name)

    def watch(self, settings: Settings) -> None:
        """Start the node's own driver for every device that no program of the node opens."""
        for device in self.devices:
            taken = device.taken_by and settings.flag(device.taken_by)
            if device.watch is not None and not taken:
                self._watched[device.name] = device.watch(settings)

    def close(self) -> None:
        for watched in self._watched.values():
            watched.close()
        for sim in self._sims.values():
            sim.close()

    def settings(self) -> dict[str, Scalar]:
        """What the node's settings must say to find them."""
        found: dict[str, Scalar] = {}
        for device in self.devices:
            port = str(self._place.dev / device.name)
            for name, value in device.settings.items():
                found[name] = port if value == "{port}" else value
        return found

    def do(self, deed: Deed) -> None:
        """KeyError for a device or a word that is not there; ValueError for a bad argument."""
        simulator = self._sims[deed.device]
        DEVICES[deed.device].verbs[deed.verb].call(simulator, *deed.args)
        self.deeds.append(deed)

    def states(self) -> dict[str, dict[str, object]]:
        """What each simulator shows of itself, and under `node` what the node's driver says."""
        return {
            name: {**sim.state(), "node": self.sees(name), **self._figures(name)}
            for name, sim in self._sims.items()
        }

    def _figures(self, name: str) -> dict[str, object]:
        """What the node counts itself, where its driver counts."""
        taken = getattr(self._watched.get(name), "taken_centavos", None)
        return {} if taken is None else {"taken_centavos": taken}

    def sees(self, name: str) -> dict[str, str]:
        """State and cause as the node's own driver tells them; empty when nobody watches it here."""
        if name not in self._watched:
            return {}
        status = self._watched[name].status()
        is_well = status.state is DeviceState.READY and not status.cause
        return {
            "state": status.state.value,
            "cause": status.cause,
            **({"all": "well"} if is_well else {}),
        }
