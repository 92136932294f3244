"""`content/current.json`: which content a city offers, and how its files are called in the repository."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from municipio.content import version_key

ROLE = "content"
CURRENT = "content/current.json"
FILTER_LIST = "filter/names.cdb.gz"
"""The compiled list of names to block, gzip."""

MAX_CURRENT = 16 * 1024


@dataclass(frozen=True, slots=True)
class CurrentProblem:
    detail: str


@dataclass(frozen=True, slots=True)
class Current:
    """`files` are those of the content folder; `deltas` the versions from which the padrón has one."""

    version: str
    files: tuple[str, ...]
    deltas: tuple[str, ...]


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    version: str
    files: list[str]
    deltas: list[str]


def encode_current(current: Current) -> bytes:
    wire = _Wire(1, current.version, list(current.files), list(current.deltas))
    return msgspec.json.encode(wire, order="sorted")


def decode_current(raw: bytes) -> Current | CurrentProblem:
    """Parse; names are plain names, versions are versions."""
    try:
        wire = msgspec.json.decode(raw[: MAX_CURRENT + 1], type=_Wire)
        for version in (wire.version, *wire.deltas):
            version_key(version)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        return CurrentProblem(f"not a list of content: {e}")
    if wire.v != 1:
        return CurrentProblem(f"format {wire.v} is not 1")
    plain = all(name.replace(".", "").replace("-", "").isalnum() for name in wire.files)
    if not plain or len(wire.files) > 50:
        return CurrentProblem("a file's name is not a plain name")
    return Current(wire.version, tuple(wire.files), tuple(wire.deltas))


def target_of(version: str, name: str) -> str:
    return f"{ROLE}/{version}/{name}.gz"
