"""The city's small files are replaced whole, and a key is never written over."""

from __future__ import annotations

from pathlib import Path

import pytest

from central.files import keep_file, write_private


def test_the_new_content_takes_the_name_and_nothing_else_stays(tmp_path: Path) -> None:
    file = tmp_path / "made" / "note.json"
    keep_file(file, b"old")
    keep_file(file, b"new")

    assert file.read_bytes() == b"new"
    assert [each.name for each in file.parent.iterdir()] == ["note.json"]


def test_what_cannot_be_kept_leaves_the_old_one_and_no_scrap(tmp_path: Path) -> None:
    taken = tmp_path / "note.json"
    (taken / "inside").mkdir(parents=True)

    with pytest.raises(OSError, match=r"note\.json"):
        keep_file(taken, b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["note.json"]


def test_a_private_file_is_private_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "city.key"
    write_private(file, b"secret")

    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_private(file, b"another")
    assert file.read_bytes() == b"secret"
