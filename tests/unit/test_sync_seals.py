from __future__ import annotations

import hashlib
from pathlib import Path

from municipio.facts import Lane
from sync.reserve import Reserve
from sync.seals import FileWitness, Head, coming_key, key_file, read_heads, read_key, settle_key

KEY = bytes(32)


def head(seq: int, epoch: int = 1) -> Head:
    return Head(epoch, seq, hashlib.sha256(str(seq).encode()).digest())


def test_the_witness_knows_the_newest_head_of_each_lane(tmp_path: Path) -> None:
    witness = FileWitness(tmp_path / "witness", KEY)
    for seq in range(1, 8):
        witness.note(0, head(seq))
    witness.note(2, head(1, epoch=3))
    assert witness.heads() == {0: head(7), 2: head(1, epoch=3)}
    witness.sync()
    witness.close()
    again = FileWitness(tmp_path / "witness", KEY)
    assert again.heads() == {0: head(7), 2: head(1, epoch=3)}
    again.close()


def test_a_torn_or_foreign_witness_says_less_and_never_lies(tmp_path: Path) -> None:
    witness = FileWitness(tmp_path / "witness", KEY)
    for seq in range(1, 5):
        witness.note(0, head(seq))
    witness.close()
    page = (tmp_path / "witness").read_bytes()
    assert read_heads(bytes(31) + b"1", page) == {}
    for at in range(256):
        changed = page[:at] + bytes([page[at] ^ 1]) + page[at + 1 :]
        found = read_heads(KEY, changed).get(0)
        assert found in (head(3), head(4))
    assert read_heads(KEY, page[:100]) in ({}, {0: head(4)})
    assert read_heads(KEY, b"") == {}


def test_slots_of_another_lane_do_not_count(tmp_path: Path) -> None:
    witness = FileWitness(tmp_path / "witness", KEY)
    witness.note(0, head(4))
    witness.close()
    page = (tmp_path / "witness").read_bytes()
    assert read_heads(KEY, page[256:] + page[:256]) == {}


def test_the_key_is_the_same_for_everyone_until_it_is_settled(tmp_path: Path) -> None:
    file = key_file(tmp_path / "ledger.sqlite")
    first = coming_key(file)
    assert coming_key(file) == first
    assert read_key(file) is None
    settle_key(file)
    assert read_key(file) == first
    assert file.stat().st_mode & 0o077 == 0
    assert [p.name for p in file.parent.iterdir()] == ["ledger.key"]


def test_the_reserve_serves_money_and_reports_alone(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, size=65536)
    assert not reserve.release(Lane.PAY)
    reserve.fill()
    assert sum(p.stat().st_blocks for p in tmp_path.iterdir()) * 512 >= 2 * 65536
    assert not reserve.release(Lane.VIT)
    assert not reserve.release(Lane.ACC)
    assert reserve.release(Lane.REP)
    assert not reserve.release(Lane.REP)
    assert reserve.release(Lane.PAY)
    assert not reserve.release(Lane.PAY)
    reserve.fill()
    assert reserve.release(Lane.PAY)
    assert reserve.release(Lane.PAY)
    assert not reserve.release(Lane.PAY)


def test_no_reserve_is_made_where_there_is_no_room(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, size=2**50)
    reserve.fill()
    assert not reserve.release(Lane.PAY)
