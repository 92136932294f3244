"""Run every benchmark of this folder and print one table: `make bench`.

Each `bench_*.py` is a script that prints one JSON object per line with `what`, `value`, `unit` and,
where there is one, `goal` and `peer`. `python tests/bench/run.py ledger search` runs some of them.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TIMEOUT_S = int(os.environ.get("PLAZA_BENCH_TIMEOUT_S", "300"))


def _rows(script: Path) -> list[dict[str, object]]:
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(script)],
            capture_output=True, text=True, timeout=TIMEOUT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return [{"what": f"{script.stem} did not end in {TIMEOUT_S} s", "value": "", "unit": ""}]
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        rows.append({"what": f"{script.stem} FAILED: {last}", "value": "", "unit": ""})
    return rows


def _number(value: object) -> str:
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3g}"


def main() -> int:
    wanted = sys.argv[1:]
    scripts = [s for s in sorted(HERE.glob("bench_*.py")) if not wanted or s.stem[6:] in wanted]
    print(f"# {platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'what':<66} {'value':>10} {'unit':<12} {'goal':<12} beside")
    failed = False
    for script in scripts:
        for row in _rows(script):
            failed |= "FAILED" in str(row["what"]) or "did not end" in str(row["what"])
            print(
                f"{row['what']!s:<66} {_number(row['value']):>10} {row.get('unit', '')!s:<12} "
                f"{row.get('goal', '')!s:<12} {row.get('peer', '')}",
                flush=True,
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
