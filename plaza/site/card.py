"""Putting a checked file on a card or an image file: mtools by argv, no mount, no root for an image.

Only the FAT partition with the label PLAZA of a disk with an MBR is written.
"""

from __future__ import annotations

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

LABEL = "PLAZA"
_FAT_TYPES = (0x0B, 0x0C)
_SECTOR = 512
TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class CardTrouble:
    """Why a card was not written; a Spanish sentence."""

    what: str


def find_boot(head: bytes) -> int | None:
    """Where the first FAT partition begins, in bytes; None where the sector is no MBR with one."""
    if len(head) < _SECTOR or head[510:512] != b"\x55\xaa":
        return None
    for n in range(4):
        entry = head[446 + 16 * n : 462 + 16 * n]
        if entry[4] in _FAT_TYPES:
            start: int = struct.unpack("<I", entry[8:12])[0]
            return start * _SECTOR or None
    return None


def put_site(image: Path, raw: bytes) -> CardTrouble | None:
    """Write `plaza.toml` and read it back. None when it is there."""
    drive = _drive(image)
    if isinstance(drive, CardTrouble):
        return drive
    written = _mtools(["mcopy", "-o", "-i", drive, "-", "::plaza.toml"], raw)
    if isinstance(written, CardTrouble):
        return written
    found = _mtools(["mcopy", "-i", drive, "::plaza.toml", "-"])
    if isinstance(found, CardTrouble):
        return found
    return None if found == raw else CardTrouble("lo escrito no se lee igual: pruebe otra tarjeta")


def _drive(image: Path) -> str | CardTrouble:
    try:
        with image.open("rb") as file:
            head = file.read(_SECTOR)
    except OSError as e:
        return CardTrouble(f"{image}: {e.strerror}")
    if image.suffix == ".xz":
        return CardTrouble(f"{image} está comprimida: descomprímala primero (unxz)")
    start = find_boot(head)
    if start is None:
        return CardTrouble(f"{image} no es una imagen de Plaza: no tiene partición FAT")
    drive = f"{image}@@{start}"
    label = _mtools(["mlabel", "-s", "-i", drive, "::"])
    if isinstance(label, CardTrouble):
        return label
    if LABEL.encode() not in label.split():
        return CardTrouble(f"la partición FAT de {image} no se llama {LABEL}: no es una de Plaza")
    return drive


def _mtools(argv: list[str], data: bytes = b"") -> bytes | CardTrouble:
    try:
        done = subprocess.run(
            argv, input=data, capture_output=True, timeout=TIMEOUT_S, check=False,
            env={"MTOOLS_SKIP_CHECK": "1", "MTOOLSRC": "/dev/null", "PATH": "/usr/bin:/bin",
                 "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    except FileNotFoundError:
        return CardTrouble("falta el programa mtools: sudo apt-get install mtools")
    except subprocess.TimeoutExpired:
        return CardTrouble("la tarjeta no responde")
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        return CardTrouble(f"{argv[0]}: {words[-1] if words else 'no se pudo'}")
    return done.stdout
