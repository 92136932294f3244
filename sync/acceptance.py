"""What a node has seen happen since it was put up: one empty file a sight, made once by whoever saw it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from municipio.acceptance import Sight, Snapshot
from municipio.usecases.ports import LinkReport, LinkState
from sync.datadir import DataDir
from sync.sharing import make_folder, settle_file
from sync.site_state import enrol_file, read_boots, read_site_state

FOLDER = "site-seen"


class SightBook:
    """The sights of one node. Noting one again costs nothing; a disk that refuses loses a tick, no more."""

    def __init__(self, data: DataDir) -> None:
        self._data = data
        self._folder = data.path / FOLDER
        self._known: set[Sight] = set()

    def note(self, sight: Sight) -> None:
        if sight in self._known:
            return
        self._known.add(sight)
        file = self._folder / sight.value
        with contextlib.suppress(OSError):
            if not file.exists():
                make_folder(self._folder)
                _make(file)

    def read(self) -> frozenset[Sight]:
        return frozenset(s for s in Sight if (self._folder / s.value).exists())

    def snapshot(self, link: LinkReport, *, has_printer: bool) -> Snapshot:
        """Everything that the steps are judged by; an empty queue of an answering city is noted here."""
        if link.state is LinkState.ONLINE:
            self.note(Sight.CITY)
            if link.waiting == 0:
                self.note(Sight.QUEUE)
        state = read_site_state(self._data)
        return Snapshot(
            standing="" if state is None else state.standing.value,
            code_waits=enrol_file(self._data).exists(),
            sights=self.read(),
            has_printer=has_printer,
            waiting=link.waiting,
            power_cuts=read_boots(self._data).power_cuts,
        )


def _make(file: Path) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT, 0o660)
    os.fsync(handle)
    os.close(handle)
    settle_file(file)
