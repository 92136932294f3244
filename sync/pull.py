"""Pulling content from the city: believed by TUF, applied whole or not at all, old content kept.

The client runs only when the clock has proof: metadata expires, and a node that thinks it is years ago
would believe what an attacker kept. Whatever goes wrong, the installed content stays and says its date.
"""

from __future__ import annotations

import gzip
import shutil
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from tuf.api.exceptions import DownloadError, ExpiredMetadataError, RepositoryError
from tuf.api.metadata import TargetFile
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from municipio.clock import Clock, TimeQuality
from municipio.content import ContentProblem, version_key
from municipio.padron import PADRON
from municipio.wire.padron_delta import Delta, DeltaProblem, read_delta
from municipio.wire.pulled_content import (
    CURRENT,
    Current,
    CurrentProblem,
    decode_current,
    target_of,
)
from sync.content_folder import Installed, installed_version
from sync.tuf_fetcher import BASE

MAX_UNPACKED = 1024 * 1024 * 1024
_T = TypeVar("_T")


class PullTrouble(StrEnum):
    CLOCK = "clock"
    """The clock has no proof, so nothing that expires can be judged."""
    UNREACHABLE = "unreachable"
    OLD = "old"
    """What the city offers has expired: somebody holds news back, or the city forgot to sign."""
    NOT_BELIEVED = "not_believed"
    REFUSED = "refused"
    """Signed by the city and still no content that this node can use."""


@dataclass(frozen=True, slots=True)
class NotPulled:
    trouble: PullTrouble
    detail: str


@dataclass(frozen=True, slots=True)
class Pulled:
    """`was_delta` tells that the padrón came as what changed since the installed version."""

    version: str
    bytes_moved: int
    was_delta: bool


@dataclass(frozen=True, slots=True)
class UpToDate:
    version: str


@dataclass(frozen=True, slots=True)
class PulledFile:
    """A target's bytes, unpacked at `path`, which is the caller's to remove; `digest` of what travelled."""

    path: Path
    digest: str


@dataclass(frozen=True, slots=True)
class Install:
    """How what was pulled becomes what is served. Each returns what was installed or why not."""

    folder: Callable[[Path], Installed | ContentProblem]
    delta: Callable[[Path, Delta], Installed | ContentProblem]


@dataclass(frozen=True, slots=True)
class Trust:
    """Where the node keeps what it believes: `metadata` survives reboots, `root` is the first root."""

    metadata: Path
    draft: Path
    root: bytes


def pull_content(
    trust: Trust, fetcher: FetcherInterface, clock: Clock, catalogue: Path, install: Install
) -> Pulled | UpToDate | NotPulled:
    """One round. May take minutes on a slow link; nothing is changed before everything is there."""
    return _believing(trust, clock, lambda: _Round(trust, fetcher).content(catalogue, install))


def pull_file(
    trust: Trust, fetcher: FetcherInterface, clock: Clock, target: str, known: str, place: Path
) -> PulledFile | NotPulled | None:
    """A gzip target unpacked to `place`; None when the city offers none, or the one that is `known`."""
    return _believing(trust, clock, lambda: _Round(trust, fetcher).file(target, known, place))


def pull_small(
    trust: Trust, fetcher: FetcherInterface, clock: Clock, targets: Sequence[str], limit: int
) -> dict[str, bytes] | NotPulled:
    """The bytes of those targets that the city offers, each of at most `limit`, as they travel."""
    return _believing(trust, clock, lambda: _Round(trust, fetcher).small(targets, limit))


def pull_listed(
    trust: Trust, fetcher: FetcherInterface, clock: Clock, index: str, limit: int,
    names: Callable[[bytes], Sequence[str]],
) -> list[TargetFile] | NotPulled:  # fmt: skip
    """What the city signed about the targets that its list `index` names, none of them fetched."""
    return _believing(trust, clock, lambda: _Round(trust, fetcher).listed(index, limit, names))


def _believing(trust: Trust, clock: Clock, work: Callable[[], _T]) -> _T | NotPulled:
    if clock.now().quality is TimeQuality.UNKNOWN:
        return NotPulled(PullTrouble.CLOCK, "the clock has no proof yet")
    try:
        return work()
    except ExpiredMetadataError as e:
        return NotPulled(PullTrouble.OLD, str(e))
    except DownloadError as e:
        return NotPulled(PullTrouble.UNREACHABLE, str(e))
    except RepositoryError as e:
        return NotPulled(PullTrouble.NOT_BELIEVED, f"{type(e).__name__}: {e}")
    except (OSError, EOFError, zlib.error) as e:
        return NotPulled(PullTrouble.REFUSED, str(e))
    finally:
        shutil.rmtree(trust.draft, ignore_errors=True)


