"""One site's rules as a TOML file: how long a visit lasts, who may come in, what stays open to all.

Rule of this boundary: nothing of the file is used before all of it was checked. A mistake comes back
as a `SiteProblem` that names the key, its line, and the nearest key that exists. 0 means "no limit".
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from captive_portal.filter.policy import FilterPolicy, parse_policy
from captive_portal.hours import OpenHours, parse_hours
from captive_portal.sections import SectionProblem, Wrong, judged, pick
from captive_portal.wifi.profile import WifiProfile, parse_wifi
from municipio.settings import Settings, SettingsError

MAX_SITE_BYTES = 64 * 1024
MAX_GARDEN = 64
_DAY_S = 24 * 60 * 60
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_TARGET = re.compile(r"[A-Za-z0-9.-]{1,253}:[0-9]{1,5}|\[[0-9a-fA-F:]{2,39}\]:[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Network:
    """The guest side and the way out. Prefixes such as `10.66.0.0/22`; IPv6 may be empty.

    `checks` are `host:port` that answer TCP while the uplink works; none: the city's answer decides.
    """

    guest: str = "br-guest"
    uplink: str = "eth0"
    ipv4: str = "10.66.0.0/22"
    ipv6: str = ""
    checks: tuple[str, ...] = ()

    @property
    def gateway4(self) -> ipaddress.IPv4Interface:
        """The node's own address: the first one of the guests' prefix."""
        net = ipaddress.IPv4Network(self.ipv4)
        return ipaddress.IPv4Interface((net.network_address + 1, net.prefixlen))

    @property
    def gateway6(self) -> ipaddress.IPv6Interface | None:
        if not self.ipv6:
            return None
        net = ipaddress.IPv6Network(self.ipv6)
        return ipaddress.IPv6Interface((net.network_address + 1, net.prefixlen))


@dataclass(frozen=True, slots=True)
class SiteProfile:
    """Checked rules of one site. Seconds, bytes of both directions, KiB/s; 0 is no limit."""

    name: str = "Plaza (demostración)"
    url: str = "http://127.0.0.1:8380"
    """The address that visitors see, without a path."""
    languages: tuple[str, ...] = ("es", "en")
    """The first one is spoken to who asks for none of them."""
    session_s: int = 2 * 60 * 60
    session_bytes: int = 0
    daily_s: int = 0
    daily_bytes: int = 0
    cool_down_s: int = 0
    """How long a device waits after its visit ended by time or bytes."""
    rate_down_kib_s: int = 0
    rate_up_kib_s: int = 0
    max_devices: int = 0
    open_hours: OpenHours = field(default_factory=OpenHours)
    walled_garden: tuple[str, ...] = ()
    """Names whose addresses anybody reaches, accepted or not."""
    network: Network = Network()
    capport_url: str = ""
    """https address of the Captive Portal API (RFC 8908); empty: nothing is announced."""
    capport_listen: str = ""
    """ADDR:PORT where this node itself serves TLS; empty: something else does."""
    capport_cert: Path | None = None
    capport_key: Path | None = None
    filter: FilterPolicy = field(default_factory=lambda: _made(parse_policy({})))
    wifi: WifiProfile = field(default_factory=lambda: _made(parse_wifi({})))


@dataclass(frozen=True, slots=True)
class SiteProblem:
    """Why a site file cannot be used. `line` is 0 when unknown, `nearest` empty when nothing is near."""

    key: str
    message: str
    line: int = 0
    nearest: str = ""

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        near = f"; the nearest known key is «{self.nearest}»" if self.nearest else ""
        return f"{where}«{self.key}»: {self.message}{near}" if self.key else where + self.message


def _made(result: Any) -> Any:
    assert not isinstance(result, SectionProblem), f"defaults are refused: {result}"
    return result


def site_of_settings(settings: Settings) -> SiteProfile:
    """The profile of a node without a site file: today's `portal.*` settings. Raises SettingsError."""
    wifi = parse_wifi({"ssid": settings.text("portal.ssid")})
    if isinstance(wifi, SectionProblem):
        raise SettingsError(f"«portal.ssid» {wifi.message}")
    return SiteProfile(
        name=settings.text("node.site"),
        url=settings.text("portal.public_url").rstrip("/"),
        session_s=settings.number("portal.session_min") * 60,
        capport_url=settings.text("portal.api_url"),
        network=Network(settings.text("portal.interface"), settings.text("portal.uplink")),
        wifi=wifi,
    )


