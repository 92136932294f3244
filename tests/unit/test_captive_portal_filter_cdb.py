"""The CDB writer and reader beside tinycdb's own tool, and against damaged bytes."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.filter.cdb import CdbDamaged, CdbReader, CdbWriter, cdb_hash

RECORDS = [(b"uno", b"1"), (b"", b"vacio"), (b"dos\0\xff", b""), (b"uno", b"otra vez")] + [
    (b"k%d" % n, b"v%d" % n) for n in range(2000)
]


def write(path: Path, records: list[tuple[bytes, bytes]]) -> Path:
    with path.open("w+b") as stream:
        writer = CdbWriter(stream)
        for key, value in records:
            writer.add(key, value)
        writer.finish()
    return path


def test_the_hash_is_the_formats_own() -> None:
    assert cdb_hash(b"") == 5381
    assert cdb_hash(b"a") == 5381 * 33 ^ 97


def test_what_is_written_is_read_in_order_and_by_key(tmp_path: Path) -> None:
    reader = CdbReader(write(tmp_path / "a.cdb", RECORDS))
    assert list(reader.records()) == RECORDS
    assert reader.get(b"uno") == b"1"
    assert reader.get(b"dos\0\xff") == b""
    assert reader.get(b"k1999") == b"v1999"
    assert reader.get(b"nada") is None
    assert reader.slots() == len(RECORDS)


@pytest.mark.skipif(shutil.which("cdb") is None, reason="tinycdb is not installed")
def test_tinycdb_reads_our_files_and_makes_the_same_bytes(tmp_path: Path) -> None:
    ours = write(tmp_path / "ours.cdb", RECORDS)
    dump = subprocess.run(["cdb", "-d", ours], capture_output=True, check=True).stdout
    expected = b"".join(b"+%d,%d:%b->%b\n" % (len(k), len(v), k, v) for k, v in RECORDS) + b"\n"
    assert dump == expected
    subprocess.run(["cdb", "-c", tmp_path / "theirs.cdb"], input=expected, check=True)
    assert (tmp_path / "theirs.cdb").read_bytes() == ours.read_bytes()
    found = subprocess.run(["cdb", "-q", ours, "k77"], capture_output=True, check=True).stdout
    assert found == b"v77"


def test_an_empty_database_holds_nothing(tmp_path: Path) -> None:
    reader = CdbReader(write(tmp_path / "a.cdb", []))
    assert list(reader.records()) == []
    assert reader.get(b"x") is None


@pytest.mark.parametrize("size", [0, 1, 2047, 2048, 3000])
def test_a_file_that_is_cut_is_no_database(tmp_path: Path, size: int) -> None:
    whole = write(tmp_path / "a.cdb", RECORDS).read_bytes()
    (tmp_path / "cut.cdb").write_bytes(whole[:size])
    with pytest.raises(CdbDamaged):
        CdbReader(tmp_path / "cut.cdb")


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 4200), st.integers(0, 255)), max_size=20))
def test_damaged_bytes_are_told_and_nothing_else_happens(
    tmp_path_factory: pytest.TempPathFactory, wounds: list[tuple[int, int]]
) -> None:
    stream = io.BytesIO()
    writer = CdbWriter(stream)
    for key, value in RECORDS[:60]:
        writer.add(key, value)
    writer.finish()
    raw = bytearray(stream.getvalue())
    for place, byte in wounds:
        raw[place % len(raw)] = byte
    path = tmp_path_factory.mktemp("cdb") / "a.cdb"
    path.write_bytes(raw)
    try:
        reader = CdbReader(path)
        for key, _ in RECORDS[:60]:
            reader.get(key)
        for _ in reader.records():
            pass
    except CdbDamaged:
        pass
