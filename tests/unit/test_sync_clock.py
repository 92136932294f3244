from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from municipio.clock import TimeQuality
from sync.clock import SystemClock, system_quality


def test_a_clock_reads_boot_and_time() -> None:
    clock = SystemClock(quality=lambda: TimeQuality.SYNCED)
    first, second = clock.now(), clock.now()
    assert first.boot == second.boot
    assert second.boot_ms >= first.boot_ms
    assert first.is_trusted


def test_without_discipline_the_time_is_not_before_the_last_proof(tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.write_text(json.dumps({"last_carried": "2190-01-01T00:00:00.000Z"}))
    instant = SystemClock(link, lambda: TimeQuality.FLOOR).now()
    assert instant.time == datetime(2190, 1, 1, tzinfo=UTC)
    assert not instant.is_trusted


def test_a_damaged_proof_is_no_proof(tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    for text in ("", "[]", "{", '{"last_carried": 5}', '{"last_carried": ""}'):
        link.write_text(text)
        assert SystemClock(link, lambda: TimeQuality.FLOOR).now().time is not None


def test_the_operating_system_says_one_of_two_things() -> None:
    assert system_quality() in {TimeQuality.SYNCED, TimeQuality.FLOOR}


def test_a_floor_rises_with_what_passes_and_never_falls() -> None:
    clock = SystemClock(quality=lambda: TimeQuality.FLOOR)
    proof = datetime(2190, 1, 1, tzinfo=UTC)
    clock.raise_floor(proof)
    first, second = clock.now(), clock.now()
    assert first.time is not None
    assert second.time is not None
    assert proof <= first.time <= second.time
    clock.raise_floor(datetime(2100, 1, 1, tzinfo=UTC))
    third = clock.now()
    assert third.time is not None
    assert third.time >= second.time


def test_a_synced_clock_behind_a_proof_loses_its_trust() -> None:
    clock = SystemClock(quality=lambda: TimeQuality.SYNCED)
    assert clock.now().is_trusted
    clock.raise_floor(datetime(2190, 1, 1, tzinfo=UTC))
    assert clock.now().quality is TimeQuality.FLOOR
