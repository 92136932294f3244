"""What is to be done to a node for its site file, as a list of small steps. Pure.

Rule of the list: whatever step the power is cut in, the same list made anew from what is there then ends
the same. So secrets are kept before they are blanked, what another program waits for comes after what it
needs, and each step may be done twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Place(StrEnum):
    BOOT = "boot"
    """The FAT partition; read-only but for moments."""
    DATA = "data"
    """The node's data folder (`--data`)."""
    SYSTEM = "system"
    """What the operating system needs and no program of ours reads: root's alone."""


@dataclass(frozen=True, slots=True)
class Write:
    """A whole file, replaced at once. `owner` is a user, empty for root (with the folder's group)."""

    place: Place
    name: str
    content: bytes = field(repr=False)
    mode: int = 0o640
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Remove:
    place: Place
    name: str


@dataclass(frozen=True, slots=True)
class Blank:
    """Replace a file of the boot partition, its former bytes overwritten first as far as a card lets one."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MakeKey:
    """This node's own key, unless it has one."""


Step = Write | Remove | Blank | MakeKey


@dataclass(frozen=True, slots=True)
class Seen:
    """What is there before. Names of the boot partition as they are written; contents of what matters."""

    boot: Mapping[str, bytes] = field(repr=False)
    """Files that could be a site file, and the error file."""
    settings: str = ""
    rules: str = ""
    last_good: bytes = b""
    secrets: bytes = b""
    site_code: bytes = b""
    city_key: bytes = b""
    has_ledger: bool = False
    salt: bytes = b""
    """Fresh random bytes, used only where something new is hashed."""
    data: str = "/var/lib/plaza"
    """Where the data folder is, as the programs see it."""
