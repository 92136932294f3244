"""What the site file came to, for the programs that tell people: `DATA/site-state.json`.

good     the node does what its file says
kept     the file is wrong or gone; the node goes on with the last good one
waiting  there never was a good one: nothing is served, and the screens say what to mend
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

MAX_STATE_BYTES = 64 * 1024


class SiteStanding(StrEnum):
    GOOD = "good"
    KEPT = "kept"
    WAITING = "waiting"


class SiteState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`faults` are Spanish sentences, first the most general; `node` is empty while waiting."""

    standing: SiteStanding
    node: str = ""
    name: str = ""
    faults: tuple[str, ...] = ()


def encode_state(state: SiteState) -> bytes:
    return msgspec.json.encode(state) + b"\n"


def decode_state(raw: bytes) -> SiteState | None:
    """None for bytes that are no state of ours."""
    try:
        return msgspec.json.decode(raw, type=SiteState)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
