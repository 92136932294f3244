"""A portal that is being put up: what it has seen work, and the site code that opens its list once.

Before the city's first list of technicians nobody has a link to the technician's pages. Whoever types
the site code gets one; after that, links are made on the node's console (`plaza portal status-link`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from captive_portal.status_key import key_file, load_key, make_key, make_pass
from municipio.acceptance import Sight, Snapshot
from municipio.clock import Clock
from municipio.usecases.ports import Link
from sync.acceptance import SightBook
from sync.datadir import DataDir
from sync.site_code import CodeAnswer, SiteCode
from sync.site_state import read_site_state


class PuttingUp(Protocol):
    """`open` blocks for a moment; it gives a pass with `CodeAnswer.OPENED` only."""

    def note(self, sight: Sight) -> None: ...

    def snapshot(self) -> Snapshot: ...

    def faults(self) -> tuple[str, ...]: ...

    def may_open(self) -> bool: ...

    def open(self, code: str) -> tuple[CodeAnswer, str]: ...


@dataclass(frozen=True, slots=True)
class NodePuttingUp:
    """The node's own notes on disk."""

    data: DataDir
    book: SightBook
    link: Link
    clock: Clock
    node_code: str
    has_printer: bool

    def note(self, sight: Sight) -> None:
        self.book.note(sight)

    def snapshot(self) -> Snapshot:
        return self.book.snapshot(self.link.report(), has_printer=self.has_printer)

    def faults(self) -> tuple[str, ...]:
        state = read_site_state(self.data)
        return () if state is None else state.faults

    def may_open(self) -> bool:
        return SiteCode(self.data).may_open()

    def open(self, code: str) -> tuple[CodeAnswer, str]:
        answer = SiteCode(self.data).try_code(code)
        if answer is not CodeAnswer.OPENED:
            return answer, ""
        file = key_file(self.data.node_key.parent)
        try:
            key = load_key(file) or make_key(file)
        except OSError:
            return CodeAnswer.NOT_STORED, ""
        return answer, make_pass(key, self.node_code, self.clock.now())
