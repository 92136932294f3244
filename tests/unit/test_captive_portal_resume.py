"""Resume codes: what a visit has left survives a new address and a power cut, and never grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from captive_portal.resume import LIFE_MS, MAX_CODES, MAX_MOVES, ResumeBook
from captive_portal.simulator import SimulatedClock
from municipio.clock import TimeQuality


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


def _book(path: Path | None, clock: SimulatedClock) -> ResumeBook:
    return ResumeBook(path, clock)


def test_a_code_is_worth_what_the_visit_has_left_and_time_runs_on(clock: SimulatedClock) -> None:
    book = _book(None, clock)
    code = book.issue("aaaa", 600, 5000, is_limited=True)
    clock.pass_seconds(100)

    left = book.look(code.replace("-", " ").upper())

    assert left is not None
    assert (left.seconds, left.bytes, left.device) == (500, 5000, "aaaa")
    clock.pass_seconds(500)
    assert book.look(code) is None


def test_a_power_cut_gives_back_the_time_that_it_took(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    path = tmp_path / "codes"
    code = _book(path, clock).issue("aaaa", 600, 0, is_limited=False)

    after = SimulatedClock(boot_ms=500)
    after.boot = "another boot"
    book = _book(path, after)

    left = book.look(code)
    assert left is not None
    assert left.seconds == 600
    clock.pass_seconds(600)
    assert _book(path, clock).look(code) is None, "the same boot: its time is over"


def test_a_line_cut_short_by_a_power_cut_loses_only_itself(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    path = tmp_path / "codes"
    book = _book(path, clock)
    first, second = (book.issue(d, 600, 0, is_limited=False) for d in ("aa", "bb"))
    whole = path.read_bytes()

    for cut in range(0, len(whole), 13):
        path.write_bytes(whole[:cut])
        again = _book(path, clock)
        assert again.look("no such code at") is None
        known = [again.look(code) is not None for code in (first, second)]
        assert known[0] >= known[1]
    path.write_bytes(whole[:-5])
    assert _book(path, clock).look(first) is not None


def test_the_file_holds_neither_the_words_nor_an_address(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    path = tmp_path / "codes"
    code = _book(path, clock).issue("0123456789", 600, 0, is_limited=False)

    text = path.read_text()

    assert not any(word in text for word in code.split("-"))
    assert oct(path.stat().st_mode & 0o777) == "0o600"


def test_asked_again_the_same_code_is_shown_and_after_a_restart_a_new_one(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    book = _book(tmp_path / "codes", clock)
    code = book.issue("aaaa", 600, 0, is_limited=False)

    assert book.issue("aaaa", 500, 0, is_limited=False) == code
    later = _book(tmp_path / "codes", clock)
    fresh = later.issue("aaaa", 500, 0, is_limited=False)
    assert fresh != code
    assert later.look(code) is None, "one code a visit"


def test_a_code_moves_with_its_holder_a_few_times_and_ends_with_the_visit(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    book = _book(tmp_path / "codes", clock)
    code = book.issue("d0", 6000, 9000, is_limited=True)
    for n in range(MAX_MOVES):
        left = book.look(code)
        assert left is not None
        assert left.moves_left == MAX_MOVES - n
        assert book.move(left.key, f"d{n + 1}", left.seconds - 10, left.bytes - 1)
    assert book.look(code) is None

    other = book.issue("e0", 600, 0, is_limited=False)
    book.end("e0")
    assert book.look(other) is None
    assert _book(tmp_path / "codes", clock).look(other) is None


def test_checkpoints_are_what_a_power_cut_leaves(tmp_path: Path, clock: SimulatedClock) -> None:
    book = _book(tmp_path / "codes", clock)
    code = book.issue("aa", 600, 9000, is_limited=True)
    clock.pass_seconds(60)

    assert book.checkpoint([("aa", 540, 4000), ("nobody", 5, 5)])

    left = _book(tmp_path / "codes", clock).look(code)
    assert left is not None
    assert (left.seconds, left.bytes) == (540, 4000)


@pytest.mark.parametrize("same_boot", [True, False])
def test_a_code_lives_a_day(tmp_path: Path, clock: SimulatedClock, same_boot: bool) -> None:
    book = _book(tmp_path / "codes", clock)
    code = book.issue("aa", 24 * 3600 + 600, 0, is_limited=False)

    clock.boot_ms += LIFE_MS
    if not same_boot:
        clock.boot, clock.boot_ms = "another", 5
        clock.moment = clock.moment.replace(day=clock.moment.day + 2)

    assert _book(tmp_path / "codes", clock).look(code) is None
    assert _book(tmp_path / "codes", clock).holders() == frozenset()


def test_without_a_believed_clock_a_code_survives_a_power_cut(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    clock.quality = TimeQuality.UNKNOWN
    code = _book(tmp_path / "codes", clock).issue("aa", 600, 0, is_limited=False)
    clock.boot, clock.boot_ms = "another", 5

    assert _book(tmp_path / "codes", clock).look(code) is not None


def test_a_card_that_refuses_gives_no_code(tmp_path: Path, clock: SimulatedClock) -> None:
    book = _book(tmp_path / "no" / "folder" / "codes", clock)

    assert book.issue("aa", 600, 0, is_limited=False) == ""
    assert len(book) == 0


def test_codes_and_their_file_stay_few(tmp_path: Path, clock: SimulatedClock) -> None:
    """Hashing is slow on purpose; the book is filled through one device that asks after each restart."""
    path = tmp_path / "codes"
    book = _book(path, clock)
    code = book.issue("aa", 600, 0, is_limited=False)
    for _ in range(5000 // 500):
        assert book.checkpoint([("aa", 600, n) for n in range(500)])

    assert path.stat().st_size < 1_000_000
    assert _book(path, clock).look(code) is not None
    assert MAX_CODES == 1000
    assert [p.name for p in tmp_path.iterdir()] == ["codes"]
