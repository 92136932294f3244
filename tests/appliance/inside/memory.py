"""What a node's memory is used for, by unit. One JSON document; MiB.

`used` is what `free` calls used: all but what the kernel would give at once (MemAvailable). A unit's share
is its programs' own pages that no file stands behind (Pss_Anon): those cannot be given up without swap.
`packed` is what lies in the swap, which is in memory too and counted in `used`, smaller.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

PROC = Path("/proc")


def main() -> None:
    machine = {
        name: int(rest.split()[0]) / 1024
        for name, _, rest in (
            line.partition(":") for line in (PROC / "meminfo").read_text().splitlines()
        )
        if rest
    }
    units: dict[str, float] = defaultdict(float)
    for folder in PROC.glob("[0-9]*"):
        try:
            anon = own_mib(folder)
            unit = (folder / "cgroup").read_text().rpartition("/")[2].strip() or "kernel"
        except OSError:  # it ended meanwhile
            continue
        units[unit] += anon
    kept = (
        "AnonPages", "Shmem", "SUnreclaim", "KernelStack", "PageTables", "Percpu", "VmallocUsed",
        "Mlocked", "Dirty", "MemFree", "Cached",
    )  # fmt: skip
    said = {
        "total": round(machine["MemTotal"], 1),
        "used": round(machine["MemTotal"] - machine["MemAvailable"], 1),
        "packed": round(machine["SwapTotal"] - machine["SwapFree"], 1),
        "proof": round(units.pop("proof-agent.service", 0.0), 1),
        "units": {
            u: round(v, 1) for u, v in sorted(units.items(), key=lambda i: -i[1]) if v >= 0.3
        },
        "kernel": {name: round(machine.get(name, 0.0), 1) for name in kept},
    }
    print(json.dumps(said))


def own_mib(folder: Path) -> float:
    for line in (folder / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
