"""The worker's note lives in memory; the proofs of time in it outlive a power cut."""

from __future__ import annotations

from pathlib import Path

from municipio.usecases.ports import LinkState
from sync.link import LinkFile, LinkNote, read_link


def note(city_time: str = "2026-01-31T12:00:05.000Z", carried: str = "") -> LinkNote:
    return LinkNote(
        state=LinkState.ONLINE, waiting=0, last_carried=carried, city_time=city_time,
        since="", written_boot_ms=1, boot="b",
    )  # fmt: skip


def test_what_changes_every_few_seconds_does_not_reach_the_card(tmp_path: Path) -> None:
    live, kept = tmp_path / "live.json", tmp_path / "kept.json"
    file = LinkFile(live, kept)
    file.write(note())
    file.write(note("2026-01-31T12:00:10.000Z"))

    assert read_link(live) == note("2026-01-31T12:00:10.000Z")
    assert read_link(kept) == note()


def test_a_new_hour_and_facts_that_were_carried_do(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    file = LinkFile(tmp_path / "live.json", kept)
    file.write(note())
    carried = note("2026-01-31T12:00:10.000Z", carried="2026-01-31T12:00:09.000Z")
    file.write(carried)
    assert read_link(kept) == carried

    file.write(note("2026-01-31T13:00:00.000Z", carried="2026-01-31T12:00:09.000Z"))
    assert read_link(kept) == note("2026-01-31T13:00:00.000Z", carried="2026-01-31T12:00:09.000Z")


def test_after_a_power_cut_the_proofs_are_where_programs_look_for_them(tmp_path: Path) -> None:
    live, kept = tmp_path / "live.json", tmp_path / "kept.json"
    LinkFile(live, kept).write(note())
    live.unlink()

    assert LinkFile(live, kept).begin() == note()
    assert read_link(live) == note()


def test_where_both_are_one_file_there_is_one_write(tmp_path: Path) -> None:
    path = tmp_path / "link.json"
    LinkFile(path, path).write(note())
    assert [p.name for p in tmp_path.iterdir()] == ["link.json"]
    assert LinkFile(tmp_path / "none.json").begin() is None
