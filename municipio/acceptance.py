"""Is this node ready to be left alone? Seven things that a technician sees happen, each known by the node.

Pure: from a snapshot to steps with what to do. A thing that was seen once stays seen; unknown is never done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

Gettext = Callable[[str], str]


class Sight(StrEnum):
    """What a node notes for good the first time that it happens."""

    JOINED = "joined"
    """A device of the visitors' network asked this node for anything at all."""
    PAGE = "page"
    """And was given the page with the terms."""
    RECEIPT = "receipt"
    """The printer said that a paper came out."""
    CITY = "city"
    """The city proved that it knows this node: by its answer to a code, or to a signed greeting."""
    QUEUE = "queue"
    """The city had answered and nothing waited."""
    ACCEPTED = "accepted"
    """All of it was done, and the technician printed the sheet or let the citizens in."""


class Mark(StrEnum):
    DONE = "done"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the node knows. `standing` is empty on a node without a site file."""

    standing: str = ""
    code_waits: bool = False
    sights: frozenset[Sight] = frozenset()
    has_printer: bool = True
    waiting: int = 0
    power_cuts: int = 0


@dataclass(frozen=True, slots=True)
class AcceptanceStep:
    """`text` says how it is; `to_do` is empty for what is done."""

    id: str
    label: str
    mark: Mark
    text: str
    to_do: str = ""

    @property
    def is_done(self) -> bool:
        return self.mark is Mark.DONE


def acceptance_steps(seen: Snapshot, _: Gettext) -> tuple[AcceptanceStep, ...]:
    """In the order in which a technician does them."""
    steps = [
        _file(seen, _),
        _city(seen, _),
        _sight(
            seen, Sight.JOINED, _("Wi-Fi"), _("un teléfono se unió a la red"),
            _("Una su teléfono a la red de los visitantes."), _,
        ),
        _sight(
            seen, Sight.PAGE, _("Página de bienvenida"), _("un teléfono la vio"),
            _("Abra la página en su teléfono: se abre sola al unirse."), _,
        ),
        _queue(seen, _),
        _cut(seen, _),
    ]  # fmt: skip
    if seen.has_printer:
        receipt = _sight(
            seen, Sight.RECEIPT, _("Impresora"), _("salió un papel"),
            _("Imprima la prueba o esta hoja desde la pantalla."), _,
        )  # fmt: skip
        steps.insert(4, receipt)
    return tuple(steps)


def is_accepted(steps: tuple[AcceptanceStep, ...]) -> bool:
    return all(step.is_done for step in steps)


def _file(seen: Snapshot, _: Gettext) -> AcceptanceStep:
    label = _("Archivo del sitio")
    if seen.standing in ("", "good"):
        return AcceptanceStep("file", label, Mark.DONE, _("correcto"))
    text = _("no se puede usar; sigue el anterior")
    if seen.standing == "waiting":
        text = _("no se puede usar")
    to_do = _("Lea plaza-error.txt en la tarjeta y corrija plaza.toml.")
    return AcceptanceStep("file", label, Mark.MISSING, text, to_do)


def _city(seen: Snapshot, _: Gettext) -> AcceptanceStep:
    label = _("Alta en la ciudad")
    if Sight.CITY in seen.sights:
        return AcceptanceStep("city", label, Mark.DONE, _("la ciudad conoce este nodo"))
    if seen.code_waits:
        text = _("espera señal; el nodo atiende mientras tanto")
        to_do = _("Revise la salida a Internet. Se da de alta solo cuando haya señal.")
        return AcceptanceStep("city", label, Mark.MISSING, text, to_do)
    to_do = _("Pida a la ciudad el código de alta y póngalo en plaza.toml.")
    return AcceptanceStep("city", label, Mark.MISSING, _("sin código de alta"), to_do)


def _sight(
    seen: Snapshot, sight: Sight, label: str, done: str, to_do: str, _: Gettext
) -> AcceptanceStep:
    if sight in seen.sights:
        return AcceptanceStep(sight.value, label, Mark.DONE, done)
    return AcceptanceStep(sight.value, label, Mark.MISSING, _("todavía no"), to_do)


def _queue(seen: Snapshot, _: Gettext) -> AcceptanceStep:
    label = _("Cola hacia la ciudad")
    if Sight.QUEUE in seen.sights:
        return AcceptanceStep("queue", label, Mark.DONE, _("se vació y la ciudad acusó recibo"))
    text = _("esperan {n}").format(n=seen.waiting) if seen.waiting else _("todavía no")
    to_do = _("Con señal, espere unos minutos: se vacía sola.")
    return AcceptanceStep("queue", label, Mark.MISSING, text, to_do)


def _cut(seen: Snapshot, _: Gettext) -> AcceptanceStep:
    label = _("Corte de luz")
    if seen.power_cuts:
        text = _("volvió solo después de {n}").format(n=seen.power_cuts)
        return AcceptanceStep("power", label, Mark.DONE, text)
    to_do = _("Desconecte la corriente sin avisar, espere diez segundos y conéctela.")
    return AcceptanceStep("power", label, Mark.MISSING, _("todavía no"), to_do)
