"""Each scenario that ships, played headless on real programs: every step and the final audit hold."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hardware.bench.devices import DEVICES
from hardware.bench.scenario import Scenario
from hardware.bench.shelf import find, shipped


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped())
def test_a_scenario_that_ships_holds_from_its_first_step_to_the_audit(
    name: str, tmp_path: Path
) -> None:
    scenario = find(name)
    assert isinstance(scenario, Scenario), str(scenario)
    lacks = [why for d in scenario.devices if (why := DEVICES[d].missing())]
    if lacks:
        pytest.skip(f"NOT RUN: {lacks[0]}")

    played = subprocess.run(
        [sys.executable, "-P", "-m", "plaza", "bench", name, "--headless", "--out", str(tmp_path)],
        capture_output=True, text=True,
    )  # fmt: skip

    assert played.returncode == 0, played.stdout + played.stderr
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["ok"] is True
    assert len(summary["steps"]) == len(scenario.steps)
