"""`DATA/city-settings.json`: what the city last set on this node, laid over the place's own settings.

One file, replaced whole. It is checked again whenever it is read, so that whoever edits it can set what a
city may set and no more. The set before is kept, for when programs do not start with the newer one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from municipio.city_settings import CitySettingsProblem, check_values, merge, read_layer
from municipio.settings import SettingsError, SettingValue, parse_settings
from sync.sharing import settle_file
from sync.stick_files import read_plain

MAX_BYTES = 256 * 1024


class CitySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
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
    """What is in force; NONE when there is no file, or one that is not whole and right."""
    raw = read_plain(path, MAX_BYTES)
    if raw is None:
        return NONE
    try:
        found = msgspec.json.decode(raw, type=CitySettings)
        tables: dict[str, dict[str, object]] = {}
        for name, value in found.values.items():
            section, _, key = name.partition(".")
            tables.setdefault(section, {})[key] = value
        parse_settings(tables)
    except (msgspec.MsgspecError, SettingsError, UnicodeDecodeError, RecursionError):
        return NONE
    return found if check_values(found.values) is None else NONE


def write_city_settings(path: Path, settings: CitySettings) -> None:
    """Replace the file, keeping the one before beside it. OSError leaves the old one in force."""
    former = previous_file(path)
    if path.exists():
        _write(former, path.read_bytes())
    _write(path, msgspec.json.encode(settings, order="sorted") + b"\n")


def previous_file(path: Path) -> Path:
    return path.with_name(f"{path.stem}.previous.json")


def _write(path: Path, raw: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        settle_file(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
