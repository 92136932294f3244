"""The write log of a virtual disk and what a power cut leaves of it: any bytes are read, none is invented."""

from __future__ import annotations

import io
import struct
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rig.powercut import Cut, Fate, certain, draw_cuts, last_flush, loose
from rig.prints import CHUNK, Prints
from rig.replay import Replayer
from rig.writelog import DISCARD, FLUSH, FUA, HEAD, MAGIC, LogFault, LogTrouble, WriteLog, read_log

SECTOR = 512
DISK_SECTORS = 64
DISK = DISK_SECTORS * SECTOR
Request = tuple[int, bytes, int]
"""First sector, data (or only their length for a discard), flags."""


def log_of(requests: list[Request]) -> bytes:
    out = bytearray(HEAD.pack(MAGIC, 1, len(requests), SECTOR).ljust(SECTOR, b"\0"))
    for sector, data, flags in requests:
        out += struct.pack("<QQQQ", sector, len(data) // SECTOR, flags, 0).ljust(SECTOR, b"\0")
        out += b"" if flags & DISCARD else data
    return bytes(out)


def written(sector: int, letter: str, sectors: int = 1, flags: int = 0) -> Request:
    return sector, letter.encode() * (SECTOR * sectors), flags


FLUSHED: Request = (0, b"", FLUSH)


@st.composite
def requests(draw: st.DrawFn) -> list[Request]:
    found: list[Request] = []
    for _ in range(draw(st.integers(0, 12))):
        first = draw(st.integers(0, DISK_SECTORS - 4))
        sectors = draw(st.integers(1, 4))
        kind = draw(st.sampled_from([0, 0, 0, FUA, DISCARD, FLUSH]))
        letter = draw(st.sampled_from("abcdefgh"))
        found.append(FLUSHED if kind == FLUSH else written(first, letter, sectors, kind))
    return found


def read(raw: bytes) -> WriteLog:
    log = read_log(io.BytesIO(raw), DISK)
    assert isinstance(log, WriteLog), log
    return log


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3000))
def test_any_bytes_are_read_to_an_end(raw: bytes) -> None:
    assert isinstance(read_log(io.BytesIO(raw), DISK), WriteLog | LogFault)


@settings(max_examples=100, deadline=None)
@given(requests(), st.data())
def test_a_spoilt_log_is_told_or_stays_within_the_disk(
    wanted: list[Request], data: st.DataObject
) -> None:
    raw = bytearray(log_of(wanted))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    log = read_log(io.BytesIO(bytes(raw)), DISK)

    if isinstance(log, WriteLog):
        assert all(e.offset + e.length <= DISK for e in log.entries)
        assert all(e.data_at + e.length <= len(raw) for e in log.entries if e.is_write)


