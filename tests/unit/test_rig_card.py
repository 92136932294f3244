"""A card as a technician holds it: its partitions, the files that Windows shows, what a bad table says."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rig.card import Partition, get_file, names, partitions, put_file, write_card

MIB = 1 << 20


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A disk of 40 MiB with a FAT partition of 34 MiB at 4 MiB."""
    path = tmp_path / "card.img"
    table = struct.pack("<4xB3xII", 0x0C, 8192, 34 * MIB // 512).ljust(64, b"\0")
    path.write_bytes(bytes(446) + table + b"\x55\xaa")
    with path.open("r+b") as file:
        file.truncate(40 * MIB)
    subprocess.run(
        ["mformat", "-i", f"{path}@@{4 * MIB}", "-F", "-v", "PLAZA", "-T", str(34 * MIB // 512), "::"],
        check=True, capture_output=True,
    )  # fmt: skip
    return path


def test_partitions_are_read_from_the_table(card: Path) -> None:
    assert partitions(card) == (Partition(0x0C, 4 * MIB, 34 * MIB),)


def test_a_file_is_saved_read_and_saved_again(card: Path) -> None:
    put_file(card, "plaza.toml", b"uno")
    put_file(card, "plaza.toml", '[site]\r\nname = "Jardín"\r\n'.encode())

    assert names(card) == ["plaza.toml"]
    assert get_file(card, "plaza.toml") == '[site]\r\nname = "Jardín"\r\n'.encode()
    assert get_file(card, "other.txt") is None


def test_a_flashed_card_is_the_image_and_room_behind_it(card: Path, tmp_path: Path) -> None:
    put_file(card, "LEEME.txt", b"hola")

    flashed = write_card(card, tmp_path / "flashed.img", 64 * MIB)

    assert flashed.stat().st_size == 64 * MIB
    assert flashed.read_bytes()[: 40 * MIB] == card.read_bytes()


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=600))
def test_any_first_sector_is_a_table_or_told_to_be_none(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path = tmp_path_factory.mktemp("card") / "any.img"
    path.write_bytes(raw)
    try:
        found = partitions(path)
    except ValueError:
        return
    assert len(found) <= 4
