"""A photo for a report: redrawn in a process apart, sealed, and only then put on the card."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from captive_portal.photo_codes import PhotoCodes
from captive_portal.photo_verdict import MAX_INPUT, Verdict
from captive_portal.tries import Tries
from municipio.clock import Clock
from municipio.usecases.ports import AttachmentRef, Attachments, AttachmentSealer, NotStored

MEDIA_TYPE = "image/jpeg"
WAIT_S = 20.0
"""How long a photo waits for its turn, and how long its turn may last."""
AT_ONCE = 1
_WORKER = (sys.executable, "-P", "-m", "captive_portal.photo_worker")


class PhotoFlaw(StrEnum):
    NOT_A_PHOTO = "not_a_photo"
    TOO_LARGE = "too_large"
    BUSY = "busy"
    """Others are being looked at; it may be sent again."""
    NOT_STORED = "not_stored"
    """The card is full, or the office has no key to seal for."""


@dataclass(frozen=True, slots=True)
class PhotoProblem:
    """Nothing was stored."""

    flaw: PhotoFlaw


class PhotoCleaner:
    """Hands a picture to `photo_worker` and takes a plain one back; `AT_ONCE` pictures at a time."""

    def __init__(self, command: tuple[str, ...] = _WORKER, wait_s: float = WAIT_S) -> None:
        self._command = command
        self._wait_s = wait_s
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def clean(self, raw: bytes) -> bytes | PhotoProblem:
        """A small JPEG without anything but pixels."""
        if len(raw) > MAX_INPUT:
            return PhotoProblem(PhotoFlaw.TOO_LARGE)
        if not self._turns.acquire(timeout=self._wait_s):
            return PhotoProblem(PhotoFlaw.BUSY)
        try:
            ended = subprocess.run(
                self._command, input=raw, capture_output=True, timeout=self._wait_s, check=False
            )
        except subprocess.TimeoutExpired:
            return PhotoProblem(PhotoFlaw.TOO_LARGE)
        finally:
            self._turns.release()
        if ended.returncode == Verdict.OK and ended.stdout.startswith(b"\xff\xd8"):
            return ended.stdout
        large = ended.returncode == Verdict.TOO_LARGE
        return PhotoProblem(PhotoFlaw.TOO_LARGE if large else PhotoFlaw.NOT_A_PHOTO)


@dataclass(frozen=True, slots=True)
class PhotoStore:
    """From a stranger's bytes to a sealed attachment that a fact may name."""

    clean: Callable[[bytes], bytes | PhotoProblem]
    sealer: AttachmentSealer
    attachments: Attachments

    def keep(self, raw: bytes, recipient: str) -> AttachmentRef | PhotoProblem:
        jpeg = self.clean(raw)
        if isinstance(jpeg, PhotoProblem):
            return jpeg
        try:
            sealed = self.sealer.seal_bytes(recipient, jpeg)
        except ValueError:
            return PhotoProblem(PhotoFlaw.NOT_STORED)
        kept = self.attachments.put(sealed, MEDIA_TYPE)
        return PhotoProblem(PhotoFlaw.NOT_STORED) if isinstance(kept, NotStored) else kept


@dataclass(frozen=True, slots=True)
class PhotoDesk:
    """Everything about photos that the views need."""

    store: PhotoStore
    codes: PhotoCodes
    tries: Tries
    """Wrong codes, so that nobody guesses four words."""


def photo_desk(
    sealer: AttachmentSealer, attachments: Attachments, clock: Clock, codes_file: Path | None
) -> PhotoDesk:
    """The desk of a node. Wrong codes: six a device and 120 in all in ten minutes."""
    return PhotoDesk(
        PhotoStore(PhotoCleaner().clean, sealer, attachments),
        PhotoCodes(codes_file, clock),
        Tries(lambda: clock.now().boot_ms, most_each=6, most_all=120, window_s=600),
    )
