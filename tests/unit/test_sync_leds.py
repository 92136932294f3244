from __future__ import annotations

import time
from pathlib import Path

import pytest

from sync.leds import SIMULATED, Light, Pattern


def lamp(folder: Path) -> Path:
    led = folder / "ACT"
    led.mkdir()
    (led / "trigger").write_text("none timer [mmc0] heartbeat")
    (led / "brightness").write_text("5")
    return led


def seen(file: Path, wanted: set[str]) -> bool:
    found: set[str] = set()
    end = time.monotonic() + 15
    while time.monotonic() < end and not wanted <= found:
        found.add(file.read_text())
        time.sleep(0.01)
    return wanted <= found


def test_a_light_says_how_far_a_stick_is_and_goes_back_to_its_own_work(tmp_path: Path) -> None:
    led = lamp(tmp_path)
    light = Light(tmp_path)
    light.show(Pattern.WORKING)
    assert (led / "trigger").read_text() == "none"
    assert seen(led / "brightness", {"0", "1"})
    light.show(Pattern.DONE)
    light.restore()
    assert (led / "trigger").read_text() == "mmc0"


def test_a_board_without_lights_is_no_trouble(tmp_path: Path) -> None:
    light = Light(tmp_path / "none")
    assert not light.is_there
    light.show(Pattern.REFUSED)
    light.restore()


def test_each_end_looks_different_to_who_only_sees_a_light(tmp_path: Path) -> None:
    flashes = {pattern: len(pattern.value) for pattern in Pattern}
    assert flashes[Pattern.FULL] == 2
    assert len({pattern.value for pattern in Pattern}) == len(Pattern)
    led = lamp(tmp_path)
    light = Light(tmp_path)
    light.show(Pattern.FULL)
    assert seen(led / "brightness", {"0", "1"})
    light.restore()


def test_a_folder_may_stand_in_for_the_boards_lights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamp(tmp_path)
    monkeypatch.setenv(SIMULATED, str(tmp_path))
    assert Light().is_there
