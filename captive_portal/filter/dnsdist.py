"""dnsdist's configuration, made from a checked plan. Nothing of a setting is ever Lua: only literals.

The fixed part (`dnsdist.lua.txt`) holds all the behaviour and reads one table of plain values, which is
written here. Texts pass `_text`, which knows no quote, backslash or line end.
"""

from __future__ import annotations

import re
from importlib import resources

from captive_portal.filter.plan import PROBE_NAMES, FilterPlan
from captive_portal.filter.policy import Category
from captive_portal.filter.safesearch import substitutes
from captive_portal.hours import OpenHours

_TEXT = re.compile(r"[A-Za-z0-9 ._:/@+-]{0,300}")
_DAY_MIN = 24 * 60


def render_dnsdist(plan: FilterPlan) -> str:
    """The whole file. Raises ValueError for a value that is no plain literal."""
    timed = plan.policy.hours
    values = {
        "listen": _texts(
            _socket(address, port)
            for port in (plan.accepted_port, plan.waiting_port)
            for address in plan.listen
        ),
        "waiting_port": str(plan.waiting_port),
        "cache": _text(f"127.0.0.1:{plan.cache_port}"),
        "clients": _texts(plan.clients),
        "trusted": _texts(plan.trusted),
        "lists": _texts(plan.lists),
        "node4": _texts(a for a in plan.listen if ":" not in a),
        "node6": _texts(a for a in plan.listen if ":" in a and not a.startswith("fe80")),
        "categories": _texts(sorted(Category)),
        "always": _texts(sorted(c for c in plan.policy.categories if c not in timed)),
        "timed": _list(
            f"{{name={_text(c)}, spans={_spans(hours)}}}"
            for c, hours in sorted(timed.items())
            if c in plan.policy.categories
        ),
        "allow": _texts(plan.policy.allow),
        "block": _texts(plan.policy.block),
        "garden": _texts(dict.fromkeys([*plan.garden, *plan.own])),
        "probes": _texts(PROBE_NAMES),
        "safe": _texts(sorted({n for names in substitutes(plan.policy).values() for n in names})),
    }
    table = "".join(f"  {key} = {value},\n" for key, value in values.items())
    fixed = resources.files("captive_portal.filter").joinpath("dnsdist.lua.txt").read_text("utf-8")
    return f"local site = {{\n{table}}}\n{fixed}"


def _socket(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _text(value: str) -> str:
    # Brackets appear only around IPv6 addresses that `ipaddress` has read.
    if not _TEXT.fullmatch(value.replace("[", "").replace("]", "")):
        raise ValueError(f"{value!r} cannot be written into a configuration")
    return f'"{value}"'


def _texts(values: object) -> str:
    assert not isinstance(values, str)
    return _list(_text(str(v)) for v in values)  # type: ignore[attr-defined]  # any iterable of texts


def _list(items: object) -> str:
    return "{" + ", ".join(items) + "}"  # type: ignore[arg-type]  # an iterable of literals


def _spans(hours: OpenHours) -> str:
    """Minutes of a week that begins on Monday; an end may lie beyond it."""
    return _list(
        f"{{{day * _DAY_MIN + r.since}, {day * _DAY_MIN + r.until}}}"
        for r in hours.ranges
        for day in sorted(r.days)
    )
