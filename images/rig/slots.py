"""Which slot a card's boot loader starts, and if what it starts is whole: GRUB's rule, replayed on a disk.

The rule is that of images/build/boot/grub.cfg: of the environment's two copies the first that is whole
counts; of ORDER the first that is OK and was tried less than three times; when every try is used up, the
tries begin again. A slot that is not whole costs a try.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rig.card import get_file, partitions
from rig.prints import Prints

ENV_BYTES = 1024
SIGNATURE = b"# GRUB Environment Block\n"
FIRST = {"ORDER": "A B", "A_OK": "1", "A_TRY": "0", "B_OK": "0", "B_TRY": "0"}
COPIES = ("grubenv", "grubenv2")
FILES = ("vmlinuz", "initrd.img", "slot.env")
TRIES, BOOTS = 3, 14


@dataclass(frozen=True, slots=True)
class Version:
    """What a slot holds of one version, by hashes; `root_bytes` is how long its root is."""

    name: str
    root_bytes: int
    root: str
    files: tuple[str, ...]


def parse_environment(raw: bytes | None) -> dict[str, str] | None:
    """GRUB's environment block; None for what GRUB would refuse (and then neither read nor write)."""
    if raw is None or len(raw) != ENV_BYTES or not raw.startswith(SIGNATURE):
        return None
    lines = raw[len(SIGNATURE) :].decode("latin-1").split("\n")
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def first_whole(copies: Iterable[bytes | None]) -> dict[str, str] | None:
    """The copy of the environment that GRUB goes by; None where none is whole."""
    for raw in copies:
        found = parse_environment(raw)
        if found is not None and found.get("ORDER"):
            return found
    return None


def started(environment: Mapping[str, str] | None, is_whole: Callable[[str], bool]) -> str | None:
    """The slot that comes up in the end, by itself; None if the machine never comes up."""
    counted = environment is not None
    state = FIRST | dict(environment or {})
    for _ in range(BOOTS):
        slot = _choice(state)
        if slot is None:
            state |= {"A_TRY": "0", "B_TRY": "0"}
            slot = _choice(state) or "A"
        if is_whole(slot):
            return slot
        if counted:
            state[f"{slot}_TRY"] = str(min(TRIES, int(state[f"{slot}_TRY"] or 0) + 1))
    return None


def _choice(state: Mapping[str, str]) -> str | None:
    for slot in state["ORDER"].split():
        if state.get(f"{slot}_OK") == "1" and int(state.get(f"{slot}_TRY") or 0) < TRIES:
            return slot
    return None


def version_in(prints: Prints, slot: str, root_bytes: int, name: str) -> Version:
    """What a slot of a card holds now, called `name`. Files that are not there hash as nothing."""
    part = partitions(prints.file)[1 if slot == "A" else 2]
    root = prints.of(part.start, root_bytes)
    return Version(name, root_bytes, root, boot_files(prints.file, slot))


def boot_files(card: Path, slot: str) -> tuple[str, ...]:
    folder = slot.lower()
    found = (_readable(card, f"{folder}/{name}") for name in FILES)
    return tuple(hashlib.sha256(raw).hexdigest() if raw is not None else "" for raw in found)


def _readable(card: Path, name: str) -> bytes | None:
    """A file of the boot partition; None also for one that a cut left without its end."""
    try:
        return get_file(card, name)
    except OSError:
        return None


def slot_started(prints: Prints, versions: tuple[Version, ...]) -> str | None:
    """The slot that a card comes up with, whole and of one of these versions; None if it never does."""
    seen: dict[str, bool] = {}

    def is_whole(slot: str) -> bool:
        if slot not in seen:
            files = boot_files(prints.file, slot)
            named = [v for v in versions if v.files == files]
            seen[slot] = any(version_in(prints, slot, v.root_bytes, v.name) == v for v in named)
        return seen[slot]

    return started(first_whole(_readable(prints.file, name) for name in COPIES), is_whole)
