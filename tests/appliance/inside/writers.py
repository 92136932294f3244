"""Who has written to the card so far, by unit. One JSON document; bytes.

By the kernel's accounts of each group (`io.stat`), which someone must have asked systemd for
(`IOAccounting=`). Groups that are gone, such as those of programs that a timer starts, are in their
slice's account; what the journal of the file system writes is in nobody's.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
CARD = Path("/sys/class/block/vda/dev").read_text().strip()


def main() -> None:
    found = {f.parent.name: written(f) for f in sorted(GROUPS.glob("system.slice/*/io.stat"))}
    found["all units"] = written(GROUPS / "system.slice/io.stat")
    print(json.dumps({unit: count for unit, count in found.items() if count}))


def written(file: Path) -> int:
    """To the card alone: what is packed in memory is written to a disk as well, and no card wears by it."""
    lines = (line for line in file.read_text().splitlines() if line.split()[:1] == [CARD])
    return sum(int(n) for line in lines for n in re.findall(r"wbytes=(\d+)", line))


if __name__ == "__main__":
    main()
