"""What hostapd_cli answers, as values. No I/O here: the words come in, the values go out.

A device's hardware address exists here only between a question and its answer; no value that is shown
or kept holds one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_TEXT = 1 << 20
_PAIR = re.compile(r"([a-z_]{1,40})(?:\[(\d{1,3})\])?=(.{0,512})")
_MAC = re.compile(r"(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}")
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[\\\"nrte])")
_SIMPLE = {b"\\": b"\\", b'"': b'"', b"n": b"\n", b"r": b"\r", b"t": b"\t", b"e": b"\033"}


@dataclass(frozen=True, slots=True)
class OnAir:
    """One network that hostapd says it makes."""

    interface: str
    ssid: str
    stations: int


@dataclass(frozen=True, slots=True)
class AirStatus:
    """`state` is hostapd's word: ENABLED, COUNTRY_UPDATE, ACS, HT_SCAN, DFS, DISABLED."""

    state: str
    channel: int
    frequency_mhz: int
    networks: tuple[OnAir, ...]

    @property
    def stations(self) -> int:
        return sum(n.stations for n in self.networks)


def parse_status(text: str) -> AirStatus | None:
    """The answer to `status`; None when it is not one."""
    plain: dict[str, str] = {}
    numbered: dict[int, dict[str, str]] = {}
    for line in text[:MAX_TEXT].splitlines():
        pair = _PAIR.fullmatch(line)
        if pair is None:
            continue
        name, index, value = pair.groups()
        if index is None:
            plain[name] = value
        else:
            numbered.setdefault(int(index), {})[name] = value
    if "state" not in plain:
        return None
    networks = tuple(
        OnAir(n["bss"], unescape(n.get("ssid", "")), _number(n.get("num_sta")))
        for _, n in sorted(numbered.items())
        if "bss" in n
    )
    return AirStatus(
        plain["state"], _number(plain.get("channel")), _number(plain.get("freq")), networks
    )


def unescape(shown: str) -> str:
    """A name as hostapd prints it (`\\xNN`, `\\"`, `\\e`), back to text; what is no UTF-8 is marked."""

    def plain(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes([int(code[1:], 16)]) if code[:1] == b"x" else _SIMPLE[code]

    return _ESCAPE.sub(plain, shown.encode(errors="replace")).decode(errors="replace")


def parse_stations(text: str) -> tuple[str, ...]:
    """The hardware addresses in an answer to `list_sta`."""
    lines = (line.strip() for line in text[:MAX_TEXT].splitlines())
    return tuple(line.lower() for line in lines if _MAC.fullmatch(line))


def plain_mac(text: str) -> str:
    """A hardware address in the one form that is handed on. Raises ValueError on anything else."""
    if not _MAC.fullmatch(text):
        raise ValueError("not a hardware address")
    return text.lower().replace("-", ":")


def without_devices(line: str) -> str:
    """The same line with every hardware address taken out."""
    return _MAC.sub("(device)", line)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else 0
