"""The technician's page: is this portal well? Totals to read; nothing to press and nobody to see."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, abort, current_app, request
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from captive_portal.gate.visits import GateTrouble
from captive_portal.ports import Translate
from captive_portal.status_key import Holders, is_pass
from captive_portal.tries import Tries
from captive_portal.truth import size_words
from captive_portal.views import LANG, address, language, page, ports, translator, truth
from captive_portal.vitals import ListState, Vitals, take_vitals
from municipio.clock import Clock, TimeQuality
from municipio.usecases.ports import LinkState

status = Blueprint("status", __name__)
OLD_LIST_DAYS = 30

Row = tuple[str, str, bool]
"""Name, value, and whether it asks for somebody's attention."""


class _Desk:
    def __init__(self, clock: Clock) -> None:
        self.holders = Holders()
        self.tries = Tries(lambda: clock.now().boot_ms, most_each=10, most_all=100, window_s=600)


@status.record
def _open_desk(setup: BlueprintSetupState) -> None:
    setup.app.extensions["plaza.status"] = _Desk(setup.app.extensions["plaza"].ports.clock)


@status.get(f"/{LANG}/tecnico")
def show(lang: str) -> ResponseReturnValue:
    """404 without the technician's key on this node, 403 without a good pass."""
    here = ports()
    key = here.status_key()
    if key is None:
        abort(404)
    given = request.args.get("clave", "")
    if not may_see(key, given):
        _ = translator()
        title = _("Solo para técnicos")
        text = _("Este enlace no vale o ya venció. Pida otro en el nodo.")
        return page("notice.html", 403, title=title, text=text)
    vitals = take_vitals(here)
    _ = translator()
    return page(
        "status.html",
        rows=(*_gate_rows(vitals, _), *_other_rows(vitals, _)),
        events=[(name.replace("_", " "), count) for name, count in vitals.events.items() if count],
        twin=_link("en" if language() == "es" else "es", given),
        again=_link(lang, given),
    )


def may_see(key: bytes, given: str) -> bool:
    """Is that a good pass, and this device's own? Tries that are none are counted."""
    desk = cast(_Desk, current_app.extensions["plaza.status"])
    here = ports()
    if not desk.tries.may(address()):
        return False
    good = is_pass(key, here.site.node_code, here.clock.now(), given)
    if good and desk.holders.is_mine(given, address()):
        return True
    desk.tries.count(address())
    return False


def _link(lang: str, given: str) -> str:
    return f"/{lang}/tecnico?clave={given}"


def _gate_rows(vitals: Vitals, _: Translate) -> tuple[Row, ...]:
    gate, quota = vitals.gate, vitals.quota
    if isinstance(gate, GateTrouble):
        return ((_("Puerta"), _("no responde: {cause}").format(cause=gate.cause.value), True),)
    most = _("{open} de {most}") if gate.max_open else "{open}"
    used = _("no hay cuota")
    if quota.visits:
        used = _("{percent} %: {used} de {whole}; visitas: {count}").format(
            percent=quota.percent,
            count=quota.visits,
            used=size_words(quota.used, _),
            whole=size_words(quota.whole, _),
        )
    whole = _("completa") if gate.whole else _("incompleta: se está reconstruyendo")
    hidden = gate.routers + gate.crowded
    nat = _("{count}: revise que sus puntos de acceso no hagan NAT").format(count=hidden)
    return (
        (_("Puerta"), whole, not gate.whole),
        (
            _("Aparatos en línea"),
            most.format(open=gate.open, most=gate.max_open),
            bool(gate.max_open) and gate.open >= gate.max_open,
        ),
        (_("Cuota usada ahora"), used, False),
        (_("Datos desde el arranque"), size_words(gate.bytes, _), False),
        (_("Visitas abiertas desde el arranque"), str(gate.granted), False),
        (_("Terminadas por tiempo"), str(gate.ended_by_time), False),
        (_("Terminadas por datos"), str(gate.ended_by_bytes), False),
        (_("Aparatos que esconden a otros"), nat if hidden else "0", bool(hidden)),
    )


def _other_rows(vitals: Vitals, _: Translate) -> tuple[Row, ...]:
    link = {
        LinkState.ONLINE: _("en línea"),
        LinkState.OFFLINE: _("sin internet"),
        LinkState.UNKNOWN: _("no se sabe"),
    }[vitals.link.state]
    now = ports().clock.now()
    clock = {
        TimeQuality.SYNCED: _("en hora, por la red"),
        TimeQuality.RTC: _("en hora, por su reloj con pila"),
        TimeQuality.FLOOR: _("no se sabe; puede ir atrasado"),
        TimeQuality.UNKNOWN: _("no se sabe"),
    }[now.quality]
    told = truth()
    since = f" ({told.since})" if told.since else ""
    return (
        (_("Enlace"), link + since, vitals.link.state is not LinkState.ONLINE),
        (_("Cola hacia la ciudad"), told.waiting, False),
        (_("Filtro"), _filter_words(vitals.filter, _), _is_list_poor(vitals.filter)),
        (_("Reloj"), clock, not now.is_trusted),
    )


def _is_list_poor(listed: ListState) -> bool:
    return listed.date is None or (listed.age_days is not None and listed.age_days > OLD_LIST_DAYS)


def _filter_words(listed: ListState, _: Translate) -> str:
    if listed.date is None:
        return _("sin lista que se pueda leer; solo abren los servicios del Ayuntamiento")
    day = listed.date.strftime("%d/%m/%Y")
    if listed.age_days is None or listed.age_days < 2:
        return _("{count} nombres, lista del {day}").format(count=f"{listed.names:,}", day=day)
    return _("{count} nombres, lista del {day}, hace {days} días").format(
        count=f"{listed.names:,}", day=day, days=listed.age_days
    )
