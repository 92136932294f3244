"""Programs started anew through systemctl, and what it says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from plaza.unit_control import MemoryUnits, SystemdUnits, Units

SYSTEMCTL = """#!/bin/sh
echo "$*" >> {log}
[ "$2" = show ] || {{ [ "$3" = bad.service ] && {{ echo "Access denied" >&2; exit 1; }}; exit 0; }}
case "$5" in
well.service) echo ActiveState=active; echo NRestarts=2 ;;
dead.service) echo NRestarts=9; echo ActiveState=failed ;;
coming.service) echo NRestarts=1; echo ActiveState=activating ;;
resting.service) echo NRestarts=0; echo ActiveState=inactive ;;
*) exit 1 ;;
esac
"""


@pytest.fixture
def systemctl(tmp_path: Path) -> Path:
    program = tmp_path / "systemctl"
    program.write_text(SYSTEMCTL.format(log=tmp_path / "log"))
    program.chmod(0o755)
    return program


def test_a_unit_that_runs_says_how_often_it_was_started_again(systemctl: Path) -> None:
    names = ["well.service", "dead.service", "coming.service", "resting.service", "none.service"]
    found = SystemdUnits(str(systemctl)).restarts(names)
    assert found == {"well.service": 2, "dead.service": -1, "coming.service": -1}


def test_only_what_runs_is_started_anew(systemctl: Path, tmp_path: Path) -> None:
    units = SystemdUnits(str(systemctl))
    assert units.restart([]) == ""
    assert not (tmp_path / "log").exists()
    assert units.restart(["a.service", "b.service"]) == ""
    assert (tmp_path / "log").read_text() == "--no-ask-password try-restart a.service b.service\n"
    assert units.restart(["bad.service"]) == "Access denied"


def test_a_systemctl_that_is_not_there_is_told() -> None:
    units = SystemdUnits("/nowhere/systemctl")
    assert "No such file" in units.restart(["a.service"])
    assert units.restarts(["a.service"]) == {}


def test_the_one_in_memory_does_the_same() -> None:
    units: Units = MemoryUnits(["a", "b"], broken=["b"])
    assert units.restart(["a", "c"]) == ""
    assert units.restarts(["a", "b", "c"]) == {"a": 0, "b": 1}
    assert units.restarts(["b"]) == {"b": 2}
