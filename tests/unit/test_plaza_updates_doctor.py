"""What the doctor says of updates, from a look that is frozen."""

from __future__ import annotations

from pathlib import Path

import pytest

from plaza.doctor.finding import State as Found
from plaza.image import ImageInfo
from plaza.updates.doctor_check import UpdatesSeen, look_at_updates, update_findings
from plaza.updates.journal import FileJournal
from plaza.updates.state import State
from sync.datadir import DataDir

IMAGE = ImageInfo("1.4.0", "pi", "c", "", "", 5)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.IDLE, Found.OK),
        (State.DOWNLOADING, Found.OK),
        (State.READY, Found.OK),
        (State.INSTALLED, Found.NOTICE),
        (State.TRIAL, Found.NOTICE),
        (State.LEAVING, Found.TROUBLE),
        (State.RETURNED, Found.OK),
    ],
)
def test_each_state_has_its_finding(state: State, expected: Found) -> None:
    [finding] = update_findings(UpdatesSeen(True, state, "1.5.0"))
    assert finding.state is expected
    assert "{" not in finding.what_in(str)


def test_every_state_is_judged() -> None:
    assert all(update_findings(UpdatesSeen(True, state, "1.5.0")) for state in State)


def test_a_version_that_did_not_serve_is_remembered(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    assert look_at_updates(data, None) == UpdatesSeen(has_slots=False)
    assert update_findings(look_at_updates(data, None)) == ()
    FileJournal(tmp_path / "updates").note(returned={"1.5.0": 2, "1.4.0": 2})
    seen = look_at_updates(data, IMAGE)
    assert seen == UpdatesSeen(True, State.IDLE, "", ("1.5.0",))
    told = update_findings(seen)
    assert [f.state for f in told] == [Found.OK, Found.NOTICE]
    assert "1.5.0" in told[1].what_in(str)
