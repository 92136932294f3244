"""Watches the uplink inside a namespace and prints each change with its moment. Run as a script."""

from __future__ import annotations

import sys
import time

from captive_portal.simulator import RunningClock, SimulatedLink
from captive_portal.uplink import UplinkWatch

if __name__ == "__main__":
    interface, *targets = sys.argv[1:]
    watch = UplinkWatch(SimulatedLink(), RunningClock(), targets, interface)
    watch.start()
    told = ""
    while True:
        state = watch.report().state.value
        if state != told:
            told = state
            print(f"{time.monotonic():.3f} {state}", flush=True)
        time.sleep(0.02)
