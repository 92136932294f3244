"""Edges of devices, body and energy as facts: each that lasts once, and never a flood."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hardware.power.level import FALL_S, STEADY_S, Level, LevelWatch
from hardware.power.state import Confidence, PowerState, nothing_known
from kiosk.simulators import MemoryLedger
from kiosk.vitals import Vitals
from kiosk.vitals_wiring import Body, read_renderer, write_renderer
from municipio.devices import DeviceState, DeviceStatus
from municipio.facts import Lane, lane_of
from municipio.settings import parse_settings
from municipio.usecases.ports import NotRecordedCause
from sync.datadir import DataDir

READY = DeviceStatus(DeviceState.READY)
PAPER_END = DeviceStatus(DeviceState.ATTENTION, "paper_end")


def charged(percent: int) -> PowerState:
    return PowerState(percent, 12_600, None, None, None, None, 0.1, Confidence.MEASURED)


class Node:
    """A kiosk's memory and devices whose states a test sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = MemoryLedger()
        self.devices = {"printer": READY}
        self.power = nothing_known(0.0)
        self.now = 100.0
        self.start()

    def start(self) -> None:
        self.vitals = Vitals(self.ledger, lambda: self.devices, lambda: self.power, self.folder)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += 1.0
            self.vitals.step(self.now)

    def told(self, kind: str = "device.changed") -> list[tuple[str, ...]]:
        fields = ("device", "before", "state", "cause")
        facts = [f for f in self.ledger.facts if f.type.value == kind]
        assert all(lane_of(f.type) is Lane.VIT for f in facts)
        return [tuple(f.data[x] for x in fields if x in f.data) for f in facts]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_a_state_that_lasts_is_a_fact_once(node: Node) -> None:
    node.run(5)
    node.devices["printer"] = PAPER_END
    node.run(60)
    node.devices["printer"] = READY
    node.run(60)

    assert node.told() == [
        ("printer", "", "ready", ""),
        ("printer", "ready", "attention", "paper_end"),
        ("printer", "attention", "ready", ""),
    ]


def test_a_restart_is_no_news_and_a_change_while_away_is(node: Node) -> None:
    node.run(5)
    node.start()
    node.run(30)
    assert len(node.told()) == 1
    node.devices["printer"] = PAPER_END
    node.start()
    node.run(30)

    assert node.told()[-1] == ("printer", "ready", "attention", "paper_end")
    assert len(node.told()) == 2


def test_a_device_that_comes_and_goes_for_an_hour_does_not_flood_the_queue(node: Node) -> None:
    for turn in range(360):
        node.devices["printer"] = PAPER_END if turn % 2 else READY
        node.run(10)

    assert 10 < len(node.told()) <= 6 + 61


def test_a_full_disk_stops_nothing_and_the_next_change_is_told(node: Node) -> None:
    node.ledger.refuse = NotRecordedCause.DISK_FULL
    node.run(10)
    node.ledger.refuse = None
    node.devices["printer"] = PAPER_END
    node.run(10)

    assert node.told() == [("printer", "", "attention", "paper_end")]


def test_a_damaged_memory_of_what_was_told_is_started_anew(node: Node) -> None:
    (node.folder / "vitals.json").write_bytes(b"[1, 2")
    node.start()
    node.run(5)

    assert len(node.told()) == 1


def test_the_energy_level_is_told_when_it_falls_and_not_for_a_cloud(node: Node) -> None:
    node.power = charged(90)
    node.run(FALL_S + 5)
    for percent in (59, 61, 60, 61, 59):
        node.power = charged(percent)
        node.run(30)
    node.power = charged(10)
    node.run(FALL_S + 5)
    node.power = nothing_known(9.0)
    node.run(FALL_S + 5)
    facts = [f.data for f in node.ledger.facts if f.type.value == "energy.changed"]

    assert [(f["before"], f["level"]) for f in facts] == [
        ("", "full"),
        ("full", "save"),
        ("save", "guard"),
        ("guard", "unknown"),
    ]
    assert (facts[0]["soc_percent"], facts[-1]["soc_percent"]) == (90, None)


def test_energy_rises_with_points_to_spare_and_patience() -> None:
    watch, now, told = LevelWatch(), 0.0, []
    for percent, seconds in ((50, 60), (61, 2 * STEADY_S), (62, STEADY_S - 20), (62, 60)):
        end = now + seconds
        while now < end:
            now += 5
            level = watch.see(charged(percent), now)
            told += [] if level is None else [(percent, level)]

    assert told == [(50, Level.SAVE), (62, Level.FULL)]


def test_the_kiosk_tells_of_what_hangs_from_it_and_leaves_its_renderers_name(
    tmp_path: Path,
) -> None:
    """The node's own body is told of by the program that every node has."""
    data, ledger = DataDir(tmp_path / "node"), MemoryLedger()
    data.create()
    write_renderer(data, "llvmpipe (LLVM 15.0.6, 256 bits)")
    body = Body(data, parse_settings({}), ledger.clock, ledger)
    body.start(lambda: {"printer": READY})
    try:
        for _ in range(400):
            time.sleep(0.05)
            if ledger.facts:
                break
    finally:
        body.close()

    assert {f.data["device"] for f in ledger.facts} == {"printer"}
    assert read_renderer(data).startswith("llvmpipe")
