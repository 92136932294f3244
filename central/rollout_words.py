"""Why a roll-out was stopped, as it is stored and as people read it."""

from __future__ import annotations

import re

from central.rollout import Stop

_BOUND = re.compile(r"bound (\d+) (\d+) (\d+) (\d+) (\d+)")
_STAFF = re.compile(r"staff (.*)")


def stored_reason(stop: Stop) -> str:
    count = stop.count
    return f"bound {stop.ring} {count.returned} {count.silent} {count.ended} {stop.bound_percent}"


def staff_reason(name: str) -> str:
    return f"staff {name}"


def in_english(reason: str) -> str:
    bound, staff = _BOUND.fullmatch(reason), _STAFF.fullmatch(reason)
    if bound:
        ring, returned, silent, ended, most = bound.groups()
        return (
            f"ring {ring}: {returned} returned and {silent} silent of {ended}, more than {most} %"
        )
    return f"by {staff[1]}" if staff else reason


def in_spanish(reason: str) -> str:
    bound, staff = _BOUND.fullmatch(reason), _STAFF.fullmatch(reason)
    if bound:
        ring, returned, silent, ended, most = bound.groups()
        came = f"{returned} volvió" if returned == "1" else f"{returned} volvieron"
        return (
            f"en el anillo {ring}, de {ended} nodos que terminaron, {came} a la versión anterior y "
            f"{silent} quedaron en silencio: más del {most} %"
        )
    if reason == "by hand":
        return "se detuvo a mano"
    return f"la detuvo {staff[1]}" if staff else reason