@settings(max_examples=100, deadline=None)
@given(requests())
def test_what_was_logged_is_read_back(wanted: list[Request]) -> None:
    log = read(log_of(wanted))

    assert [(e.offset // SECTOR, e.length, e.flags) for e in log.entries] == [
        (sector, len(data), flags) for sector, data, flags in wanted
    ]


@pytest.mark.parametrize(
    ("head", "trouble"),
    [
        ((1, 1, 0, 512), LogTrouble.NOT_A_LOG),
        ((MAGIC, 2, 0, 512), LogTrouble.OTHER_VERSION),
        ((MAGIC, 1, 0, 0), LogTrouble.SECTOR_SIZE),
        ((MAGIC, 1, 0, 513), LogTrouble.SECTOR_SIZE),
        ((MAGIC, 1, 1 << 60, 512), LogTrouble.TOO_MANY_ENTRIES),
        ((MAGIC, 1, 1, 512), LogTrouble.TRUNCATED),
    ],
)
def test_a_head_that_is_none_is_named(head: tuple[int, int, int, int], trouble: LogTrouble) -> None:
    raw = HEAD.pack(*head).ljust(SECTOR, b"\0")

    fault = read_log(io.BytesIO(raw), DISK)

    assert isinstance(fault, LogFault)
    assert fault.trouble is trouble


def test_a_write_beyond_the_disk_is_refused() -> None:
    fault = read_log(io.BytesIO(log_of([written(DISK_SECTORS, "x")])), DISK)

    assert fault == LogFault(LogTrouble.BEYOND_THE_DISK, 0)


def model(wanted: list[Request], upto: int) -> bytearray:
    """The disk after the first `upto` requests, with nothing lost."""
    disk = bytearray(DISK)
    for sector, data, flags in wanted[:upto]:
        disk[sector * SECTOR : sector * SECTOR + len(data)] = (
            bytes(len(data)) if flags & DISCARD else data
        )
    return disk


def replayed(tmp_path: Path, raw: bytes, cuts: list[Cut], span: tuple[int, int]) -> list[bytes]:
    (tmp_path / "log").write_bytes(raw)
    (tmp_path / "disk").write_bytes(bytes(DISK))
    found = []
    with closing(
        Replayer(read(raw), tmp_path / "log", tmp_path / "disk", span, tmp_path)
    ) as replayer:
        for cut in cuts:
            replayer.leave(cut, tmp_path / "cut")
            found.append((tmp_path / "cut").read_bytes())
            with replayer.shown(cut) as prints:
                assert prints.file.read_bytes() == found[-1]
                assert prints.of(0, span[1]) == Prints(tmp_path / "cut").of(0, span[1])
    return found


@settings(max_examples=40, deadline=None)
@given(requests(), st.integers(0, DISK_SECTORS // 2), st.integers(1, DISK_SECTORS // 2))
def test_a_cut_with_everything_kept_is_the_disk_of_that_moment(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[Request], start: int, length: int
) -> None:
    span = (start * SECTOR, length * SECTOR)
    cuts = [Cut(at, Fate.ALL_KEPT, 0) for at in range(len(wanted) + 1)]

    found = replayed(tmp_path_factory.mktemp("cut"), log_of(wanted), cuts, span)

    expected = [bytes(model(wanted, c.at)[span[0] : sum(span)]) for c in cuts]
    assert found == expected


@settings(max_examples=60, deadline=None)
@given(requests(), st.integers(0, 12), st.sampled_from(list(Fate)), st.integers(0, 9))
def test_each_sector_holds_something_that_was_written_to_it_since_the_last_flush(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[Request], at: int, fate: Fate, seed: int
) -> None:
    at = min(at, len(wanted))
    (found,) = replayed(
        tmp_path_factory.mktemp("cut"), log_of(wanted), [Cut(at, fate, seed)], (0, DISK)
    )
    sure = last_flush(read(log_of(wanted)), at)
    futures = [model(wanted, sure), *(model([w], 1) for w in wanted[sure:at])]

    for first in range(0, DISK, SECTOR):
        assert found[first : first + SECTOR] in [bytes(f[first : first + SECTOR]) for f in futures]


def test_what_a_flush_covers_is_never_lost(tmp_path: Path) -> None:
    wanted = [written(1, "a"), FLUSHED, written(2, "b"), written(3, "c", flags=FUA)]

    (found,) = replayed(tmp_path, log_of(wanted), [Cut(4, Fate.ALL_LOST, 0)], (0, DISK))

    assert found[SECTOR : 2 * SECTOR] == b"a" * SECTOR
    assert found[2 * SECTOR : 3 * SECTOR] == bytes(SECTOR)
    assert found[3 * SECTOR : 4 * SECTOR] == b"c" * SECTOR


def test_a_torn_write_leaves_some_of_its_sectors() -> None:
    log = read(log_of([written(0, "a", 40)]))

    lengths = {sum(p.length for p in loose(log, Cut(1, Fate.TORN, seed))) for seed in range(20)}

    assert len(lengths) > 3
    assert max(lengths) < 40 * SECTOR


def test_cuts_are_the_same_for_the_same_seed_and_stand_in_the_order_of_the_log() -> None:
    log = read(log_of([written(n, "a") for n in range(50)]))

    cuts = draw_cuts(log, 40, seed=7, first=10)

    assert cuts == draw_cuts(log, 40, seed=7, first=10)
    assert cuts != draw_cuts(log, 40, seed=8, first=10)
    assert [c.at for c in cuts] == sorted(c.at for c in cuts)
    assert min(c.at for c in cuts) >= 10
    assert {c.fate for c in cuts} == set(Fate)


def test_asking_for_an_earlier_cut_is_refused(tmp_path: Path) -> None:
    raw = log_of([written(1, "a"), FLUSHED, written(2, "b"), FLUSHED])
    cuts = [Cut(4, Fate.ALL_KEPT, 0), Cut(1, Fate.ALL_KEPT, 0)]

    with pytest.raises(ValueError, match="order"):
        replayed(tmp_path, raw, cuts, (0, DISK))


def test_certain_pieces_are_the_whole_requests() -> None:
    log = read(log_of([written(1, "a", 3), (5, bytes(SECTOR), DISCARD)]))

    pieces = list(certain(log, 0, 2))

    assert [(p.offset, p.length, p.data_at >= 0) for p in pieces] == [
        (SECTOR, 3 * SECTOR, True), (5 * SECTOR, SECTOR, False),
    ]  # fmt: skip


def test_a_fingerprint_is_of_the_bytes_and_not_of_their_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"ab" * CHUNK + b"ab" * CHUNK)
    prints = Prints(tmp_path / "file")
    once = prints.of(0, 2 * CHUNK - 7)

    assert prints.of(2 * CHUNK, 2 * CHUNK - 7) == once
    assert prints.of(0, 2 * CHUNK) != once
    with (tmp_path / "file").open("r+b") as file:
        file.seek(CHUNK)
        file.write(b"c")
    prints.wrote(CHUNK, CHUNK + 1)
    assert prints.of(0, 2 * CHUNK - 7) != once
    with pytest.raises(ValueError, match="chunk"):
        prints.of(7, 10)