def site_file(told: Path | None, data: Path) -> Path | None:
    """The file told, else `site.toml` of the data folder when there is one."""
    file = data / "site.toml"
    return told or (file if file.exists() else None)


def parse_site(text: str, base: SiteProfile | None = None) -> SiteProfile | SiteProblem:
    """Check a whole site file. What it does not say is as in `base`, else a valid small site's."""
    base = base or SiteProfile()
    if len(text.encode(errors="replace")) > MAX_SITE_BYTES:
        return SiteProblem("", f"a site file is at most {MAX_SITE_BYTES} bytes")
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as e:
        found = re.search(r"line (\d+)", str(e))
        return SiteProblem("", f"not TOML: {e}", int(found[1]) if found else text.count("\n") + 1)
    try:
        return _profile(document, base)
    except Wrong as e:
        wrong = e.problem
        return SiteProblem(wrong.key, wrong.message, _line_of(text, wrong.key), wrong.nearest)


def _profile(document: Mapping[str, Any], base: SiteProfile) -> SiteProfile:
    values: dict[str, Any] = {}
    tables: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
        "visit": lambda table: _fields("visit", _VISIT, table),
        "network": lambda table: {
            "network": replace(base.network, **_fields("network", _NETWORK, table))
        },
        "capport": lambda table: _fields("capport", _CAPPORT, table),
        "filter": lambda table: {"filter": _part("filter", parse_policy(table))},
        "wifi": lambda table: {"wifi": _part("wifi", parse_wifi(table))},
    }
    for key, value in document.items():
        if key in tables:
            if not isinstance(value, Mapping):
                raise Wrong(key, f"must be a section [{key}]")
            values |= tables[key](value)
        else:
            values |= _field("", _TOP, key, value, tuple(tables))
    profile = replace(base, **values)
    if (profile.capport_cert is None) != (profile.capport_key is None):
        raise Wrong("capport.cert", "a certificate needs its key, and the key its certificate")
    return profile


def _part(section: str, result: Any) -> Any:
    """A policy or a Wi-Fi profile, or their problem under this section's name."""
    if isinstance(result, SectionProblem):
        raise Wrong(f"{section}.{result.key}", result.message, result.nearest)
    return result


_Check = tuple[str, Callable[[Any], Any]]
"""The profile's field and what makes its value; ValueError says why not."""


def _fields(section: str, known: dict[str, _Check], table: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in table.items():
        values |= _field(section, known, key, value)
    return values


def _field(
    section: str, known: dict[str, _Check], key: str, value: Any, also: tuple[str, ...] = ()
) -> dict[str, Any]:
    under = f"{section}." if section else ""
    name, check = pick(known, key, under, also=also)
    return {name: judged(check, value, f"{under}{key}")}


def _line_of(text: str, dotted: str) -> int:
    """Where a key stands, by reading the file as a person would; 0 when it is written otherwise."""
    section, _, key = dotted.rpartition(".")
    here, head = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"\s*\[\s*([A-Za-z0-9_.-]+)\s*\]", line):
            here = found[1]
            head = number if here == dotted else head
        elif here == section and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    return head


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {value!r}")
        return value

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 120:
        raise ValueError("must be a text of 1 to 120 characters")
    if not value.isprintable():
        raise ValueError("must be one line of printable characters")
    return value.strip()


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValueError('must be a list of texts, such as ["a", "b"]')
    return tuple(value)


def _languages(value: Any) -> tuple[str, ...]:
    spoken = _texts(value)
    if not spoken or len(set(spoken)) != len(spoken) or not set(spoken) <= {"es", "en"}:
        raise ValueError('must be ["es", "en"], ["en", "es"], ["es"] or ["en"]')
    return spoken