class _Missing(Exception):
    """A target that current.json promises is not offered."""


class _Round:
    def __init__(self, trust: Trust, fetcher: FetcherInterface) -> None:
        self._trust = trust
        self._fetcher = fetcher
        trust.metadata.mkdir(parents=True, exist_ok=True, mode=0o750)
        shutil.rmtree(trust.draft, ignore_errors=True)
        trust.draft.mkdir(parents=True)
        config = UpdaterConfig(targets_max_length=5_000_000)
        self._updater = Updater(
            str(trust.metadata), f"{BASE}metadata/", str(trust.draft), f"{BASE}targets/",
            fetcher, config, bootstrap=trust.root,
        )  # fmt: skip

    def content(self, catalogue: Path, install: Install) -> Pulled | UpToDate | NotPulled:
        self._updater.refresh()
        try:
            current = decode_current(self._fetch(CURRENT).read_bytes())
            if isinstance(current, CurrentProblem):
                return NotPulled(PullTrouble.REFUSED, current.detail)
            here = installed_version(catalogue)
            if here and version_key(here) >= version_key(current.version):
                return UpToDate(here)
            return self._apply(current, here, install)
        except _Missing as e:
            return NotPulled(PullTrouble.REFUSED, f"{e} is not offered")

    def file(self, target: str, known: str, place: Path) -> PulledFile | None:
        self._updater.refresh()
        info = self._updater.get_targetinfo(target)
        if info is None or info.hashes["sha256"] == known:
            return None
        self._unpack(target, place)
        return PulledFile(place, info.hashes["sha256"])

    def small(self, targets: Sequence[str], limit: int) -> dict[str, bytes] | NotPulled:
        self._updater.refresh()
        found = {}
        for target in targets:
            info = self._updater.get_targetinfo(target)
            if info is None:
                continue
            if info.length > limit:
                return NotPulled(PullTrouble.REFUSED, f"{target} is longer than {limit} bytes")
            found[target] = self._fetch(target).read_bytes()
        return found

    def listed(
        self, index: str, limit: int, names: Callable[[bytes], Sequence[str]]
    ) -> list[TargetFile] | NotPulled:
        found = self.small([index], limit)
        if isinstance(found, NotPulled):
            return found
        infos = map(self._updater.get_targetinfo, names(found[index])) if index in found else ()
        return [info for info in infos if info is not None]

    def _apply(self, current: Current, here: str, install: Install) -> Pulled | NotPulled:
        folder = self._trust.draft / "content"
        folder.mkdir()
        for name in current.files:
            if name != PADRON:
                self._unpack(target_of(current.version, name), folder / name)
        if here in current.deltas:
            done = self._apply_delta(current, here, folder, install)
            if isinstance(done, Installed):
                return self._pulled(done, was_delta=True)
        self._unpack(target_of(current.version, PADRON), folder / PADRON)
        whole = install.folder(folder)
        if isinstance(whole, ContentProblem):
            return NotPulled(PullTrouble.REFUSED, str(whole))
        return self._pulled(whole, was_delta=False)

    def _apply_delta(
        self, current: Current, here: str, folder: Path, install: Install
    ) -> Installed | ContentProblem | DeltaProblem:
        """A delta that does not fit is no harm: the whole padrón follows."""
        name = f"padron-from-{here}"
        self._unpack(target_of(current.version, name), self._trust.draft / name)
        delta = read_delta((self._trust.draft / name).read_bytes())
        if isinstance(delta, DeltaProblem):
            return delta
        if (delta.header.start, delta.header.end) != (here, current.version):
            return DeltaProblem("it is a delta between other versions")
        return install.delta(folder, delta)

    def _pulled(self, done: Installed, *, was_delta: bool) -> Pulled:
        moved = int(getattr(self._fetcher, "bytes_moved", 0))
        return Pulled(done.version, moved, was_delta)

    def _fetch(self, target: str) -> Path:
        info = self._updater.get_targetinfo(target)
        if info is None:
            raise _Missing(target)
        place = self._trust.draft / target.replace("/", "_")
        return Path(self._updater.download_target(info, str(place)))

    def _unpack(self, target: str, place: Path) -> None:
        """gzip of a signed target; bounded all the same."""
        packed = self._fetch(target)
        total = 0
        with gzip.open(packed) as source, place.open("wb") as out:
            while chunk := source.read(1 << 20):
                total += len(chunk)
                if total > MAX_UNPACKED:
                    raise OSError(27, "too large", target)
                out.write(chunk)
        packed.unlink()
