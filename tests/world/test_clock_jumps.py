"""A wall clock that jumps by years, under real programs (libfaketime): order, proofs and trust hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from municipio.facts import parse_time
from sync.clock import SystemClock
from sync.ledger import SqliteLedger, open_ledger
from sync.verify import verify_ledger

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
pytestmark = pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed")

_PROGRAM = """
import json, sys
from pathlib import Path
from municipio.clock import TimeQuality
from municipio.facts import FactDraft, FactType, format_time
from municipio.usecases.ports import Recorded
from sync.clock import SystemClock
from sync.ledger import open_ledger
folder = Path(sys.argv[1])
clock = SystemClock(folder / "link.json", lambda: TimeQuality(sys.argv[2]))
ledger = open_ledger(folder / "ledger.sqlite", clock, "COA007", "30039")
for line in sys.stdin:
    done = ledger.record(FactDraft(FactType.REPORT_FILED, {}))
    assert isinstance(done, Recorded), done
    fact = done.fact
    print(json.dumps([fact.seq, fact.bootms, format_time(fact.time), fact.timequality]), flush=True)
"""


class Program:
    """One program of the node, whose wall clock the test moves while it runs."""

    def __init__(self, folder: Path, quality: str) -> None:
        self._jump = folder / "jump"
        self.jump("+0")
        env = {
            **os.environ,
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._jump),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(folder), quality],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
        )  # fmt: skip

    def jump(self, by: str) -> None:
        self._jump.write_text(by)

    def record(self) -> tuple[int, int, datetime, str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(file=self._process.stdin, flush=True)
        found: list[Any] = json.loads(self._process.stdout.readline())
        return found[0], found[1], parse_time(found[2]), found[3]

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        assert self._process.wait(timeout=30) == 0
        self._process.stdout.close()


def city_said(folder: Path, moment: datetime) -> None:
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    (folder / "link.json").write_text(json.dumps({"city_time": text}))


def test_jumps_of_years_inside_a_boot_disorder_nothing(tmp_path: Path) -> None:
    start = datetime.now(UTC)
    city_said(tmp_path, start)
    program = Program(tmp_path, "floor")
    facts = [program.record()]
    for jump in ("-3000d", "+3650d", "-20000d", "+0"):
        program.jump(jump)
        facts.append(program.record())
    program.end()
    assert [seq for seq, *_ in facts] == [1, 2, 3, 4, 5]
    assert [boot for _, boot, *_ in facts] == sorted(boot for _, boot, *_ in facts)
    assert all(time >= start - timedelta(seconds=1) for *_, time, _ in facts)
    ledger = open_ledger(tmp_path / "ledger.sqlite", SystemClock(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    assert verify_ledger(ledger).problems == ()
    ledger.close()


def test_a_synced_clock_that_falls_behind_the_citys_word_is_not_believed(tmp_path: Path) -> None:
    start = datetime.now(UTC)
    city_said(tmp_path, start)
    program = Program(tmp_path, "synced")
    assert program.record()[3] == "synced"
    program.jump("-3650d")
    _, _, time, quality = program.record()
    assert quality == "floor"
    assert start - timedelta(seconds=1) <= time <= start + timedelta(minutes=30)
    program.jump("+0")
    assert program.record()[3] == "synced"
    program.end()


def test_after_a_restart_without_a_clock_time_goes_on_from_the_last_trusted_fact(
    tmp_path: Path,
) -> None:
    program = Program(tmp_path, "rtc")
    before = program.record()[2]
    program.end()
    program = Program(tmp_path, "floor")
    program.jump("-7000d")
    _, _, time, quality = program.record()
    program.end()
    assert quality == "floor"
    assert time >= before


def test_a_clock_that_was_ten_years_ahead_does_not_stay_there(tmp_path: Path) -> None:
    """The battery of an RTC fails upwards once: its facts say so for ever, the node recovers."""
    start = datetime.now(UTC)
    program = Program(tmp_path, "rtc")
    program.jump("+3650d")
    assert program.record()[2] > start + timedelta(days=3000)
    program.end()
    program = Program(tmp_path, "rtc")
    assert program.record()[2] < start + timedelta(days=2)
    program.end()
