"""How often things happened since the portal started: totals only, never about one device.

Names are fixed here, so that nothing a visitor sends can become a name.
"""

from __future__ import annotations

import threading
from collections import Counter
from enum import StrEnum


class Count(StrEnum):
    PROBE_HELD = "probe_held"
    """A system asked whether it is online and was sent to the portal."""
    PROBE_PASSED = "probe_passed"
    REDIRECTED = "redirected"
    """A page of another site was asked for and led here."""
    CAPPORT = "capport"
    PAGE = "page"
    ACCEPTED = "accepted"
    RESUMED = "resumed"
    CODE_GIVEN = "code_given"
    CODE_WRONG = "code_wrong"
    CODE_WAIT = "code_wait"
    REFUSED_CLOSED = "refused_closed"
    REFUSED_FULL = "refused_full"
    REFUSED_DAY = "refused_day"
    REFUSED_REST = "refused_rest"
    REPORT_FILED = "report_filed"
    PHOTO_KEPT = "photo_kept"
    PHOTO_REFUSED = "photo_refused"
    """No photo, too large, or the card is full; the report itself is filed."""
    APPEALED = "appealed"
    NOT_RECORDED = "not_recorded"
    GATE_TROUBLE = "gate_trouble"
    BAD_FORM = "bad_form"
    """A form that was forged, too old, or not a form."""
    BAD_REQUEST = "bad_request"
    """Not HTTP, too long, an unknown page, or a method that it does not take."""
    OUR_FAULT = "our_fault"


class Counters:
    """Counts from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Count] = Counter()

    def add(self, what: Count) -> None:
        with self._lock:
            self._counts[what] += 1

    def read(self) -> dict[str, int]:
        """Every name, in the order of `Count`, zeros too."""
        with self._lock:
            return {what.value: self._counts[what] for what in Count}
