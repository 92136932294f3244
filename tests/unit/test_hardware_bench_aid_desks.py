"""Keypads, headphones and camera on the bench: a control is a plain word, and the real driver notices."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hardware.bench.aid_desks import CameraDesk
from hardware.bench.builders import Place
from hardware.bench.desk import Deed, Desk
from hardware.keypad.driver import build_numpad
from hardware.keypad.keys import Key
from municipio.settings import parse_settings


def until(true: Callable[[], object], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(("numpad", "audio", "camera"), Place(tmp_path / "dev", tmp_path / "papers"))
    desk.open()
    yield desk
    desk.close()


def settings_of(desk: Desk) -> dict[str, dict[str, object]]:
    sections: dict[str, dict[str, object]] = {}
    for name, value in desk.settings().items():
        section, key = name.split(".")
        sections.setdefault(section, {})[key] = value
    return sections


def test_a_number_that_is_dialled_arrives_whole_and_is_no_shower(desk: Desk) -> None:
    heard: list[Key] = []
    numpad = build_numpad(parse_settings(settings_of(desk)), heard.append)
    try:
        until(lambda: numpad.status().state == "ready")
        desk.do(Deed("numpad", "dial", ("123456",)))
        desk.do(Deed("numpad", "press", ("enter",)))

        until(lambda: len(heard) == 7)
        assert "".join(heard) == "123456enter"
        assert numpad.status().cause == ""
    finally:
        numpad.close()


def test_what_the_node_holds_is_told_by_the_node_and_by_nobody_while_it_is_off(desk: Desk) -> None:
    desk.ask_node = lambda: {"audio": {"state": "fault", "cause": "no_voice"}}
    assert desk.sees("audio") == {"state": "fault", "cause": "no_voice"}
    assert desk.sees("numpad") == {}

    desk.ask_node = lambda: None
    assert desk.sees("audio") == {"state": "unseen", "cause": ""}


def test_headphones_go_out_with_the_whole_card_and_come_back_with_it(desk: Desk) -> None:
    desk.watch(parse_settings({**settings_of(desk), "audio": {
        **settings_of(desk)["audio"], "enabled": False,
    }}))  # fmt: skip
    until(lambda: "well" in desk.sees("audio").values())
    for verb in ("unplug", "unplug"):
        desk.do(Deed("audio", verb, ()))
    until(lambda: desk.sees("audio")["cause"] == "no_card")
    desk.do(Deed("audio", "replug", ()))
    until(lambda: "well" in desk.sees("audio").values())


def test_the_camera_shows_what_is_before_it_or_says_why_not(desk: Desk) -> None:
    camera: CameraDesk = desk["camera"]
    camera.shoot()
    seen = camera.jpeg()
    camera.cover()
    camera.shoot()
    dark = camera.jpeg()
    camera.spoil()
    camera.shoot()

    assert seen[:2] == dark[:2] == b"\xff\xd8"
    assert len(dark) < len(seen)
    assert camera.jpeg() == dark
    assert camera.state()["taken"] == 2
    assert camera.state()["refused"] == "not_a_picture"
