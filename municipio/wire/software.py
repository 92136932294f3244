"""Updates in the repository: what the city signs beside a bundle, and how versions are ordered.

software/<board>/current.json                     the bundles on offer, newest first
software/<board>/plaza-<board>-<version>.raucb    the bundle; what it is lies in its target's `custom`

The bundle has a signature of its own, by the key that the image trusts; TUF says which one is meant now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

ROLE = "software"
MAX_INDEX = 16 * 1024
MAX_OFFERED = 4
MAX_BUNDLE_BYTES = 2 * 1024 * 1024 * 1024
BOARDS = ("pi", "vm-amd64", "vm-arm64")
_VERSION = re.compile(
    r"(\d{1,9}(?:\.\d{1,9}){1,3})(?:-([0-9A-Za-z.]{1,40}))?(?:\+[0-9A-Za-z.]{1,40})?",
    re.ASCII,
)
_Key = tuple[tuple[int, ...], bool, tuple[tuple[int, str], ...]]


@dataclass(frozen=True, slots=True)
class SoftwareProblem:
    detail: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """One update as the city offers it. `size` in bytes, `sha256` lower-case hex of the file.

    `min_ledger_schema` is the oldest ledger schema of an installed version from which this one may be
    tried, so that the way back stays open. `ring` is the last ring that may have it. `goes_back` is the
    city's word that this version may follow a newer one.
    """

    version: str
    board: str
    ledger_schema: int
    min_ledger_schema: int
    ring: int
    not_before: date | None
    goes_back: bool
    target: str
    size: int
    sha256: str


class _Custom(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    version: str
    board: str
    ledger_schema: int
    min_ledger_schema: int
    ring: int
    not_before: date | None = None
    goes_back: bool = False


class _Index(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    targets: list[str]


def version_key(version: str) -> _Key:
    """Sorts versions such as 1.2.0 and 1.3.0-rc.1 (before 1.3.0); what follows a + does not count.

    ValueError for anything else.
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ValueError(f"«{version[:40]}» is no version such as 1.4.0")
    numbers = tuple(int(part) for part in found[1].split("."))
    last = max((i for i, n in enumerate(numbers) if n), default=0)
    words = tuple(
        (int(word), "") if word.isdigit() else (2**62, word)
        for word in (found[2].split(".") if found[2] else ())
    )
    return numbers[: last + 1], found[2] is None, words


def index_of(board: str) -> str:
    return f"{ROLE}/{board}/current.json"


def bundle_target(board: str, version: str) -> str:
    """ValueError for a board that does not exist or a version that is none."""
    version_key(version)
    if board not in BOARDS:
        raise ValueError(f"«{board}» is none of {', '.join(BOARDS)}")
    return f"{ROLE}/{board}/plaza-{board}-{version}.raucb"


def encode_index(targets: list[str]) -> bytes:
    return msgspec.json.encode(_Index(1, targets), order="sorted")


def decode_index(raw: bytes, board: str) -> tuple[str, ...] | SoftwareProblem:
    """Targets on offer for a board, newest first."""
    try:
        index = msgspec.json.decode(raw[: MAX_INDEX + 1], type=_Index)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        return SoftwareProblem(f"not a list of updates: {e}")
    folder = f"{ROLE}/{board}/"
    plain = all(t.startswith(folder) and "/" not in t.removeprefix(folder) for t in index.targets)
    if index.v != 1 or not plain or len(index.targets) > MAX_OFFERED:
        return SoftwareProblem("not a list of updates for this board")
    return tuple(index.targets)


def encode_custom(bundle: Bundle) -> dict[str, Any]:
    """What goes into the target's `custom`."""
    names = _Custom.__struct_fields__
    document: dict[str, Any] = msgspec.to_builtins(
        _Custom(1, *(getattr(bundle, name) for name in names[1:]))
    )
    return document


def decode_custom(
    custom: Mapping[str, Any] | None, target: str, size: int, sha256: str
) -> Bundle | SoftwareProblem:
    """A bundle from its target: all of it was signed, and still it must be what a node can judge."""
    try:
        found = msgspec.convert(custom, type=_Custom)
        expected = bundle_target(found.board, found.version)
    except (msgspec.MsgspecError, ValueError) as e:
        return SoftwareProblem(f"{target}: not described as an update: {e}")
    if found.v != 1 or target != expected:
        return SoftwareProblem(f"{target}: it is described as another update")
    if not 0 < size <= MAX_BUNDLE_BYTES or not 1 <= found.ring <= 9:
        return SoftwareProblem(f"{target}: its size or ring cannot be")
    if not 1 <= found.min_ledger_schema <= found.ledger_schema:
        return SoftwareProblem(f"{target}: its ledger schemas cannot be")
    told: dict[str, Any] = {name: getattr(found, name) for name in _Custom.__struct_fields__[1:]}
    return Bundle(**told, target=target, size=size, sha256=sha256)
