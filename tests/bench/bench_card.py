"""A technician's card: from in to PIN screen, from PIN to signature, from out to logged out; idle cost.

Over the real pcscd with a virtual reader; its polling (0.4 s for such a reader) is part of the figures.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

from hardware.card.driver import PivReader
from hardware.card.private_pcscd import PrivatePcscd, missing
from hardware.card.simulator import CardSimulator
from hardware.card.virtual_piv import VirtualPiv, new_key
from municipio.devices import Pin, Proved, SlotState

ROUNDS = 8
IDLE_S = 4.0


def tell(what: str, value: float, unit: str, goal: str = "") -> None:
    row: dict[str, object] = {"what": what, "value": round(value, 4), "unit": unit}
    if goal:
        row["goal"] = goal
    print(json.dumps(row, ensure_ascii=False), flush=True)


def until(holds: Callable[[], bool]) -> float:
    """Seconds until it holds; the script fails when it never does."""
    began = time.perf_counter()
    while not holds():
        if time.perf_counter() - began > 10:
            raise SystemExit("the card reader never came to the expected state")
        time.sleep(0.002)
    return time.perf_counter() - began


def p95(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=20)[-1]


def rounds(far: CardSimulator, reader: PivReader, kind: str) -> None:
    key = new_key(kind)
    ready, proved, out = [], [], []
    for number in range(ROUNDS):
        # Past the pause that the simulator makes for a human hand, at every phase of the polling.
        time.sleep(0.55 + 0.4 * number / ROUNDS)
        far.insert(VirtualPiv(key))
        ready.append(until(lambda: reader.slot().state is SlotState.READY))
        began = time.perf_counter()
        proof = reader.prove(reader.slot().insertion, Pin("123456"), b"measured")
        proved.append(time.perf_counter() - began)
        assert isinstance(proof, Proved)
        far.remove()
        out.append(until(lambda: reader.slot().state is SlotState.NO_CARD))
    tell(f"card in to PIN asked, {kind}", p95(ready), "s p95", "<= 0.8")
    tell(f"PIN to signed challenge, {kind}", p95(proved) * 1000, "ms p95")
    tell(f"card out to logged out, {kind}", p95(out), "s p95", "<= 0.5")


def main() -> None:
    if missing():
        print(f"NOT RUN: {missing()}", file=sys.stderr)
        return
    pcscd = PrivatePcscd()
    pcscd.start()
    far = CardSimulator(pcscd.port)
    reader = PivReader()
    try:
        until(lambda: reader.slot().state is SlotState.NO_CARD)
        for kind in ("p256", "rsa2048"):
            rounds(far, reader, kind)
        began = time.process_time()
        time.sleep(IDLE_S)
        tell(
            "CPU of the idle card driver",
            (time.process_time() - began) / IDLE_S * 100,
            "% of one core",
            "< 2 for all drivers together",
        )
    finally:
        reader.close()
        far.close()
        pcscd.close()


if __name__ == "__main__":
    main()
