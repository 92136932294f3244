"""Prove the card, two machines side by side: `make test-appliance`.

Each file of this folder that starts the card is a run of pytest of its own, with a folder, a city and a
network of its own in `build/proof` (`PLAZA_PROOF_FOLDER`); a machine uses little more than one core. The
longest begin first. `python tests/appliance/run.py serves` runs some; `PLAZA_AT_ONCE=1` one at a time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROOF = Path(os.environ.get("PLAZA_PROOF_FOLDER", ROOT / "build/proof"))
PARTS = ("updates", "power_cuts", "serves", "site_file")
"""The longest first."""
AT_ONCE = int(os.environ.get("PLAZA_AT_ONCE", "2"))


@dataclass(frozen=True, slots=True)
class Proved:
    """`seconds` by the clock; `busy_s` of a processor, everything that the part started counted in."""

    part: str
    passed: bool
    seconds: float
    busy_s: float

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "FAILED"
        return f"{self.part}: {verdict}, {self.seconds:.0f} s, {self.busy_s:.0f} s of a processor"


def prove(part: str) -> Proved:
    """One part, in a folder of its own; what it said is there in `pytest.txt`."""
    folder, began = PROOF / part, time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-P", "-m", "pytest", "--durations=0", "-p", "no:cacheprovider"]
    with (folder / "pytest.txt").open("wb") as said:
        run = subprocess.Popen(
            [*argv, str(HERE / f"test_appliance_{part}.py")],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            env=os.environ | {"PLAZA_APPLIANCE": "1", "PLAZA_PROOF_FOLDER": str(folder)},
        )  # fmt: skip
    _, status, used = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    busy_s = used.ru_utime + used.ru_stime
    return Proved(part, run.returncode == 0, time.monotonic() - began, busy_s)


def gather() -> None:
    """The figures of all parts in one file, where `make bench-image` looks for them."""
    found: dict[str, object] = {}
    for part in PARTS:
        path = PROOF / part / "figures.json"
        found |= json.loads(path.read_text()) if path.is_file() else {}
    (PROOF / "figures.json").write_text(json.dumps(found, indent=1) + "\n")


def main() -> int:
    wanted = [part for part in PARTS if not sys.argv[1:] or part in sys.argv[1:]]
    began, proved = time.monotonic(), []
    print(f"{', '.join(wanted)}: {AT_ONCE} at a time; what each says is in {PROOF}", flush=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for each in as_completed([pool.submit(prove, part) for part in wanted]):
            proved.append(each.result())
            print((PROOF / proved[-1].part / "pytest.txt").read_text(errors="replace"))
            print(proved[-1], flush=True)
    gather()
    failed = [each.part for each in proved if not each.passed]
    verdict = f"FAILED: {', '.join(failed)}" if failed else "every part passed"
    busy = sum(each.busy_s for each in proved) / 60
    minutes = (time.monotonic() - began) / 60
    print(f"The card: {verdict}; {minutes:.1f} minutes, {busy:.1f} minutes of a processor")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
