"""Settings that a city may send to its nodes, and which values each may have.

Everything else belongs to the place: the way to the city, who the node is, cables and ports, the screen,
the technician's reader, the radio's interfaces. A city that got one of those wrong would have a node that
nobody can reach or open, so a document that names one is refused whole, and so is a value with which a
program would not start.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from municipio.settings import Settings, SettingsError, SettingValue, parse_settings

ROLE = "settings"
MAX_BYTES = 64 * 1024
PROFILES = ("kiosk", "portal", "screen")
_NODE = re.compile(r"[A-Z]{3}[0-9]{3}")

Check = Callable[[Any], str]
"""Why a value is refused, empty when it is good."""


def for_city() -> str:
    return f"{ROLE}/city.toml"


def for_profile(profile: str) -> str:
    """ValueError for a profile that no node has."""
    if profile not in PROFILES:
        raise ValueError(f"«{profile}» is none of {', '.join(PROFILES)}")
    return f"{ROLE}/profile/{profile}.toml"


def for_node(code: str) -> str:
    """ValueError for what is not a node's code such as COA007."""
    if not _NODE.fullmatch(code):
        raise ValueError(f"«{code}» is not a node such as COA007")
    return f"{ROLE}/node/{code}.toml"


def targets_for(profile: str, code: str) -> tuple[str, ...]:
    """What a node reads, in order; what comes later counts more."""
    return (for_city(), for_profile(profile), for_node(code))


@dataclass(frozen=True, slots=True)
class CitySettingsProblem:
    """Why a document is refused; `key` is empty when it is none of settings at all."""

    key: str
    detail: str

    def __str__(self) -> str:
        return f"{self.key}: {self.detail}" if self.key else self.detail


def read_layer(raw: bytes) -> Mapping[str, SettingValue] | CitySettingsProblem:
    """Settings by name of one TOML document, each one that a city may send and with a good value."""
    if len(raw) > MAX_BYTES:
        return CitySettingsProblem("", f"longer than {MAX_BYTES} bytes")
    try:
        document = tomllib.loads(raw.decode("utf-8-sig"))
        checked = parse_settings(document)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as e:
        return CitySettingsProblem("", f"not TOML: {e}")
    except SettingsError as e:
        return CitySettingsProblem("", str(e))
    named = [f"{section}.{key}" for section, table in document.items() for key in table]
    values = {name: checked.values[name] for name in named}
    return check_values(values) or values


def check_values(values: Mapping[str, object]) -> CitySettingsProblem | None:
    """The first value that a city may not send, or None."""
    for name, value in values.items():
        check = FROM_CITY.get(name)
        if check is None:
            return CitySettingsProblem(name, "belongs to the place; a city cannot send it")
        trouble = check(value)
        if trouble:
            return CitySettingsProblem(name, trouble)
    return None


def merge(layers: Sequence[Mapping[str, SettingValue]]) -> dict[str, SettingValue]:
    """One set of values; later layers win."""
    return {name: value for layer in layers for name, value in layer.items()}


def lay_over(own: Settings, values: Mapping[str, SettingValue]) -> Settings:
    """A node's own settings with the city's over them. The values were checked."""
    return Settings({**own.values, **values})


def _text(most: int, least: int = 0) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not value.isprintable():
            return "is not plain text"
        return "" if least <= len(value) <= most else f"has {least} to {most} characters"

    return check


def _like(pattern: str, example: str) -> Check:
    shape = re.compile(pattern, re.ASCII)

    def check(value: Any) -> str:
        return "" if isinstance(value, str) and shape.fullmatch(value) else f"is not like {example}"

    return check


def _number(least: int, most: int) -> Check:
    def check(value: Any) -> str:
        return "" if type(value) is int and least <= value <= most else f"is {least} to {most}"

    return check


def _flag(value: Any) -> str:
    return "" if type(value) is bool else "is true or false"


def _listed(value: Any) -> str:
    """The choices of the table were checked when the document was read."""
    return "" if isinstance(value, str) else "is text"


def _zone(value: Any) -> str:
    try:
        ZoneInfo(value)
    except (LookupError, ValueError, OSError, TypeError):
        return "is no time zone of the IANA database"
    return ""


def _ssid(value: Any) -> str:
    """IEEE 802.11: at most 32 bytes."""
    return _text(32, 1)(value) or ("" if len(value.encode()) <= 32 else "is longer than 32 bytes")


def _mask(value: Any) -> str:
    """Groups of digits of a clave, 22 in all."""
    parts = value.split("-") if isinstance(value, str) else []
    whole = all(part.isascii() and part.isdigit() for part in parts)
    return "" if whole and sum(map(int, parts)) == 22 else "is no way to group 22 digits"


_PESOS = _like(r"\d{1,4}(\.\d{2})?(,\d{1,4}(\.\d{2})?){0,15}", "0.50,1,2,5,10")

FROM_CITY: Mapping[str, Check] = {
    "city.name": _text(80, 1),
    "city.legal_name": _text(120, 1),
    "city.rfc": _like(r"[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3}", "XAXX010101000"),
    "city.treasury": _text(80, 1),
    "city.help_phone": _text(40),
    "city.timezone": _zone,
    "city.primary_color": _like(r"#[0-9A-Fa-f]{6}", "#0B4F8A"),
    "city.clave_mask": _mask,
    "city.receipt_kind": _listed,
    "city.discount_law": _text(200),
    "city.registered_benefits_note": _text(400),
    "node.site": _text(80, 1),
    "node.address": _text(120),
    "central.verify_url": _like(r"(https?://[!-~]{1,200})?", "https://ciudad.example"),
    "bank.bbva_enabled": _flag,
    "bank.bbva_name": _text(40, 1),
    "bank.bbva_agreement": _text(40),
    "bank.bbva_base_year": _number(1988, 2100),
    "bank.bbva_constant": _number(0, 9),
    "bank.oxxo_enabled": _flag,
    "bank.oxxo_prefix": _like(r"\d{2}", "09"),
    "bank.clabe": _like(r"(\d{18})?", "eighteen digits"),
    "bank.reference_prefix": _like(r"\d{3}", "039"),
    "kiosk.idle_warning_s": _number(20, 300),
    "kiosk.idle_wipe_s": _number(10, 120),
    "kiosk.lookups_per_session": _number(1, 100),
    "kiosk.lookups_per_day": _number(1, 10_000),
    "printer.enabled": _flag,
    "terminal.enabled": _flag,
    "terminal.expires_s": _number(30, 10_800),
    "terminal.wait_s": _number(30, 600),
    "cash.enabled": _flag,
    "cash.coins": _PESOS,
    "cash.notes": _PESOS,
    "cash.change_limit_centavos": _number(0, 1_000_000),
    "cash.exact_only": _flag,
    "cash.max_payment_centavos": _number(0, 100_000_000),
    "cash.rounding": _listed,
    "cash.offline_max_days": _number(0, 31),
    "cash.wait_s": _number(30, 600),
    "cash.stacker_capacity": _number(1, 5_000),
    "cash.box_capacity": _number(1, 20_000),
    "cash.two_person": _flag,
    "audio.words_per_minute": _number(80, 300),
    "portal.ssid": _ssid,
    "portal.session_min": _number(5, 1_440),
    "update.ring": _number(1, 9),
    "update.from_hour": _number(0, 23),
    "update.to_hour": _number(0, 23),
    "update.automatic": _flag,
}
"""Every setting that may come from the city. A new setting is the place's until it is listed here."""
