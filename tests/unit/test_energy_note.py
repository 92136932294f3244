"""The band as other programs read it: a fresh note or, on the sun, save."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from municipio.clock import Instant, TimeQuality
from municipio.energy import (
    STALE_MS,
    Band,
    EnergyNote,
    Supply,
    band_in_force,
    is_below,
    may_start_payments,
    parse_note,
)
from municipio.settings import Settings, parse_settings
from plaza.commands.health import health
from plaza.hardware_look import looked_at
from sync.clock import SystemClock
from sync.datadir import DataDir
from sync.energy_note import KEEP_MS, FileBand, read_energy, write_energy

GUARD = EnergyNote(
    band=Band.GUARD, why="charge", boot="b1", written_boot_ms=1000, since_boot_ms=500
)


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.ms, self.boot = 1000, "b1"

    def now(self) -> Instant:
        return Instant(None, TimeQuality.UNKNOWN, self.boot, self.ms)


def solar() -> Settings:
    return parse_settings({"energy": {"kind": "solar"}})


def node(tmp_path: Path) -> DataDir:
    data = DataDir(tmp_path / "node")
    data.create()
    return data


def test_payments_need_save_or_more() -> None:
    assert [b for b in Band if may_start_payments(b)] == [Band.FULL, Band.SAVE]
    assert is_below(Band.GUARD, Band.RESERVE)
    assert not is_below(Band.FULL, Band.FULL)


@pytest.mark.parametrize(
    ("boot", "ms", "band"),
    [
        ("b1", 1000, Band.GUARD),
        ("b1", 1000 + STALE_MS, Band.GUARD),
        ("b1", 1001 + STALE_MS, Band.SAVE),
        ("b1", 999, Band.SAVE),
        ("b2", 1000, Band.SAVE),
    ],
)
def test_a_note_of_another_boot_or_an_old_one_says_nothing(boot: str, ms: int, band: Band) -> None:
    now = Instant(None, TimeQuality.UNKNOWN, boot, ms)
    assert band_in_force(GUARD, now, Supply.SOLAR) is band
    assert band_in_force(GUARD, now, Supply.GRID) is Band.FULL
    assert band_in_force(None, now, Supply.SOLAR) is Band.SAVE


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"band":"much"}', b"\xff\xfe", b"[" * 5000])
def test_bytes_that_are_no_note_are_none(raw: bytes) -> None:
    assert parse_note(raw) is None


def test_a_program_reads_what_the_energy_program_wrote(tmp_path: Path) -> None:
    data, hands = node(tmp_path), Hands()
    band = FileBand(data, solar(), hands)
    assert band() is Band.SAVE
    write_energy(data.energy_file, GUARD)
    assert read_energy(data.energy_file) == GUARD
    hands.ms += KEEP_MS
    assert band() is Band.GUARD
    assert band.fresh() == GUARD
    hands.ms += STALE_MS + 1
    assert band() is Band.SAVE
    assert band.fresh() is None


def test_a_node_on_the_grid_asks_no_file(tmp_path: Path) -> None:
    data, hands = node(tmp_path), Hands()
    write_energy(data.energy_file, GUARD)
    assert FileBand(data, parse_settings({}), hands)() is Band.FULL


def test_technicians_see_the_controller_through_the_program_that_holds_its_port(
    tmp_path: Path,
) -> None:
    data, clock = node(tmp_path), SystemClock()
    port = tmp_path / "nothing-is-here"
    text = f'[energy]\nkind = "solar"\n[power]\nkind = "vedirect"\nport = "{port}"\n'
    data.settings_file.write_text(text)
    now = clock.now()
    note = EnergyNote(
        band=Band.SAVE,
        why="charge",
        boot=now.boot,
        written_boot_ms=now.boot_ms,
        since_boot_ms=0,
        soc_percent=47,
        battery_mv=12_310,
        confidence="estimated",
        state="ready",
    )
    write_energy(data.energy_file, note)
    found = [f for f in looked_at(data.settings(), data.path) if f.device == "power"]
    assert [(f.state, f.cause) for f in found] == [("ready", "")]
    asked = CliRunner().invoke(health, ["--data", str(data.path)])
    assert "batería 12.31 V, 47 % (estimada)" in asked.output
