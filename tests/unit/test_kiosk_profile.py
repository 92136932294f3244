"""Whether a node has a screen is asked before its kiosk starts, without opening one."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.__main__ import main


@pytest.mark.parametrize(("profile", "code"), [("kiosk", 0), ("screen", 0), ("portal", 1)])
def test_a_node_that_is_only_a_portal_has_no_screen(
    tmp_path: Path, profile: str, code: int
) -> None:
    (tmp_path / "settings.toml").write_text(f'[node]\nprofile = "{profile}"\n')

    assert main(["--data", str(tmp_path), "--has-screen"]) == code


def test_a_node_without_settings_has_one(tmp_path: Path) -> None:
    assert main(["--data", str(tmp_path), "--has-screen"]) == 0
