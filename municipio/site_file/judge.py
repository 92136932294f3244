"""One value against its key, and the values of a file against each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from municipio.site_file.fault import SiteFault
from municipio.site_file.keys import BY_NAME, KEYS
from municipio.site_file.shape import ANY, STORED, Key, Kind, Value, is_empty, shown

MAX_REPEATED = 40


def judge(key: Key, value: Any) -> Value | SiteFault:
    """The value as it is used, or what is wrong with it."""
    match key.kind:
        case Kind.NUMBER:
            return _number(key, value)
        case Kind.LIST:
            return _list(key, value)
        case Kind.FLAG:
            return (
                value if type(value) is bool else _wrong(key, value, "es sí o no", "true o false")
            )
        case Kind.CHOICE:
            return _choice(key, value)
        case Kind.TEXT | Kind.BLOCK:
            return _text(key, value)


def allowed_words(key: Key) -> str:
    """What may stand in a key, in Spanish: of its own words, or of its choices."""
    if key.allowed:
        return key.allowed
    usable = [v for v, _ in key.choices if not (key.is_needed and is_empty(v))]
    return ", ".join(f'"{value}"' for value in usable)


def typed_words(key: Key) -> str:
    """The same for a form, where nobody writes quotes."""
    return allowed_words(key).removesuffix(", entre comillas").removesuffix(", sin comillas")


def _wrong(key: Key, value: Any, what: str, allowed: str = "") -> SiteFault:
    """What is there is repeated where it helps to find it, and never of a secret."""
    says = ""
    if not key.is_secret and isinstance(value, str | int) and value != "":
        plain = "".join(c if c.isprintable() else "?" for c in str(value)[:MAX_REPEATED])
        says = f" (dice «{plain}»)"
    words = f"{shown(key.name)}{says} {what}"
    return SiteFault(words, key.name, allowed=allowed or allowed_words(key))


def _number(key: Key, value: Any) -> Value | SiteFault:
    if type(value) is not int:
        return _wrong(key, value, "debe ser un número entero, sin comillas")
    if not key.low <= value <= key.high:
        return _wrong(key, value, f"debe estar entre {key.low} y {key.high}")
    return value


def _choice(key: Key, value: Any) -> Value | SiteFault:
    if not isinstance(value, str) or value not in [v for v, _ in key.choices]:
        return _wrong(key, value, "no tiene un valor que se conozca")
    return value


def _list(key: Key, value: Any) -> Value | SiteFault:
    known = [v for v, _ in key.choices]
    if not isinstance(value, list) or not all(isinstance(v, str) and v in known for v in value):
        return _wrong(key, value, "no es una lista de valores que se conozcan")
    if len(set(value)) != len(value):
        return _wrong(key, value, "repite un valor")
    return tuple(value)


def _text(key: Key, value: Any) -> Value | SiteFault:
    if not isinstance(value, str):
        return _wrong(key, value, "debe ser un texto entre comillas")
    if key.is_secret and value == STORED:
        return value
    if key.kind is Kind.TEXT and (not value.isprintable() or value != value.strip()):
        return _wrong(key, value, "tiene espacios en los extremos o un signo que no se ve")
    if len(value) > key.max_length or (key.max_bytes and _bytes(value) > key.max_bytes):
        return _wrong(key, value, "es demasiado largo")
    if value and key.pattern and not re.fullmatch(key.pattern, value):
        return _wrong(key, value, "no tiene la forma esperada")
    return value


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))


def judge_together(values: Mapping[str, Value], bad: frozenset[str]) -> Iterator[SiteFault]:
    """What is missing and what does not go together; `bad` keys were told about already."""
    for key in KEYS:
        if not bad.intersection(_looked_at(key)):
            yield from judge_beside(key, values)


def _looked_at(key: Key) -> tuple[str, ...]:
    """The keys whose values decide about this one."""
    return (
        key.name,
        *([key.when.key] if key.when else []),
        *([key.choices_by[0]] if key.choices_by else []),
        *([key.differs_from] if key.differs_from and not key.is_needed else []),
    )


def judge_beside(key: Key, values: Mapping[str, Value]) -> Iterator[SiteFault]:
    """One key beside the others of its file."""
    if not key.applies(values):
        return
    if key.is_needed and is_empty(values[key.name]):
        yield SiteFault(_missing(key), key.name, allowed=allowed_words(key))
    elif key.differs_from and not is_empty(values[key.name]):
        yield from _same(key, values)
    elif key.choices_by:
        yield from _by_other(key, values)


def _missing(key: Key) -> str:
    words = f"falta {shown(key.name)} ({key.label})"
    if key.when is None:
        return words
    other = BY_NAME[key.when.key]
    if key.when.values == (ANY,):
        return f"{words}, porque se indicó {shown(other.name)}"
    return f'{words}, porque {shown(other.name)} es "{_either(key.when.values)}"'


def _either(values: tuple[str, ...]) -> str:
    return '" o "'.join(values)


def _same(key: Key, values: Mapping[str, Value]) -> Iterator[SiteFault]:
    other = BY_NAME[key.differs_from]
    if other.applies(values) and values[key.name] == values[other.name]:
        yield SiteFault(f"{shown(key.name)} debe ser distinto de {shown(other.name)}", key.name)


def _by_other(key: Key, values: Mapping[str, Value]) -> Iterator[SiteFault]:
    assert key.choices_by is not None, "asked only of keys that another decides"
    name, table = key.choices_by
    usable = dict(table).get(str(values[name]), ())
    if values[key.name] not in usable:
        words = f'{shown(key.name)} no se puede usar con {shown(name)} = "{values[name]}"'
        yield SiteFault(words, key.name, allowed=", ".join(map(str, usable)))
