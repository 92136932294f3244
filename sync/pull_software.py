"""Updates from the city's repository: what is offered, the file in spans that may pause, the city's go.

A span is one signed request of 4 MiB. Between two the caller says whether something more urgent wants the
link; what is on the card is gone on with, after a cut too, and counts only with the size and the SHA-256
that the city signed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import httpx2
import msgspec
from tuf.api.metadata import TargetFile

from municipio.wire.envelope import SIGNATURE_HEADER, verify_body
from municipio.wire.software import (
    MAX_INDEX,
    Bundle,
    SoftwareProblem,
    decode_custom,
    decode_index,
    index_of,
)
from sync.answers import Refused
from sync.pull import NotPulled, PullTrouble
from sync.pull_wiring import Puller
from sync.sharing import settle_file

SPAN = 4 * 1024 * 1024


class Ended(StrEnum):
    WHOLE = "whole"
    PAUSED = "paused"
    BROKEN_OFF = "broken_off"
    WRONG = "wrong"


class Spans(Protocol):
    def download(self, path: str, span: tuple[int, int] | None) -> Iterator[bytes] | int | Refused:
        """The bytes first to last of a file of the repository, or why not."""


@dataclass(frozen=True, slots=True)
class FolderSpans:
    """A mirror in a folder, such as a stick."""

    folder: Path

    def download(self, path: str, span: tuple[int, int] | None) -> Iterator[bytes] | int | Refused:
        place = (self.folder / path.removeprefix("/v1/tuf/")).resolve()
        if not place.is_relative_to(self.folder.resolve()) or not place.is_file():
            return 404
        return _read(place, *(span or (0, place.stat().st_size - 1)))


def find_offers(puller: Puller, board: str) -> tuple[Bundle, ...] | NotPulled:
    """Updates on offer for a board, newest first; what cannot be judged is left out."""

    def names(raw: bytes) -> tuple[str, ...]:
        found = decode_index(raw, board)
        return () if isinstance(found, SoftwareProblem) else found

    infos = puller.listed(index_of(board), MAX_INDEX, names)
    if isinstance(infos, NotPulled):
        return infos
    described = [_describe(info) for info in infos]
    return tuple(found for found in described if isinstance(found, Bundle))


def fetch_bundle(spans: Spans, bundle: Bundle, file: Path, may_go_on: Callable[[], bool]) -> Ended:
    """Bring `file`, by way of its `.part`. A full disk or a stick that is pulled out breaks it off."""
    part = file.with_suffix(".part")
    path = "/v1/tuf/targets/" + _hashed(bundle)
    part.touch()
    settle_file(part)
    while (here := part.stat().st_size) < bundle.size:
        if not may_go_on():
            return Ended.PAUSED
        span = (here, min(here + SPAN, bundle.size) - 1)
        chunks = spans.download(path, span)
        if isinstance(chunks, int | Refused) or not _append(part, chunks, span):
            return Ended.BROKEN_OFF
    if part.stat().st_size != bundle.size or _sha256(part) != bundle.sha256:
        part.unlink()
        return Ended.WRONG
    part.replace(file)
    return Ended.WHOLE


def ask_wave(puller: Puller, version: str, ring: int) -> bool | NotPulled:
    """Does the city let nodes of this ring have this version now? Believed by its signature alone."""
    reply = puller.courier.get(f"/v1/updates/{version}/rings/{ring}")
    if isinstance(reply, Refused):
        return NotPulled(PullTrouble.UNREACHABLE, reply.detail)
    if not verify_body(reply.body, reply.headers.get(SIGNATURE_HEADER.lower()), puller.city):
        return NotPulled(PullTrouble.NOT_BELIEVED, "the answer is not signed by the city")
    try:
        document = msgspec.json.decode(reply.body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        return NotPulled(PullTrouble.NOT_BELIEVED, f"not an answer: {e}")
    asked = (document.get("version"), document.get("ring"), document.get("go"))
    return reply.status == 200 and asked == (version, ring, True)


def _describe(info: TargetFile) -> Bundle | SoftwareProblem:
    digest = info.hashes.get("sha256", "")
    return decode_custom(info.custom, info.path, info.length, digest)


def _hashed(bundle: Bundle) -> str:
    place = PurePosixPath(bundle.target)
    return str(place.parent / f"{bundle.sha256}.{place.name}")


def _append(part: Path, chunks: Iterator[bytes], span: tuple[int, int]) -> bool:
    """True when the whole span is on the disk; what came of it is kept in any case."""
    left = span[1] - span[0] + 1
    try:
        with part.open("ab") as out:
            for chunk in chunks:
                out.write(chunk[:left])
                left -= len(chunk[:left])
            out.flush()
            os.fsync(out.fileno())
    except (httpx2.HTTPError, OSError):
        return False
    return left == 0


def _read(place: Path, first: int, last: int) -> Iterator[bytes]:
    with place.open("rb") as file:
        file.seek(first)
        left = last - first + 1
        while left > 0 and (chunk := file.read(min(left, 256 * 1024))):
            left -= len(chunk)
            yield chunk


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
