"""A card as a technician holds it: a copy of the image, its partitions, the files that Windows shows."""

from __future__ import annotations

import os
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rig.replay import copy_sparse

SECTOR = 512
FAT_LBA = 0x0C


@dataclass(frozen=True, slots=True)
class Partition:
    """`start` and `length` in bytes."""

    kind: int
    start: int
    length: int


def partitions(card: Path) -> tuple[Partition, ...]:
    """The four entries of the MBR, empty ones left out. ValueError where there is no MBR."""
    with card.open("rb") as file:
        sector = file.read(SECTOR)
    if len(sector) < SECTOR or sector[510:] != b"\x55\xaa":
        raise ValueError(f"{card.name} has no partition table")
    found = []
    for at in range(446, 510, 16):
        kind = sector[at + 4]
        start, length = struct.unpack("<II", sector[at + 8 : at + 16])
        if kind:
            found.append(Partition(kind, start * SECTOR, length * SECTOR))
    return tuple(found)


def write_card(image: Path, card: Path, size_bytes: int) -> Path:
    """Flash the image onto a card of this size."""
    copy_sparse(image, card, 0, image.stat().st_size)
    os.truncate(card, size_bytes)
    return card


def data_range(card: Path) -> tuple[int, int]:
    """Where the data partition lies: start and length in bytes."""
    data = partitions(card)[3]
    return data.start, data.length


def put_file(card: Path, name: str, content: bytes) -> None:
    """Save a file on the partition that Windows shows, over one of the same name."""
    _mtools("mcopy", card, "-o", "-", f"::{name}", text=content)


def get_file(card: Path, name: str) -> bytes | None:
    """A file of that partition, by its path there; None where there is none."""
    folder, _, last = name.rpartition("/")
    if last not in names(card, folder):
        return None
    return _mtools("mtype", card, f"::{name}")


def names(card: Path, folder: str = "") -> list[str]:
    """The files and folders of one folder of that partition; none where there is no such folder."""
    try:
        raw = _mtools("mdir", card, "-b", f"::/{folder}")
    except OSError:
        return []
    start = f"::/{folder}/" if folder else "::/"
    listed = raw.decode(errors="replace").splitlines()
    return sorted(line.removeprefix(start).rstrip("/") for line in listed if line)


def _mtools(program: str, card: Path, *words: str, text: bytes = b"") -> bytes:
    fat = partitions(card)[0]
    if fat.kind != FAT_LBA:
        raise ValueError(f"the first partition is of kind {fat.kind:#x}")
    done = subprocess.run(
        [program, "-i", f"{card}@@{fat.start}", *words], input=text, capture_output=True, timeout=60,
        env=os.environ | {"MTOOLS_SKIP_CHECK": "1"},
    )  # fmt: skip
    if done.returncode != 0:
        raise OSError(f"{program}: {done.stderr.decode(errors='replace')[-300:]}")
    return done.stdout
