"""What a simulated month must show, each as a sentence that held or did not. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from plaza.energy import DWELL_S
from plaza.energy_month import Month

DARK_H = 4.0
"""From 12 % a battery needs two to three hours of sun to be worth waking for."""
HALTED_H = 26.0
"""No path that a node may halt by leaves it down for longer: alarms wake in 4 h, timers once a day."""


@dataclass(frozen=True, slots=True)
class Promise:
    said: str
    held: bool
    figures: str


def promises_of(month: Month, kept: int, trouble: str) -> tuple[Promise, ...]:
    """`kept`: facts found in the memory at the end; `trouble`: what its own check complains of."""
    shortest = min(month.rises, default=float("inf"))
    found = "" if shortest == float("inf") else f"lo más pronto a los {shortest:.0f} min"
    return (
        Promise(
            "Ningún hecho se perdió ni se duplicó",
            kept == month.facts and not trouble,
            trouble or f"{month.facts} dichos, {kept} guardados, {month.cuts} cortes",
        ),
        Promise(
            "Con el sol de vuelta antes del corte, atendió otra vez sin visita",
            month.returns_before_cut > 0 or month.halts > 0,
            f"{month.returns_before_cut} veces antes del corte",
        ),
        Promise(
            "Nunca quedó apagado a pleno sol",
            month.dark_h <= DARK_H,
            f"lo más largo {month.dark_h:.1f} h",
        ),
        Promise(
            "Nunca se apagó sin algo que lo encendiera",
            month.halted_h <= HALTED_H,
            f"{month.halts} veces, lo más largo {month.halted_h:.1f} h",
        ),
        Promise(
            "No subió y bajó de banda una y otra vez",
            shortest * 60 >= DWELL_S,
            f"{len(month.rises)} subidas en {month.days} días {found}".strip(),
        ),
    )
