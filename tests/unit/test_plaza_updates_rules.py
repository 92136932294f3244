"""When a node takes, fetches and installs an update, and which step may follow which."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from municipio.energy import Band
from municipio.wire.software import (
    Bundle,
    SoftwareProblem,
    bundle_target,
    decode_custom,
    decode_index,
    encode_custom,
    encode_index,
    version_key,
)
from plaza.quiet import Busy
from plaza.updates.journal import FileJournal
from plaza.updates.rules import (
    MAX_TRIES,
    WORDS,
    Here,
    Moment,
    No,
    Window,
    may_fetch,
    may_install,
    refusal,
    tries_spent,
)
from plaza.updates.state import TRANSITIONS, Cause, Event, Journal, RuleBroken, State, after
from plaza.updates.told import STATES
from plaza.updates.updater import arrived

NIGHT = datetime(2026, 1, 20, 3, 0)  # noqa: DTZ001 - the hour of the place
NOON = datetime(2026, 1, 20, 12, 0)  # noqa: DTZ001 - the hour of the place
HERE = Here("1.4.0", "pi", 5, 3, NIGHT)
TARGET = "software/pi/plaza-pi-1.5.0.raucb"
BUNDLE = Bundle("1.5.0", "pi", 5, 1, 9, None, False, TARGET, 1000, "a" * 64)
WINDOW = Window(2, 5)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.4.0", "1.4.1"), ("1.9.0", "1.10.0"), ("1.5.0-rc.1", "1.5.0"), ("1.5.0-rc.2", "1.5.0-rc.10"),
        ("1.5.0-beta", "1.5.0-rc"), ("1.4", "1.4.1"), ("0.1.0", "0.1.0.1"), ("1.5.0-1", "1.5.0-a"),
    ],
)  # fmt: skip
def test_versions_have_an_order(older: str, newer: str) -> None:
    assert version_key(older) < version_key(newer)


def test_what_follows_a_plus_and_zeros_at_the_end_do_not_count() -> None:
    assert version_key("1.5.0+abc") == version_key("1.5") == version_key("1.5.0")


@pytest.mark.parametrize(
    "wrong", ["", "1", "v1.2", "1.2.", "1..2", "1.2-", "1.2;rm", "1.2\n", "١.٢"]
)
def test_what_is_no_version_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="no version"):
        version_key(wrong)


@pytest.mark.parametrize(
    ("changed", "here", "expected"),
    [
        ({}, {}, None),
        ({"board": "vm-amd64"}, {}, No.BOARD),
        ({}, {"version": "1.5.0"}, No.SAME),
        ({}, {"version": "1.6.0"}, No.OLDER),
        ({}, {"version": "1.5.0+x"}, No.OLDER),
        ({"goes_back": True}, {"version": "1.6.0"}, None),
        ({"ring": 2}, {}, No.RING),
        ({"ring": 3}, {}, None),
        ({"not_before": date(2026, 1, 21)}, {}, No.NOT_YET),
        ({"not_before": date(2026, 1, 20)}, {}, None),
        ({"not_before": date(2026, 1, 20)}, {"local": None}, No.CLOCK),
        ({"min_ledger_schema": 6, "ledger_schema": 6}, {}, No.SCHEMA),
        ({"ledger_schema": 6}, {}, None),
        ({"ledger_schema": 105}, {}, No.SCHEMA),
        ({"ledger_schema": 4, "goes_back": True}, {"version": "1.6.0"}, None),
        ({"ledger_schema": 0, "min_ledger_schema": 0}, {}, None),
    ],
)
def test_which_bundle_a_node_takes(
    changed: dict[str, object], here: dict[str, object], expected: No | None
) -> None:
    bundle = replace(BUNDLE, **changed)  # type: ignore[arg-type]
    assert refusal(bundle, replace(HERE, **here), Journal()) is expected  # type: ignore[arg-type]


def test_a_version_that_did_not_serve_is_not_tried_for_ever() -> None:
    once, twice = Journal(returned={"1.5.0": 1}), Journal(returned={"1.5.0": MAX_TRIES})
    assert refusal(BUNDLE, HERE, once) is None
    assert refusal(BUNDLE, HERE, twice) is No.RETURNED
    assert tries_spent(Cause.UNHEALTHY) == tries_spent(Cause.BY_HAND) == MAX_TRIES
    assert tries_spent(Cause.NOT_STARTED) == 1, "the power may have been cut during its trial"


@pytest.mark.parametrize(
    ("band", "busy", "told", "local", "expected"),
    [
        (Band.FULL, None, False, NIGHT, None),
        (Band.SAVE, None, False, NIGHT, None),
        (Band.RESERVE, None, True, NIGHT, No.ENERGY),
        (Band.GUARD, None, True, NIGHT, No.ENERGY),
        (Band.FULL, Busy.PAYMENT, True, NIGHT, No.PAYMENT),
        (Band.FULL, Busy.PERSON, True, NIGHT, No.PERSON),
        (Band.FULL, None, False, NOON, No.HOURS),
        (Band.FULL, None, True, NOON, None),
        (Band.FULL, None, False, None, No.CLOCK),
        (Band.FULL, None, True, None, None),
    ],
)
def test_when_a_node_may_start_anew(
    band: Band, busy: Busy | None, told: bool, local: datetime | None, expected: No | None
) -> None:
    here = replace(HERE, local=local)
    assert may_install(Moment(band, busy, told), here, WINDOW) is expected


def test_the_window_may_hold_midnight() -> None:
    window = Window(23, 4)
    held = [h for h in range(24) if window.holds(NIGHT.replace(hour=h))]
    assert held == [0, 1, 2, 3, 23]
    assert not any(Window(2, 2).holds(NIGHT.replace(hour=h)) for h in range(24))


def test_fetching_wants_energy_and_room() -> None:
    assert may_fetch(BUNDLE, Band.SAVE, 10**9) is None
    assert may_fetch(BUNDLE, Band.RESERVE, 10**9) is No.ENERGY
    assert may_fetch(BUNDLE, Band.FULL, 10**8) is No.ROOM


def test_the_table_of_steps_has_a_way_out_of_every_state_and_words_for_all() -> None:
    assert {state for state, _ in TRANSITIONS} == set(State)
    assert set(TRANSITIONS.values()) == set(State)
    assert {event for _, event in TRANSITIONS} == set(Event)
    assert set(WORDS) == set(No)
    assert set(STATES) == set(State)
    with pytest.raises(RuleBroken):
        after(State.IDLE, Event.INSTALL_DONE)
    for state in (State.INSTALLING, State.INSTALLED, State.TRIAL, State.LEAVING):
        with pytest.raises(RuleBroken):
            after(state, Event.OFFERED)


@pytest.mark.parametrize(
    ("state", "booted", "boot", "expected"),
    [
        (State.INSTALLING, "rootfs.0", "b1", Event.INTERRUPTED),
        (State.INSTALLING, "rootfs.1", "b2", Event.NEW_RUNS),
        (State.INSTALLED, "rootfs.0", "b1", None),
        (State.INSTALLED, "rootfs.0", "b2", Event.OLD_RUNS),
        (State.INSTALLED, "rootfs.1", "b2", Event.NEW_RUNS),
        (State.TRIAL, "rootfs.1", "b3", None),
        (State.TRIAL, "rootfs.0", "b3", Event.OLD_RUNS),
        (State.LEAVING, "rootfs.1", "b3", None),
        (State.LEAVING, "rootfs.0", "b3", Event.OLD_RUNS),
        (State.GOOD, "rootfs.1", "b3", None),
        (State.GOOD, "rootfs.0", "b3", Event.OLD_RUNS),
        (State.RETURNED, "rootfs.0", "b3", None),
        (State.RETURNED, "rootfs.1", "b3", Event.NEW_RUNS),
        (State.IDLE, "rootfs.1", "b3", None),
        (State.READY, "rootfs.0", "b3", None),
    ],
)
def test_what_the_slot_that_runs_says(
    state: State, booted: str, boot: str, expected: Event | None
) -> None:
    journal = Journal(state=state, boot="b1", old_slot="rootfs.0")
    assert arrived(journal, booted, boot) is expected


def test_the_journal_is_whole_or_the_one_before(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "updates")
    assert journal.read() == Journal()
    journal.move(Event.OFFERED, bundle=BUNDLE, version="1.5.0", returned={"1.4.9": 2})
    journal.move(Event.FETCHING)
    journal.move(Event.FETCHED, file="/x")
    with pytest.raises(RuleBroken):
        journal.move(Event.FOUND_GOOD)
    found = FileJournal(tmp_path / "updates").read()
    assert (found.state, found.bundle, found.file) == (State.READY, BUNDLE, "/x")
    assert found.returned == {"1.4.9": 2}
    (tmp_path / "updates" / "journal.json").write_bytes(b'{"state":')
    assert journal.read() == Journal()
    assert (tmp_path / "updates" / "journal.damaged").exists()


def test_the_version_before_reads_the_journal_of_a_newer_one(tmp_path: Path) -> None:
    file = tmp_path / "journal.json"
    newer = {"state": "trial", "version": "1.5.0", "tomorrow": {"a": 1}, "old_slot": "rootfs.0"}
    file.write_text(json.dumps(newer))
    found = FileJournal(tmp_path).read()
    assert (found.state, found.version, found.old_slot) == (State.TRIAL, "1.5.0", "rootfs.0")
    file.write_text(json.dumps(newer | {"state": "singing", "returned": {"1.4.9": 2}}))
    found = FileJournal(tmp_path).read()
    assert found == Journal(returned={"1.4.9": 2, "1.5.0": 1}), "it is not tried for ever"
    assert file.exists()


def test_the_slot_on_trial_is_marked_for_who_must_act_without_us(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    marks = lambda: sorted(p.name for p in tmp_path.glob("trial-*"))  # noqa: E731
    journal.note(state=State.READY)
    journal.move(Event.INSTALL_BEGUN, old_slot="rootfs.0")
    assert marks() == ["trial-B"]
    journal.move(Event.INSTALL_DONE)
    journal.move(Event.NEW_RUNS)
    assert marks() == ["trial-B"]
    journal.move(Event.FOUND_GOOD)
    assert marks() == []


def test_what_is_signed_beside_a_bundle_reads_back() -> None:
    for bundle in (BUNDLE, replace(BUNDLE, not_before=date(2026, 2, 1), goes_back=True, ring=1)):
        custom = encode_custom(bundle)
        assert decode_custom(custom, TARGET, 1000, "a" * 64) == bundle


@pytest.mark.parametrize(
    ("changed", "target", "size"),
    [
        ({"v": 2}, TARGET, 1000),
        ({"version": "1.6.0"}, TARGET, 1000),
        ({"board": "../pi"}, TARGET, 1000),
        ({"ring": 0}, TARGET, 1000),
        ({"ring": "1"}, TARGET, 1000),
        ({"min_ledger_schema": 6}, TARGET, 1000),
        ({"min_ledger_schema": 0}, TARGET, 1000),
        ({"not_before": "mañana"}, TARGET, 1000),
        ({"extra": 1}, TARGET, 1000),
        ({}, TARGET.replace("pi/", "x/"), 1000),
        ({}, TARGET, 0),
        ({}, TARGET, 2**40),
    ],
)
def test_a_bundle_that_cannot_be_is_left_out(
    changed: dict[str, object], target: str, size: int
) -> None:
    custom = {**encode_custom(BUNDLE), **changed}
    assert isinstance(decode_custom(custom, target, size, "a" * 64), SoftwareProblem)
    assert isinstance(decode_custom(None, TARGET, 1000, "a" * 64), SoftwareProblem)


def test_the_list_of_a_board_names_only_its_own() -> None:
    assert decode_index(encode_index([TARGET]), "pi") == (TARGET,)
    for raw in (b"", b"[]", encode_index([TARGET.replace("/pi/", "/vm-amd64/")]),
                encode_index(["software/pi/../../x"]), encode_index([TARGET] * 5)):  # fmt: skip
        assert isinstance(decode_index(raw, "pi"), SoftwareProblem)
    with pytest.raises(ValueError, match="none of"):
        bundle_target("nada", "1.0")
