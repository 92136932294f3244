"""What the queue's carrier costs a node while there is nothing to carry and no city: memory and processor.

The real program (`plaza sync run`, with what it watches of the node), measured by the kernel's own books
(proc(5)) after it has settled.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from municipio.wire.keys import public_pem
from sync.datadir import DataDir
from sync.keys import NodeKey

SETTLE_S = 10.0
WATCH_S = float(os.environ.get("PLAZA_IDLE_S", "60"))


def resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(found) / 1024


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        data = DataDir(Path(name))
        data.create()
        data.city_pub.write_bytes(public_pem(NodeKey.create(data).public))
        data.settings_file.write_text('central.url = "http://127.0.0.1:9"\n')
        argv = [sys.executable, "-P", "-m", "plaza", "sync", "run", "--data", name]
        program = subprocess.Popen(argv)
        try:
            time.sleep(SETTLE_S)
            before, began = cpu_s(program.pid), time.monotonic()
            time.sleep(WATCH_S)
            busy = 100 * (cpu_s(program.pid) - before) / (time.monotonic() - began)
            resident = resident_mb(program.pid)
        finally:
            program.terminate()
            program.wait()
    rows = [
        (
            "sync process, resident, off line with nothing to carry",
            round(resident, 1),
            "MB",
            "<= 60",
        ),
        (f"sync process, processor while idle, over {WATCH_S:.0f} s", round(busy, 2), "%", "< 0.5"),
    ]
    for what, value, unit, goal in rows:
        print(json.dumps({"what": what, "value": value, "unit": unit, "goal": goal}))


if __name__ == "__main__":
    main()
