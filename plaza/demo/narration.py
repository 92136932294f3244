"""A step of a scenario in a technician's words, for the list beside the kiosk and the headless report."""

from __future__ import annotations

from typing import assert_never

from hardware.bench.devices import DEVICES
from hardware.bench.scenario import (
    AskDebt,
    ByPerson,
    CountMoney,
    DeviceDoes,
    Expect,
    KioskDoes,
    NetworkDoes,
    NodeDoes,
    PayByCard,
    PayInCash,
    PutMoney,
    Seek,
    Step,
    Tap,
    TypeText,
    Visit,
    Wait,
)
from municipio.device_words import technician_words

_NETWORK = {
    "cut": "Se corta la red", "restore": "Vuelve la red", "login_page": "Contesta una página de acceso",
}  # fmt: skip
_KIOSK = {"kill": "Muere el programa del kiosco", "start": "Arranca", "restart": "Se reinicia"}
_NODE = {"power_cut": "Se corta la luz del nodo", "power_up": "Vuelve la luz al nodo"}
_PERSON = {
    PayByCard: "La persona elige tarjeta y confirma",
    PayInCash: "La persona elige efectivo y confirma",
    CountMoney: "Saca el dinero de las cajas, lo cuenta y escribe la suma",
}

_SEEN = {
    "well": "bien", "ready": "listo", "absent": "sin conexión", "unknown": "no se sabe",
    "attention": "pide atención", "fault": "con falla", "no_card": "vacío",
}  # fmt: skip
NODE_NAMES = {"sun": "power"}
"""A device of the bench to its name among the node's devices, where they differ."""


def describe(step: Step) -> str:
    match step.doing:
        case None:
            return step.say
        case DeviceDoes() as doing:
            return _device(doing)
        case NetworkDoes(verb):
            return _NETWORK[verb]
        case KioskDoes(verb):
            return _KIOSK[verb]
        case NodeDoes(verb):
            return _NODE[verb]
        case Expect() as expect:
            return f"Se comprueba: {'; '.join(_expected(expect))}"
        case Wait(seconds):
            return f"Pasan {seconds:g} s"
        case _:
            return _person(step.doing)


def _person(doing: ByPerson) -> str:
    match doing:
        case Tap(target):
            return f"La persona toca {target}"
        case TypeText(text):
            return f"La persona escribe «{text}»"
        case AskDebt(clave):
            return f"La persona consulta la clave {clave}"
        case PayByCard() | PayInCash() | CountMoney():
            return _PERSON[type(doing)]
        case PutMoney(but):
            return f"Mete lo que falta{f', menos $ {but:g}' if but else ''}"
        case Seek(words):
            return f"Con el teclado baja hasta oír «{words}»"
        case Visit(accepts=True):
            return "Un visitante acepta las condiciones del Wi-Fi"
        case Visit(reports=reports):
            return f"Desde su teléfono: {_count(reports, 'reporte')}"
        case _:
            assert_never(doing)


def _device(doing: DeviceDoes) -> str:
    device = DEVICES[doing.device]
    found = (b.label for b in device.buttons if (b.verb, b.args) == (doing.verb, doing.args))
    words = next(found, " ".join(map(str, (doing.verb, *doing.args))).replace("_", " "))
    return f"{device.label}: {words}"


def _expected(e: Expect) -> list[str]:
    place = "en la ciudad" if e.at_city else "en el registro"
    said = [
        (e.screen, f"pantalla {' o '.join(e.screen)}"),
        (e.text, f"dice {' o '.join(f'«{t}»' for t in e.text)}"),
        (e.no_text, f"no dice «{e.no_text}»"),
        (e.offered, f"se ofrece {e.offered}"),
        (e.refused, f"no se ofrece {e.refused}"),
        (e.fact, f"{'al menos 1' if e.times is None else e.times} {e.fact} {place}"),
        (e.papers is not None, f"{_count(e.papers or 0, 'papel', 'papeles')}"),
        (e.paper_says, f"el papel dice «{e.paper_says}»"),
        (e.approved is not None, f"{_count(e.approved or 0, 'cobro')} en el banco"),
        (e.waiting is not None, f"{_count(e.waiting or 0, 'hecho')} por entregar"),
        (e.heard, f"la voz dice {' o '.join(f'«{t}»' for t in e.heard)}"),
        (e.silent, "la voz calla"),
        (e.returned is not None, f"salen $ {e.returned or 0:g} a la mano"),
        (e.sees, ", ".join(f"{DEVICES[d].label}, {_seen(d, w)}" for d, w in e.sees)),
    ]
    return [words for asked, words in said if asked]


def _seen(device: str, word: str) -> str:
    return _SEEN.get(word) or technician_words(NODE_NAMES.get(device, device), word)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
