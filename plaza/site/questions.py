"""Asking a person for a site, key by key, as `plaza site new` does. The asking itself is the caller's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from municipio.site_file.fault import SiteFault
from municipio.site_file.form import typed_value
from municipio.site_file.judge import judge, judge_beside
from municipio.site_file.keys import KEYS
from municipio.site_file.shape import Key, Value, is_empty

Ask = Callable[[Key, str], str]
"""A question with its default as text; returns what the person typed, or the default."""


def ask_site(ask: Ask, told: Callable[[str], None], known: Mapping[str, Value]) -> dict[str, Value]:
    """Values of every key that applies; each answer is judged and asked again while it is wrong."""
    values: dict[str, Value] = {key.name: key.default for key in KEYS} | dict(known)
    for key in KEYS:
        if key.name in known or key.is_rare or not key.applies(values):
            continue
        values[key.name] = _answer(key, ask, told, values)
    return values


def _answer(key: Key, ask: Ask, told: Callable[[str], None], values: Mapping[str, Value]) -> Value:
    while True:
        typed = ask(key, as_text(key.default) if not is_empty(key.default) else "")
        value = judge(key, typed_value(key, typed.strip()))
        if not isinstance(value, SiteFault):
            wrong = next(judge_beside(key, {**values, key.name: value}), None)
            if wrong is None:
                return value
            value = wrong
        told(str(value))


def as_text(value: Value) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
