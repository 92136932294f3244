"""The words of a step: which keys there are, and what each means as a `Doing`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec

from hardware.bench.complaints import Wrong, nearest, say_wrong
from hardware.bench.scenario import (
    NETWORK,
    NODE,
    PROGRAM,
    AskDebt,
    CountMoney,
    DeviceDoes,
    Doing,
    Expect,
    KioskDoes,
    NetworkDoes,
    NodeDoes,
    PayByCard,
    PayInCash,
    PutMoney,
    Scalar,
    Seek,
    Tap,
    TypeText,
    Visit,
    Vocabulary,
    Wait,
)

STEP_KEYS = (
    "at", "say", "turn", "within", "tap", "type", "expect", "network", "kiosk", "node",
    "visitor", "wait", "debt", "pay", "money", "count", "seek",
)  # fmt: skip

MAX_REPORTS = 500
MAX_PESOS = 100_000.0


class _Expect(msgspec.Struct, forbid_unknown_fields=True):
    screen: str | list[str] = ""
    text: str | list[str] = ""
    no_text: str = ""
    offered: str = ""
    refused: str = ""
    fact: str = ""
    times: int | None = None
    at_city: bool = False
    papers: int | None = None
    paper_says: str = ""
    approved: int | None = None
    waiting: int | None = None
    heard: str | list[str] = ""
    silent: bool = False
    returned: float | None = None
    sees: dict[str, str] = {}
    holds: float = 0.0


class _Tap(msgspec.Struct, forbid_unknown_fields=True):
    target: str
    until: str | list[str]


class _Money(msgspec.Struct, forbid_unknown_fields=True):
    all_but: float


class _Visit(msgspec.Struct, forbid_unknown_fields=True):
    reports: int


EXPECT_KEYS = tuple(f.name for f in msgspec.structs.fields(_Expect))


def doing_of(key: str, value: Any, vocabulary: Vocabulary) -> Doing:
    """What `key: value` asks for; `wait` comes in seconds. Raises Wrong or msgspec.ValidationError."""
    if key == "expect":
        return _expect(value, vocabulary)
    if key in vocabulary.verbs:
        return _device(key, value, vocabulary)
    return _READERS[key](value)


def needs(doing: Doing) -> tuple[str, ...]:
    """The devices without which it cannot be done or seen."""
    match doing:
        case DeviceDoes(device):
            return (device,)
        case PayByCard():
            return ("terminal",)
        case PayInCash() | PutMoney() | CountMoney():
            return ("cash",)
        case Seek():
            return ("keypad", "audio")
        case Expect():
            money = () if doing.returned is None else ("cash",)
            voice = ("audio",) if doing.heard or doing.silent else ()
            return (*(device for device, _ in doing.sees), *money, *voice)
    return ()


def _clave(value: Any) -> str:
    text: str = _convert("debt", value, str)
    digits = "".join(c for c in text if c not in "- ")
    if not digits.isdigit():
        raise Wrong("debt", f"«{text}» no es una clave catastral")
    return digits


def _tap(value: Any) -> Tap:
    if isinstance(value, str):
        return Tap(value)
    tap = _convert("tap", value, _Tap)
    return Tap(tap.target, _many(tap.until))


def _visit(value: Any) -> Visit:
    if value == "accept":
        return Visit(accepts=True)
    if value == "report":
        return Visit(reports=1)
    reports = _convert("visitor", value, _Visit).reports
    if not 1 <= reports <= MAX_REPORTS:
        raise Wrong("visitor", f"los reportes son de 1 a {MAX_REPORTS}")
    return Visit(reports=reports)


def _expect(value: Any, vocabulary: Vocabulary) -> Expect:
    raw = _convert("expect", value, _Expect)
    if raw == _Expect() or raw == _Expect(holds=raw.holds):
        raise Wrong("expect", "«expect» no pide nada")
    if (raw.times is not None or raw.at_city) and not raw.fact:
        raise Wrong("expect", "«times» y «at_city» van con «fact»")
    for device in raw.sees:
        if device not in vocabulary.verbs:
            raise Wrong("expect", nearest(device, vocabulary.verbs, "dispositivo"))
    fields = msgspec.structs.asdict(raw)
    fields["holds_s"] = fields.pop("holds")
    for name in ("screen", "text", "heard"):
        fields[name] = _many(fields[name])
    fields["sees"] = tuple(raw.sees.items())
    return Expect(**fields)


def _device(device: str, value: Any, vocabulary: Vocabulary) -> DeviceDoes:
    verbs = vocabulary.verbs[device]
    verb: Any = value
    given: list[Any] = []
    if isinstance(value, dict) and len(value) == 1:
        ((verb, one),) = value.items()
        given = one if isinstance(one, list) else [one]
    if not isinstance(verb, str) or verb not in verbs:
        raise Wrong(device, nearest(str(verb), verbs, "acción"))
    kinds = verbs[verb]
    if len(given) != len(kinds):
        raise Wrong(device, f"«{device}: {verb}» lleva {len(kinds)} valores, no {len(given)}")
    args = tuple(_argument(device, got, kind) for got, kind in zip(given, kinds, strict=True))
    return DeviceDoes(device, verb, args)


def _argument(device: str, value: Any, kind: type | tuple[str, ...]) -> Scalar:
    if isinstance(kind, tuple):
        return _one_of(device, value, kind)
    found: Scalar = _convert(device, value, kind)
    return found


def _one_of(key: str, value: Any, words: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in words:
        return value
    raise Wrong(key, f"«{key}» puede ser {', '.join(words)}; no «{value}»")


def _convert(key: str, value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as wrong:
        raise Wrong(key, f"{key}: {say_wrong(str(wrong))}") from None


def _many(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) and value else tuple(value)


def _pay(value: Any) -> PayByCard | PayInCash:
    return PayByCard() if _one_of("pay", value, ("card", "cash")) == "card" else PayInCash()


def _money(value: Any) -> PutMoney:
    if isinstance(value, str):
        _one_of("money", value, ("rest",))
        return PutMoney()
    but = _convert("money", value, _Money).all_but
    if not 0 < but <= MAX_PESOS:
        raise Wrong("money", "«all_but» son pesos, más de cero")
    return PutMoney(but)


def _count(value: Any) -> CountMoney:
    _one_of("count", value, ("cash",))
    return CountMoney()


_READERS: dict[str, Callable[[Any], Doing]] = {
    "tap": _tap,
    "type": lambda v: TypeText(_said("type", v)),
    "wait": Wait,
    "debt": lambda v: AskDebt(_clave(v)),
    "pay": _pay,
    "money": _money,
    "count": _count,
    "seek": lambda v: Seek(_said("seek", v)),
    "visitor": _visit,
    "network": lambda v: NetworkDoes(cast(Any, _one_of("network", v, NETWORK))),
    "kiosk": lambda v: KioskDoes(cast(Any, _one_of("kiosk", v, PROGRAM))),
    "node": lambda v: NodeDoes(cast(Any, _one_of("node", v, NODE))),
}


def _said(key: str, value: Any) -> str:
    text: str = _convert(key, value, str)
    if not text:
        raise Wrong(key, f"«{key}» está vacío")
    return text