def _url(*schemes: str, path: str = "") -> Callable[[Any], str]:
    def check(value: Any) -> str:
        text = value.rstrip("/") if isinstance(value, str) else ""
        try:
            parts = urlsplit(text)
            port_ok = parts.port is None or 0 < parts.port < 65536
        except ValueError:
            raise ValueError("is not an address") from None
        plain = text.isascii() and text.isprintable() and not re.search(r"[\s\"',\\<>@?#]", text)
        if not plain or len(text) > 255 or not parts.hostname or not port_ok:
            raise ValueError(f"must be {schemes[0]}://NAME{path}, at most 255 plain characters")
        if parts.scheme not in schemes or parts.path != path:
            raise ValueError(f"must be {' or '.join(schemes)}://NAME{path}")
        return text

    return check


def _listen(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(
        r"[0-9A-Za-z.:\[\]-]{1,64}:[0-9]{1,5}", value
    ):
        raise ValueError("must be ADDR:PORT")
    if not 0 < int(value.rpartition(":")[2]) < 65536:
        raise ValueError("must be ADDR:PORT with a port from 1 to 65535")
    return value


def _file(value: Any) -> Path:
    text = _text(value)
    if "\0" in text:
        raise ValueError("is not a file name")
    return Path(text)


def _interface(value: Any) -> str:
    if not isinstance(value, str) or not _INTERFACE.fullmatch(value):
        raise ValueError("must be the name of a network interface, such as eth0")
    return value


def _prefix(version: int, low: int, high: int) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value == "" and version == 6:
            return ""
        try:
            net = ipaddress.ip_network(value, strict=True) if isinstance(value, str) else None
        except ValueError as e:
            raise ValueError(f"is not a network: {e}") from None
        if net is None or net.version != version or not low <= net.prefixlen <= high:
            raise ValueError(f"must be an IPv{version} network from /{low} to /{high}")
        return str(net)

    return check


def _garden(value: Any) -> tuple[str, ...]:
    names = tuple(name.strip().rstrip(".").lower() for name in _texts(value))
    if len(names) > MAX_GARDEN:
        raise ValueError(f"at most {MAX_GARDEN} names")
    for name in names:
        if not _HOST.fullmatch(name):
            raise ValueError(f"{name!r} is not a name such as example.org")
    return tuple(dict.fromkeys(names))


def _checks(value: Any) -> tuple[str, ...]:
    targets = _texts(value)
    if len(targets) > 8 or not all(_TARGET.fullmatch(t) for t in targets):
        raise ValueError('must be at most eight of the form "NAME:PORT"')
    return targets


def _hours(value: Any) -> OpenHours:
    return parse_hours(_texts(value))


_BYTES = _whole(0, 2**50)
_TOP: dict[str, _Check] = {
    "name": ("name", _text),
    "url": ("url", _url("http", "https")),
    "languages": ("languages", _languages),
    "max_devices": ("max_devices", _whole(0, 65535)),
    "open_hours": ("open_hours", _hours),
    "walled_garden": ("walled_garden", _garden),
}
_VISIT: dict[str, _Check] = {
    "session_s": ("session_s", _whole(0, _DAY_S)),
    "session_bytes": ("session_bytes", _BYTES),
    "daily_s": ("daily_s", _whole(0, _DAY_S)),
    "daily_bytes": ("daily_bytes", _BYTES),
    "cool_down_s": ("cool_down_s", _whole(0, _DAY_S)),
    "rate_down_kib_s": ("rate_down_kib_s", _whole(0, 2**22)),
    "rate_up_kib_s": ("rate_up_kib_s", _whole(0, 2**22)),
}
_NETWORK: dict[str, _Check] = {
    "guest": ("guest", _interface),
    "uplink": ("uplink", _interface),
    "ipv4": ("ipv4", _prefix(4, 16, 28)),
    "ipv6": ("ipv6", _prefix(6, 48, 64)),
    "checks": ("checks", _checks),
}
_CAPPORT: dict[str, _Check] = {
    "url": ("capport_url", _url("https", path="/captive-portal/api")),
    "listen": ("capport_listen", _listen),
    "cert": ("capport_cert", _file),
    "key": ("capport_key", _file),
}
