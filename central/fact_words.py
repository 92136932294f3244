"""One Spanish sentence for each fact that a node tells about itself, for its history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from central.dashboard_words import (
    DEVICES,
    SETTINGS,
    energy_in_words,
    part_in_words,
    short_day,
)
from central.fleet import Part
from municipio.fact_names import FACT_NAMES
from municipio.facts import FactType

Data = dict[str, Any]

_STARTS = {
    "first": "por primera vez",
    "heads_lost": "con una memoria anterior",
    "facts_damaged": "con hechos dañados",
    "other_future": "con otra historia de su cadena",
    "key_lost": "sin su llave de sellos",
    "salvaged": "con una memoria rescatada",
    "no_ledger": "sin memoria anterior",
}


def fact_in_words(raw: bytes) -> str:
    """The sentence of a fact that a node told about itself; the words of its type where there is none."""
    fact: dict[str, Any] = msgspec.json.decode(raw)
    type, data = str(fact.get("type")), fact.get("data")
    said = _SENTENCES.get(type)
    return (
        FACT_NAMES.get(type, type) if said is None else said(data if isinstance(data, dict) else {})
    )


def _word(data: Data, name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _device(data: Data) -> str:
    device = _word(data, "device")
    part = Part("device:" + device, _word(data, "state"), _word(data, "cause"), "", "", "")
    name = DEVICES.get(device, device)
    if part.cause == "stray_money":
        return f"{name}: entró dinero que nadie pagaba"
    return f"{name}: {part_in_words(part)}"


def _energy(data: Data) -> str:
    soc = data.get("soc_percent")
    percent = str(soc) if type(soc) is int else ""
    return f"energía {energy_in_words(Part('energy', _word(data, 'level'), '', percent, '', ''))}"


def _started(data: Data) -> str:
    why = _STARTS.get(_word(data, "reason"), _word(data, "reason"))
    return f"arrancó con la versión {_word(data, 'version') or '(sin dato)'} {why}".strip()


def _technician(data: Data) -> str:
    who = _word(data, "technician")
    return f"técnico {who}: {_word(data, 'action')}" if who else f"técnico: {_word(data, 'action')}"


def _content(data: Data) -> str:
    content, listed = _word(data, "content"), _word(data, "filter_list")
    days = (short_day(content) if content else "…", short_day(listed) if listed else "…")
    return f"sirve el contenido del {days[0]} y la lista del filtro del {days[1]}"


def _configured(data: Data) -> str:
    state = _word(data, "state")
    return f"ajustes de la ciudad: {SETTINGS.get(state, state)}"


def _returned(data: Data) -> str:
    return f"la versión {_word(data, 'version')} no sirvió; volvió a {_word(data, 'back_to')}"


_SENTENCES: dict[str, Callable[[Data], str]] = {
    FactType.DEVICE_CHANGED: _device,
    FactType.ENERGY_CHANGED: _energy,
    FactType.NODE_STARTED: _started,
    FactType.TECHNICIAN_ACTED: _technician,
    FactType.NODE_CONTENT_CHANGED: _content,
    FactType.NODE_CONFIGURED: _configured,
    FactType.NODE_UPDATED: lambda data: f"se actualizó a la versión {_word(data, 'version')}",
    FactType.NODE_UPDATE_RETURNED: _returned,
    FactType.TRAMITE_CONSULTED: lambda _: "dijo qué trámites se consultaron",
}
