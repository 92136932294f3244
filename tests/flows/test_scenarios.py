"""Each scenario that ships, played headless on real programs: every step and the final audit hold."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from hardware.bench.devices import DEVICES
from hardware.bench.scenario import Scenario
from hardware.bench.shelf import find, shipped

AT_ONCE = 2
"""A play mostly waits, for people and for paper."""
PATIENCE = "4"

Play = tuple[Path, subprocess.CompletedProcess[str]]


def read(name: str) -> Scenario:
    scenario = find(name)
    assert isinstance(scenario, Scenario), str(scenario)
    return scenario


def lacks(scenario: Scenario) -> str:
    return next((why for d in scenario.devices if (why := DEVICES[d].missing())), "")


def play(name: str, out: Path) -> Play:
    words = ["plaza", "bench", name, "--headless", "--patience", PATIENCE, "--out", str(out)]
    played = subprocess.run(
        [sys.executable, "-P", "-m", *words], capture_output=True, text=True, timeout=240
    )
    return out, played


@pytest.fixture(scope="module")
def plays(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Play]]]:
    """Those that were asked for, begun in their order."""
    here = [i for i in request.session.items if i.path == request.path]
    asked = [i.callspec.params["name"] for i in here if isinstance(i, pytest.Function)]
    pool = ThreadPoolExecutor(AT_ONCE)
    yield {
        name: pool.submit(play, name, tmp_path_factory.mktemp(name))
        for name in asked
        if not lacks(read(name))
    }
    pool.shutdown(cancel_futures=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", shipped())
def test_a_scenario_that_ships_holds_from_its_first_step_to_the_audit(
    plays: dict[str, Future[Play]], name: str
) -> None:
    scenario = read(name)
    if why := lacks(scenario):
        pytest.skip(f"NOT RUN: {why}")
    out, played = plays[name].result()

    assert played.returncode == 0, played.stdout + played.stderr
    summary = json.loads((out / "summary.json").read_text())
    assert summary["ok"] is True
    assert len(summary["steps"]) == len(scenario.steps)
