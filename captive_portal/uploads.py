"""Large bodies, and only where a photo may come: few at once, one a device, in memory, within a minute.

Rule of this boundary: before the application runs, a stranger can make this process hold at most
`SLOTS` photos. Every other body is as small as a form. A body that is refused is read and thrown away,
because a connection closed in the middle of sending shows a telephone's own error, not our words.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from copy import copy
from typing import Any

from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped]  # it ships no types
from waitress.utilities import Error  # type: ignore[import-untyped]  # same

from captive_portal.photo_verdict import MAX_INPUT

SLOTS = 3
MAX_PHOTO_BODY = MAX_INPUT + 32 * 1024
MAX_SWALLOWED = 64 * 1024 * 1024
UPLOAD_S = 60.0
_FIRST_LINE = re.compile(rb"POST /(?:es|en)/(?:reporte|foto)(?:\?[^ ]*)? HTTP/1\.1\r\n")


class Refused(Error):  # type: ignore[misc]  # the base class has no types
    """A photo that never reached the application. `words`: title and text in Spanish, all in English."""

    words: tuple[str, str, str]


class TooLong(Refused):
    code = 413
    reason = "Content Too Large"
    words = (
        "La foto es demasiado grande",
        "No se guardó nada. Regrese y envíe su reporte sin foto; después podrá agregar otra.",
        "The photo is too large. Nothing was saved. Go back and send your report without it.",
    )


class Busy(Refused):
    code = 503
    reason = "Service Unavailable"
    words = (
        "Ahora mismo llegan otras fotos",
        "No se guardó nada. Regrese e intente de nuevo en un minuto, o envíe su reporte sin foto.",
        "Other photos are arriving. Nothing was saved. Go back and try again in a minute.",
    )


class TooSlow(Refused):
    code = 408
    reason = "Request Timeout"
    words = (
        "La foto no terminó de llegar",
        "No se guardó nada. Acérquese a la antena, o envíe su reporte sin foto.",
        "The photo did not arrive in time. Nothing was saved. Go back and try without it.",
    )


class UploadSlots:
    """Who is sending a photo now."""

    def __init__(self, most: int = SLOTS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._busy: set[str] = set()

    def take(self, who: str) -> bool:
        """True when `who` may send; then `give` must follow."""
        with self._lock:
            if who in self._busy or len(self._busy) >= self._most:
                return False
            self._busy.add(who)
            return True

    def give(self, who: str) -> None:
        with self._lock:
            self._busy.discard(who)


class UploadParser(HTTPRequestParser):  # type: ignore[misc]  # the base class has no types
    """Waitress's parser with a second, larger limit for photos. `close` gives the slot back."""

    adj: Any
    content_length: int

    def __init__(
        self,
        adj: Any,
        who: str,
        slots: UploadSlots,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(adj)
        self._who, self._slots, self._seconds = who, slots, seconds
        self._holds = False
        self._until = 0.0
        self._refusal: Refused | None = None
        self._left = 0

    def parse_header(self, header_plus: bytes) -> None:
        is_photo = (
            _FIRST_LINE.match(header_plus) is not None
            and b"multipart/form-data" in header_plus.lower()
        )
        if is_photo:
            self.adj = _wide(self.adj)
        super().parse_header(header_plus)
        if is_photo and self.body_rcv is not None:
            self._until = self._seconds() + UPLOAD_S
            self._admit()

    def _admit(self) -> None:
        if self.content_length >= MAX_PHOTO_BODY:
            self._refusal = TooLong("photo too long")
        elif self._slots.take(self._who):
            self._holds = True
        else:
            self._refusal = Busy("other photos are coming in")
        if self._refusal is not None:
            self._left = self.content_length
            self.content_length = 0  # nothing is kept, so no limit is passed

    def received(self, data: bytes) -> int:
        if self._refusal is not None:
            return self._throw_away(data)
        consumed: int = super().received(data)
        late = self._until and self._seconds() > self._until
        if self._left > MAX_SWALLOWED:
            self._end(self._refusal)
        elif late and not self.completed:
            self._end(TooSlow("a photo must come within a minute"))
        return consumed

    def _throw_away(self, data: bytes) -> int:
        taken = min(len(data), self._left)
        self._left -= taken
        if self._left == 0 or self._seconds() > self._until:
            self._end(self._refusal)
        return taken

    def _end(self, error: Refused | None) -> None:
        self.error = error
        self.completed = True

    def close(self) -> None:
        super().close()
        if self._holds:
            self._holds = False
            self._slots.give(self._who)


def _wide(adj: Any) -> Any:
    """The same adjustments with room for a photo in memory; waitress writes larger bodies to a file."""
    wide = copy(adj)
    wide.max_request_body_size = MAX_PHOTO_BODY
    wide.inbuf_overflow = MAX_PHOTO_BODY + 1
    return wide
