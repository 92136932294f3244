"""Why a card terminal is not ready: the closed list of both adapters."""

from __future__ import annotations

from enum import StrEnum


class TerminalCause(StrEnum):
    NO_ANSWER = "no_answer"
    OFFLINE = "offline"
    """The terminal works and has no way to its bank."""
    BUSY = "busy"
    STANDALONE = "standalone"
    """The terminal is set to take charges by hand and would ignore ours."""
    NOT_LISTED = "not_listed"
    """The account of the payment service does not own this terminal."""
    TOKEN_MISSING = "token_missing"  # noqa: S105  a cause, not a credential
    TOKEN_EXPOSED = "token_exposed"  # noqa: S105
    """The credential's file can be read by others than its owner."""
    TOKEN_REFUSED = "token_refused"  # noqa: S105
    BAD_SETTINGS = "bad_settings"
    ORDERS_DAMAGED = "orders_damaged"
    """The file of what was asked for cannot be read or written: nothing may be charged."""
