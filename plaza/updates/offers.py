"""Where updates come from for `plaza update check`: the city's repository, or a mirror of it on a stick."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from municipio.energy import may_update
from municipio.wire.software import Bundle
from plaza.updates.fetch import Fetch, Fetcher, Means, Round
from plaza.updates.rules import No
from plaza.updates.state import Source
from plaza.updates.wiring import House
from sync.link import read_link
from sync.pull import NotPulled
from sync.pull_software import FolderSpans, Spans, ask_wave, fetch_bundle, find_offers
from sync.pull_wiring import build_puller
from sync.wiring import CannotStart


@dataclass(frozen=True, slots=True)
class SearchTrouble:
    detail: str


@dataclass(frozen=True, slots=True)
class Found:
    """`close` after use."""

    offers: tuple[Bundle, ...]
    source: Source
    wave: Callable[[str], bool]
    download: Callable[[Bundle, Path, Callable[[], bool]], Fetch]
    close: Callable[[], None]


def search(house: House, mirror: Path | None) -> Found | SearchTrouble:
    """Believed by the city's signatures, wherever it comes from."""
    memory = house.memory()
    if memory is None:
        return SearchTrouble("the ledger cannot be opened")
    puller = build_puller(memory, mirror, "software")
    if isinstance(puller, CannotStart | NotPulled):
        return SearchTrouble(puller.detail)
    offers = find_offers(puller, house.image.board)
    if isinstance(offers, NotPulled):
        puller.close()
        return SearchTrouble(f"{offers.trouble.value}: {offers.detail}")
    spans: Spans = puller.courier if mirror is None else FolderSpans(mirror)
    ring = house.settings.number("update.ring")

    def download(bundle: Bundle, file: Path, may_go_on: Callable[[], bool]) -> Fetch:
        def quiet() -> bool:
            return may_go_on() and (mirror is not None or not _something_waits(house))

        return Fetch(fetch_bundle(spans, bundle, file, quiet).value)

    return Found(
        offers,
        Source.CITY if mirror is None else Source.STICK,
        lambda version: ask_wave(puller, version, ring) is True,
        download,
        puller.close,
    )


def bring_newest(house: House, mirror: Path | None) -> Round | No | SearchTrouble:
    """One round of `plaza update check`: search, choose, fetch. May take hours on a slow link."""
    if not may_update(house.band()):
        return No.ENERGY  # not even the question is asked
    found = search(house, mirror)
    if isinstance(found, SearchTrouble):
        return found
    try:
        return Fetcher(_means(house, found), house.journal).round(found.offers, found.source)
    finally:
        found.close()


def _means(house: House, found: Found) -> Means:
    house.journal.prepare()
    folder = house.journal.folder
    return Means(
        here=house.here(),
        boot=house.clock.now().boot,
        boot_ms=lambda: house.clock.now().boot_ms,
        folder=folder,
        is_automatic=house.settings.flag("update.automatic"),
        band=house.band,
        free_bytes=lambda: shutil.disk_usage(folder).free,
        wave=found.wave,
        download=found.download,
    )


def _something_waits(house: House) -> bool:
    """Payments and reports go first; an update is the last thing that a link is for."""
    note = read_link(house.data.link_file)
    return note is not None and bool(note.requests)
