"""What the printing screen is given: the paper and the words around it."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.presenters.views import Row
from kiosk.usecases.printing import PrintRequest


@dataclass(frozen=True, slots=True)
class PrintTask:
    """`headline` says what is already done, whatever the printer does. `details` are for the screen

    when the paper does not come out: nobody must leave without what they need.
    """

    request: PrintRequest
    headline: str
    folio_label: str = ""
    qr: str = ""
    qr_caption: str = ""
    details: tuple[Row, ...] = ()
    after: PrintTask | None = None
    """Another paper of the same matter, offered once this one is out."""
