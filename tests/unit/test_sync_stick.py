"""What screens read about a stick: of this boot, fresh, and nothing of a damaged file."""

from __future__ import annotations

from pathlib import Path

import pytest

from municipio.clock import Instant, TimeQuality
from municipio.stick_words import StickState, Trip
from sync.stick import SHOWN_S, WORKING_S, StickNote, read_trip, write_note


class Now:
    def __init__(self, boot_ms: int, boot: str = "one") -> None:
        self._instant = Instant(None, TimeQuality.UNKNOWN, boot, boot_ms)

    def now(self) -> Instant:
        return self._instant


@pytest.mark.parametrize(
    ("state", "shown_s"), [(StickState.DONE, SHOWN_S), (StickState.WORKING, WORKING_S)]
)
def test_a_note_is_shown_for_a_while(tmp_path: Path, state: StickState, shown_s: int) -> None:
    file = tmp_path / "stick.json"
    write_note(
        file,
        StickNote(state=state, facts_out=3, facts_confirmed=2, written_boot_ms=1000, boot="one"),
    )
    assert read_trip(file, Now(1000 + shown_s * 1000)) == Trip(state, facts=3, confirmed=2)
    assert read_trip(file, Now(1001 + shown_s * 1000)) is None
    assert read_trip(file, Now(999)) is None
    assert read_trip(file, Now(2000, "two")) is None


def test_no_file_and_a_damaged_one_show_nothing(tmp_path: Path) -> None:
    assert read_trip(tmp_path / "none", Now(1)) is None
    (tmp_path / "stick.json").write_bytes(b"[\xff")
    assert read_trip(tmp_path / "stick.json", Now(1)) is None
