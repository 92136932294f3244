"""The half of an update that needs no power over the machine: choose what is offered, fetch it whole.

What is fetched lies in `DATA/updates/<sha256>.raucb`; half of it in `<sha256>.part`, and the next round
goes on where the last one ended, also after a power cut or with a stick instead of the network.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from municipio.energy import Band
from municipio.wire.software import Bundle
from plaza.updates.journal import JournalStore
from plaza.updates.rules import Here, No, is_under_way, may_fetch, refusal
from plaza.updates.state import Event, Journal, Source, State


class Fetch(StrEnum):
    """How a try to fetch ended."""

    WHOLE = "whole"
    PAUSED = "paused"
    """Something more urgent wants the link, or energy ran low; what is here stays."""
    BROKEN_OFF = "broken_off"
    """The link or the stick ended in the middle; what is here stays."""
    WRONG = "wrong"
    """Whole, and not the file that the city signed: it is thrown away."""


class Round(StrEnum):
    NOTHING = "nothing"
    """Nothing newer is offered."""
    UNDER_WAY = "under_way"
    READY = "ready"
    PAUSED = "paused"
    BROKEN_OFF = "broken_off"
    WRONG = "wrong"


_ENDS = {
    Fetch.WHOLE: Round.READY,
    Fetch.PAUSED: Round.PAUSED,
    Fetch.BROKEN_OFF: Round.BROKEN_OFF,
    Fetch.WRONG: Round.WRONG,
}


@dataclass(frozen=True, slots=True)
class Means:
    """What a round has at hand. `wave` asks the city whether this version may go to this node now."""

    here: Here
    boot: str
    boot_ms: Callable[[], int]
    folder: Path
    is_automatic: bool
    band: Callable[[], Band]
    free_bytes: Callable[[], int]
    wave: Callable[[str], bool]
    download: Callable[[Bundle, Path, Callable[[], bool]], Fetch]
    """Into `<path>.part`, then whole as `path`; asks now and then whether it may go on."""


class Fetcher:
    def __init__(self, means: Means, journal: JournalStore) -> None:
        self._means = means
        self._journal = journal

    def round(self, offers: Sequence[Bundle], source: Source) -> Round | No:
        """Bring the newest bundle that this node may have, or say why not. May take hours."""
        journal = self._journal.read()
        if is_under_way(journal.state):
            return Round.UNDER_WAY
        if journal.state is State.READY and journal.source is Source.HAND:
            return Round.READY
        judged = [(bundle, refusal(bundle, self._means.here, journal)) for bundle in offers]
        fit = [bundle for bundle, no in judged if no is None]
        if not fit:
            self._drop(journal)
            newest = judged[0][1] if judged else None
            return newest if newest not in (None, No.SAME) else Round.NOTHING
        return self._bring(fit[0], source, self._chosen(fit[0], source, journal))

    def _bring(self, bundle: Bundle, source: Source, journal: Journal) -> Round | No:
        no = self._permission(bundle, source)
        if no is not None:
            return no
        file = bundle_file(self._means.folder, bundle)
        if journal.state is State.READY and file.exists():
            return Round.READY
        no = may_fetch(bundle, self._means.band(), self._means.free_bytes() + _size(_part(file)))
        if no is not None:
            return no
        if journal.state is State.READY:  # somebody took the file away
            self._journal.move(Event.OFFERED)
        self._journal.move(Event.FETCHING)
        ended = Fetch.WHOLE if file.exists() else self._download(bundle, file)
        if ended is Fetch.WHOLE:
            self._journal.move(Event.FETCHED, file=str(file))
        elif ended is Fetch.WRONG:
            self._drop(self._journal.read())
        return _ENDS[ended]

    def _chosen(self, bundle: Bundle, source: Source, journal: Journal) -> Journal:
        """A new offer takes the place of one that was not begun; what lies here of others goes."""
        if journal.bundle == bundle and journal.state is not State.IDLE:
            return journal if journal.source is source else self._journal.note(source=source)
        keep = bundle_file(self._means.folder, bundle)
        self._clean(keep)
        # A person stands at a node without any clock: there, no hour would ever come.
        told = source is Source.STICK and self._means.here.local is None
        fresh: dict[str, Any] = {"file": "", "attempts": 0, "wave": False, "told": told}
        fresh |= {"bundle": bundle, "version": bundle.version, "source": source}
        return self._journal.move(Event.OFFERED, **fresh)

    def _permission(self, bundle: Bundle, source: Source) -> No | None:
        if source is not Source.CITY:
            return None
        if not self._means.is_automatic:
            return No.SWITCHED_OFF
        go = self._means.wave(bundle.version)
        self._journal.note(wave=go, wave_boot=self._means.boot, wave_ms=self._means.boot_ms())
        return None if go else No.WAVE

    def _download(self, bundle: Bundle, file: Path) -> Fetch:
        def may_go_on() -> bool:
            free = self._means.free_bytes() + _size(_part(file))
            return may_fetch(bundle, self._means.band(), free) is None

        return self._means.download(bundle, file, may_go_on)

    def _drop(self, journal: Journal) -> None:
        if journal.state is not State.IDLE:
            self._journal.move(Event.DROPPED, bundle=None, version="", file="", wave=False)
        self._clean(None)

    def _clean(self, keep: Path | None) -> None:
        """Bundles and halves that are not wanted any more."""
        kept = () if keep is None else (keep, _part(keep))
        with contextlib.suppress(OSError):
            for path in [*self._means.folder.glob("*.raucb"), *self._means.folder.glob("*.part")]:
                if path not in kept:
                    path.unlink()


def bundle_file(folder: Path, bundle: Bundle) -> Path:
    return folder / f"{bundle.sha256}.raucb"


def come(folder: Path, bundle: Bundle | None) -> int:
    """Bytes of a bundle that are here."""
    if bundle is None:
        return 0
    file = bundle_file(folder, bundle)
    return _size(file) or _size(_part(file))


def _part(file: Path) -> Path:
    return file.with_suffix(".part")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
