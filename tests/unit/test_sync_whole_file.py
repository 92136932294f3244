"""A small file is replaced whole, or the old one stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sync.whole_file import keep_file, replace_file

BOTH = pytest.mark.parametrize("put", [replace_file, keep_file])


@BOTH
def test_the_new_content_takes_the_name_and_nothing_else_stays(
    tmp_path: Path, put: Callable[[Path, bytes], None]
) -> None:
    file = tmp_path / "note.json"
    put(file, b"old")
    put(file, b"new")

    assert file.read_bytes() == b"new"
    assert [each.name for each in tmp_path.iterdir()] == ["note.json"]


@BOTH
@pytest.mark.parametrize(("folder", "mode"), [(0o2770, 0o660), (0o700, 0o600)])
def test_the_file_takes_after_its_folder(
    tmp_path: Path, put: Callable[[Path, bytes], None], folder: int, mode: int
) -> None:
    tmp_path.chmod(folder)
    put(tmp_path / "note.json", b"x")

    assert (tmp_path / "note.json").stat().st_mode & 0o777 == mode


def test_what_cannot_be_kept_leaves_the_old_one_and_no_scrap(tmp_path: Path) -> None:
    taken = tmp_path / "note.json"
    (taken / "inside").mkdir(parents=True)

    with pytest.raises(OSError, match=r"note\.json"):
        keep_file(taken, b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["note.json"]
