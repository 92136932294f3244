"""A node that saves energy greets the city less often, and still sends at once what people asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from municipio.clock import Instant, TimeQuality
from municipio.energy import Band
from municipio.usecases.ports import LinkState
from sync.link import FileLink, LinkNote, write_link
from sync.protocol import SLOWEST_S, Exchange, Pace, Rest, Salute, slowed

PACE = Pace(heartbeat_s=5, retry_min_s=5, retry_max_s=1800)


@pytest.mark.parametrize(
    ("band", "beat_s"), [(Band.FULL, 5), (Band.SAVE, 30), (Band.RESERVE, 300), (Band.GUARD, 5)]
)
def test_each_band_has_its_heartbeat(band: Band, beat_s: float) -> None:
    assert slowed(PACE, band) == Pace(beat_s, 5, 1800)


def test_a_heartbeat_is_never_slower_than_the_limit_nor_quicker_than_the_setting() -> None:
    assert slowed(Pace(60, 5, 1800), Band.RESERVE).heartbeat_s == SLOWEST_S
    assert slowed(Pace(900, 5, 1800), Band.RESERVE).heartbeat_s == 900


def test_a_quicker_pace_brings_the_next_salute_nearer() -> None:
    exchange = Exchange(slowed(PACE, Band.RESERVE), lambda: 0.5)
    exchange.saluted(0.0, None)
    assert exchange.next(10.0, ()) == Rest(290.0)
    exchange.keep_pace(10.0, PACE)
    assert exchange.next(10.0, ()) == Rest(5.0)
    assert isinstance(exchange.next(15.0, ()), Salute)


def test_a_slow_heartbeat_is_no_broken_link(tmp_path: Path) -> None:
    class At:
        ms = 0

        def now(self) -> Instant:
            return Instant(None, TimeQuality.UNKNOWN, "b", self.ms)

    at = At()
    link = FileLink(tmp_path / "link.json", at, 5)
    note = LinkNote(
        state=LinkState.ONLINE, waiting=0, last_carried="", since="", written_boot_ms=0, boot="b"
    )
    write_link(tmp_path / "link.json", note)
    at.ms = 16_000
    assert link.report().state is LinkState.UNKNOWN
    slow = LinkNote(
        state=LinkState.ONLINE, waiting=0, last_carried="", since="", written_boot_ms=0, boot="b",
        every_s=300.0,
    )  # fmt: skip
    write_link(tmp_path / "link.json", slow)
    assert link.report().state is LinkState.ONLINE
    at.ms = 901_000
    assert link.report().state is LinkState.UNKNOWN
