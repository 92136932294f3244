"""What a radio can do, read from the output of `iw phy` (also `iw list`). No I/O here.

The text comes from the kernel and a driver, of any version: what is not understood is left out, a line
that makes no sense is skipped, and nothing in it can raise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_TEXT = 1 << 20
MAX_RADIOS = 16

# Newer versions of iw print tenths of a MHz.
_FREQUENCY = re.compile(r"\* (\d{3,5})(?:\.\d)? MHz \[(\d{1,3})\](.*)")
_LIMIT = re.compile(r"#\{ ?([A-Za-z0-9, /-]{1,200}?) ?\} <= (\d{1,5})")
_TOTAL = re.compile(r"total <= (\d{1,5})")
_PHY = re.compile(r"Wiphy ([A-Za-z0-9][A-Za-z0-9_.-]{0,31})")
_STATIONS = re.compile(r"\tMaximum associated stations in AP mode: (\d{1,5})")


@dataclass(frozen=True, slots=True)
class Frequency:
    """One channel as the driver and the country's rules leave it at this moment."""

    mhz: int
    channel: int
    disabled: bool = False
    listen_only: bool = False
    """«no IR»: the radio must not start a transmission; goes away when the country is set."""
    radar: bool = False

    @property
    def band(self) -> str:
        return "2.4" if self.mhz < 2500 else "5" if 5100 <= self.mhz <= 5900 else ""


@dataclass(frozen=True, slots=True)
class Radio:
    """One `Wiphy` of the output."""

    phy: str
    modes: frozenset[str] = frozenset()
    ciphers: frozenset[str] = frozenset()
    frequencies: tuple[Frequency, ...] = ()
    wide_bands: frozenset[str] = frozenset()
    """Bands ("2.4", "5") with 40 MHz channels."""
    vht_bands: frozenset[str] = frozenset()
    sae: bool = False
    owe_offload: bool = False
    access_points: int = 0
    """How many networks it makes at a time; 0: it is no access point."""
    max_stations: int = 0
    """0: the driver does not tell."""

    @property
    def protects_management(self) -> bool:
        """802.11w: without its cipher neither SAE nor OWE may be offered."""
        return "CMAC" in self.ciphers

    def frequency(self, band: str, channel: int) -> Frequency | None:
        found = (f for f in self.frequencies if f.band == band and f.channel == channel)
        return next(found, None)


def parse_radios(text: str) -> tuple[Radio, ...]:
    """Every radio of an `iw phy` or `iw list` output, in its order; empty when there is none."""
    found: list[tuple[str, list[str]]] = []
    for line in text[:MAX_TEXT].split("\n"):
        head = _PHY.fullmatch(line.rstrip())
        if head:
            if len(found) == MAX_RADIOS:
                break
            found.append((head[1], []))
        elif found:
            found[-1][1].append(line.rstrip())
    return tuple(_radio(phy, lines) for phy, lines in found)


def _radio(phy: str, lines: list[str]) -> Radio:
    sections = list(_sections(lines))
    modes = _bullets(sections, "Supported interface modes:")
    ciphers = _bullets(sections, "Supported Ciphers:")
    features = _bullets(sections, "Supported extended features:")
    bands = [body for head, body in sections if re.fullmatch(r"Band \d+:", head)]
    frequencies = [[f for line in body if (f := _frequency(line))] for body in bands]
    return Radio(
        phy,
        frozenset(modes),
        frozenset(c.partition(" ")[0] for c in ciphers),
        tuple(f for group in frequencies for f in group),
        _bands_with(bands, frequencies, "HT20/HT40"),
        _bands_with(bands, frequencies, "VHT Capabilities"),
        any("SAE with AUTHENTICATE" in head for head, _ in sections)
        or any(f.startswith("[ SAE_OFFLOAD_AP ]") for f in features),
        any(f.startswith("[ OWE_OFFLOAD_AP ]") for f in features),
        _access_points(modes, sections),
        _max_stations(lines),
    )


def _sections(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Heads (one tab) with the deeper lines below them."""
    head, body = "", list[str]()
    for line in lines:
        if line.startswith("\t") and not line.startswith("\t\t"):
            yield head, body
            head, body = line.strip(), []
        else:
            body.append(line.strip())
    yield head, body


def _bullets(sections: list[tuple[str, list[str]]], wanted: str) -> list[str]:
    return [
        line[1:].strip()
        for head, body in sections
        if head == wanted
        for line in body
        if line.startswith("*")
    ]


def _frequency(line: str) -> Frequency | None:
    found = _FREQUENCY.fullmatch(line)
    if found is None:
        return None
    flags = found[3]
    return Frequency(
        int(found[1]),
        int(found[2]),
        "disabled" in flags,
        "no IR" in flags or "passive scan" in flags,
        "radar detection" in flags,
    )


def _bands_with(
    bands: list[list[str]], frequencies: list[list[Frequency]], words: str
) -> frozenset[str]:
    return frozenset(
        f.band
        for body, group in zip(bands, frequencies, strict=True)
        if any(line.startswith(words) for line in body)
        for f in group[:1]
    )


def _access_points(modes: list[str], sections: list[tuple[str, list[str]]]) -> int:
    """The best of the valid combinations; one where the driver speaks of none."""
    if "AP" not in modes:
        return 0
    text = "\n".join(
        "\n".join(body) for head, body in sections if head == "valid interface combinations:"
    )
    best = 1
    for combination in re.split(r"(?:^|\n)\* ", text):
        total = _TOTAL.search(combination)
        mine = sum(
            int(limit[2])
            for limit in _LIMIT.finditer(combination)
            if "AP" in (kind.strip() for kind in limit[1].split(","))
        )
        best = max(best, min(mine, int(total[1])) if total else mine)
    return best


def _max_stations(lines: Iterable[str]) -> int:
    return next((int(m[1]) for line in lines if (m := _STATIONS.fullmatch(line))), 0)
