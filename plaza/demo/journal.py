"""The node's own journal, read beside the programs that write it: the newest facts, and counts of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw

from municipio.cash import count_box
from municipio.fact_names import fact_name
from sync.clock import SystemClock
from sync.database import LedgerDamaged, query
from sync.ledger import SqliteLedger, open_ledger

if TYPE_CHECKING:
    from plaza.demo.stage import Stage

_ACKED = """
SELECT f.body, f.seq <= coalesce(c.acked, 0) FROM fact f
LEFT JOIN chain c ON c.lane = f.lane AND c.epoch = f.epoch
"""


class Journal:
    """Opened for each look: a ledger that a power cut left behind is never held here."""

    def __init__(self, path: Path, node_code: str, inegi: str) -> None:
        self._path = path
        self._node_code = node_code
        self._inegi = inegi

    @classmethod
    def of(cls, stage: Stage) -> Journal:
        """The journal of a stage's node."""
        settings = stage.settings
        path = stage.plan.node / "ledger.sqlite"
        return cls(path, settings.node_code, settings.text("city.inegi"))

    def newest(self, count: int) -> list[dict[str, Any]]:
        """Newest first: id, type, name, lane, seq, time, whether the city holds it, and the short data."""
        held = self._read()
        held.sort(key=lambda pair: str(pair[0]["id"]), reverse=True)
        return [_line(fact, acked) for fact, acked in held[:count]]

    def facts(self) -> list[dict[str, Any]]:
        """Every fact that the node keeps."""
        return [fact for fact, _ in self._read()]

    def cash_inside(self) -> int:
        """Centavos of coins and notes that should lie in the boxes, from the cash-box ledger."""
        with self._ledger() as ledger:
            if ledger is None:
                return 0
            box = count_box(ledger.cash_counts())
        return box.coins_centavos + box.notes_centavos

    def _read(self) -> list[tuple[dict[str, Any], bool]]:
        with self._ledger() as ledger:
            if ledger is None:
                return []
            with ledger.reading() as connection:
                rows = query(connection, _ACKED)
        return [(json.loads(bytes(body)), bool(acked)) for body, acked in rows]

    @contextmanager
    def _ledger(self) -> Iterator[SqliteLedger | None]:
        if not self._path.exists():
            yield None
            return
        try:
            ledger = open_ledger(self._path, SystemClock(), self._node_code, self._inegi)
        except apsw.Error:
            yield None
            return
        if isinstance(ledger, LedgerDamaged):
            yield None
            return
        try:
            yield ledger
        finally:
            ledger.close()


def _line(fact: dict[str, Any], acked: bool) -> dict[str, Any]:
    data = fact.get("data", {})
    name = fact_name(fact["type"])
    shown = {k: v for k, v in data.items() if isinstance(v, str | int) and len(str(v)) <= 40}
    return {
        "id": fact["id"],
        "type": fact["type"],
        "name": name[0].upper() + name[1:],
        "lane": fact["lane"],
        "seq": fact["seq"],
        "time": fact.get("time", ""),
        "quality": fact.get("timequality", ""),
        "acked": acked,
        "data": dict(list(shown.items())[:4]),
    }
