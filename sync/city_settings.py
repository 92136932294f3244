"""`DATA/city-settings.json`: what the city last set on this node, laid over the place's own settings.

One file, replaced whole. It is checked again whenever it is read, so that whoever edits it can set what a
city may set and no more. The set before is kept, for when programs do not start with the newer one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from municipio.city_settings import CitySettingsProblem, check_values, merge, read_layer
from municipio.settings import SettingsError, SettingValue, parse_settings
from sync.stick_files import read_plain
from sync.whole_file import keep_file

MAX_BYTES = 256 * 1024


class CitySettings(msgspec.Struct, frozen=True):
    """`targets` are the documents that it came from, by SHA-256."""

    targets: dict[str, str] = {}
    values: dict[str, SettingValue] = {}


NONE = CitySettings()


def combine(
    found: Mapping[str, bytes], digests: Mapping[str, str]
) -> CitySettings | CitySettingsProblem:
    """The documents of a city in order, as one set; the first problem refuses them all."""
    layers = []
    for name, raw in found.items():
        layer = read_layer(raw)
        if isinstance(layer, CitySettingsProblem):
            return CitySettingsProblem(name, str(layer))
        layers.append(layer)
    return CitySettings(dict(digests), merge(layers))


def read_city_settings(path: Path) -> CitySettings:
    """What is in force; NONE when there is no file, or one that is not whole.

    A setting that this version does not know, or takes no more, is left out: a node that went back to the
    version before has a file of the newer one.
    """
    raw = read_plain(path, MAX_BYTES)
    if raw is None:
        return NONE
    try:
        found = msgspec.json.decode(raw, type=CitySettings)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return NONE
    good = {name: value for name, value in found.values.items() if _is_good(name, value)}
    return CitySettings(found.targets, good)


def _is_good(name: str, value: SettingValue) -> bool:
    section, _, key = name.partition(".")
    try:
        parse_settings({section: {key: value}})
    except SettingsError:
        return False
    return check_values({name: value}) is None


def write_city_settings(path: Path, settings: CitySettings) -> None:
    """Replace the file, keeping the one before beside it. OSError leaves the old one in force."""
    former = previous_file(path)
    if path.exists():
        keep_file(former, path.read_bytes())
    keep_file(path, msgspec.json.encode(settings, order="sorted") + b"\n")


def previous_file(path: Path) -> Path:
    return path.with_name(f"{path.stem}.previous.json")
