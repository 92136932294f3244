from __future__ import annotations

from pathlib import Path

import pytest

from municipio.settings import SettingsError
from sync.datadir import DataDir


def test_a_node_without_a_settings_file_has_the_defaults(tmp_path: Path) -> None:
    assert DataDir(tmp_path / "nothing").settings().node_code == "COA007"


def test_settings_come_from_the_file(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "node")
    data.create()
    data.settings_file.write_text("[node]\nnumber = 12\n")
    assert data.settings().node_code == "COA012"


def test_settings_that_a_windows_editor_saved_are_read(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    data.settings_file.write_bytes(b"\xef\xbb\xbf[node]\r\nnumber = 12\r\n")
    assert data.settings().node_code == "COA012"


@pytest.mark.parametrize("text", ["[node", "[node]\nnumbr = 1\n", "[node]\nnumber = 'x'\n"])
def test_a_bad_settings_file_is_named(tmp_path: Path, text: str) -> None:
    data = DataDir(tmp_path)
    data.settings_file.write_text(text)
    with pytest.raises(SettingsError, match=r"settings\.toml"):
        data.settings()


def test_making_it_twice_changes_nothing_and_keys_are_private(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "node")
    data.create()
    data.node_key.write_text("k")
    data.create()
    assert data.node_key.read_text() == "k"
    assert data.node_key.parent.stat().st_mode & 0o077 == 0
    assert data.run.is_dir()


def test_what_is_true_only_now_goes_to_memory_where_the_image_has_some(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    data.create()
    assert data.kiosk_file == tmp_path / "run" / "kiosk.json"
    (tmp_path / "now").mkdir()
    assert data.kiosk_file == tmp_path / "now" / "kiosk.json"
