"""Nine days of an ejido on the sun, over the real programs (`make test-ejido`: about two minutes)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not os.environ.get("PLAZA_EJIDO"), reason="long: make test-ejido")
def test_every_promise_of_the_nine_days_is_kept_and_named(tmp_path: Path) -> None:
    out = tmp_path / "tour"
    played = subprocess.run(
        [sys.executable, "-P", "-m", "plaza", "demo", "--tour", "ejido", "--out", str(out)],
        capture_output=True, text=True,
    )  # fmt: skip
    summary = json.loads((out / "summary.json").read_text())
    assert played.returncode == 0, played.stdout + played.stderr
    assert summary["ok"] is True
    steps = summary["steps"]
    assert len(steps) == 10
    assert [s["step"] for s in steps if not s["ok"]] == []
    for promise in ("stick", "power cut", "sun returns", "no payment"):
        assert any(promise in s["step"] for s in steps), f"no step shows: {promise}"
    days = [summary[f"day_of_{band}"] for band in ("save", "reserve", "guard")]
    assert days == sorted(days)
    assert days[-1] - days[0] >= 3, "the cloudy week lasted"
    facts = [json.loads(line) for line in (out / "facts.ndjson").read_text().splitlines()]
    assert len({f["id"] for f in facts}) == len(facts)
