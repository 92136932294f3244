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
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROOF = Path(os.environ.get("PLAZA_PROOF_FOLDER", ROOT / "build/proof"))
PARTS = ("updates", "power_cuts", "serves", "site_file")
"""The longest first."""
AT_ONCE = int(os.environ.get("PLAZA_AT_ONCE", "2"))


def prove(part: str) -> tuple[str, bool, float]:
    """One part: if it passed, and how many seconds it took. What it said is in its folder."""
    folder, began = PROOF / part, time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-P", "-m", "pytest", "--durations=0", "-p", "no:cacheprovider"]
    with (folder / "pytest.txt").open("wb") as said:
        done = subprocess.run(
            [*argv, str(HERE / f"test_appliance_{part}.py")],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            env=os.environ | {"PLAZA_APPLIANCE": "1", "PLAZA_PROOF_FOLDER": str(folder)},
        )  # fmt: skip
    return part, done.returncode == 0, time.monotonic() - began


def gather() -> None:
    """The figures of all parts in one file, where `make bench-image` looks for them."""
    found: dict[str, object] = {}
    for part in PARTS:
        path = PROOF / part / "figures.json"
        found |= json.loads(path.read_text()) if path.is_file() else {}
    (PROOF / "figures.json").write_text(json.dumps(found, indent=1) + "\n")


def main() -> int:
    wanted = [part for part in PARTS if not sys.argv[1:] or part in sys.argv[1:]]
    began, failed = time.monotonic(), []
    print(f"{', '.join(wanted)}: {AT_ONCE} at a time; what each says is in {PROOF}", flush=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for each in as_completed([pool.submit(prove, part) for part in wanted]):
            part, passed, seconds = each.result()
            failed += [] if passed else [part]
            print((PROOF / part / "pytest.txt").read_text(errors="replace"))
            print(f"{part}: {'passed' if passed else 'FAILED'}, {seconds:.0f} s", flush=True)
    gather()
    verdict = f"FAILED: {', '.join(failed)}" if failed else "every part passed"
    print(f"The card: {verdict}; {(time.monotonic() - began) / 60:.1f} minutes")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
