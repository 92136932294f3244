"""Which Wi-Fi channels a Mexican site may use, and why not the others.

The bands are those that the wireless regulatory database states for MX: 2402 to 2482, 5170 to 5330,
5490 to 5730 and 5735 to 5835 MHz. Channels on which weather radars have the right of way (DFS) are legal
but refused: an access point must fall silent for a minute when it starts there, and again whenever it
thinks that it heard a radar.
"""

from __future__ import annotations

_BAND_2_4 = tuple(range(1, 12))
_NO_RADAR_5 = (36, 40, 44, 48, 149, 153, 157, 161, 165)
_RADAR_5 = (52, 56, 60, 64, 100, 104, 108, 112, 116, 120, 124, 128, 132, 136, 140, 144)

LEGAL: dict[str, tuple[int, ...]] = {"2.4": _BAND_2_4, "5": _NO_RADAR_5}
PREFERRED: dict[str, tuple[int, ...]] = {
    "2.4": (6, 1, 11, *(c for c in _BAND_2_4 if c not in (1, 6, 11))),
    # Outdoors the upper channels may send with more power.
    "5": (149, 157, 153, 161, 36, 44, 40, 48, 165),
}
_PAIR_ABOVE = (36, 44, 149, 157)
_PAIR_BELOW = (40, 48, 153, 161)


def channel_problem(band: str, channel: int, width_mhz: int = 20) -> str:
    """Why a channel cannot be used in Mexico; empty when it can."""
    if channel in LEGAL[band]:
        if width_mhz == 40 and secondary_offset(channel) == 0:
            return f"channel {channel} has no neighbour for 40 MHz; 149 or 36 has"
        return ""
    usable = ", ".join(map(str, LEGAL[band]))
    if band == "2.4" and channel in (12, 13):
        return f"many phones sold in Mexico cannot see channel {channel}; use one of {usable}"
    if band == "5" and channel in _RADAR_5:
        return f"channel {channel} gives way to weather radars (DFS); use one of {usable}"
    return f"channel {channel} is not a legal channel of {band} GHz; use one of {usable}"


def secondary_offset(channel: int) -> int:
    """+1 or -1: on which side the second half of a 40 MHz channel lies; 0: it has none."""
    return 1 if channel in _PAIR_ABOVE else -1 if channel in _PAIR_BELOW else 0


def frequency_mhz(band: str, channel: int) -> int:
    return 2407 + 5 * channel if band == "2.4" else 5000 + 5 * channel
