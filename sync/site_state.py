"""The node's notes about its own site: what its file came to, how often the power was cut, its codes.

They are written by the first-boot program (`plaza.site`) and read by every other.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from municipio.site_file.state import MAX_STATE_BYTES, SiteStanding, SiteState, decode_state
from sync.datadir import DataDir
from sync.stick_files import read_plain

STATE_NAME = "site-state.json"
BOOTS_NAME = "site-boots.json"
ENROL_NAME = "enrol.json"
"""Under `keys`: a code that the city has not answered yet."""


class Boots(msgspec.Struct, frozen=True):
    """`is_running` stays true when the power is cut; an orderly stop makes it false."""

    boot: str = ""
    is_running: bool = False
    power_cuts: int = 0
    starts: int = 0


def state_file(data: DataDir) -> Path:
    return data.path / STATE_NAME


def enrol_file(data: DataDir) -> Path:
    return data.node_key.with_name(ENROL_NAME)


def read_site_state(data: DataDir) -> SiteState | None:
    """None on a node that was not made by a site file, such as a Debian host."""
    raw = read_plain(state_file(data), MAX_STATE_BYTES)
    return None if raw is None else decode_state(raw)


def is_waiting(data: DataDir) -> bool:
    """True while this node has no identity: nothing may be recorded under a name that will change."""
    state = read_site_state(data)
    return state is not None and state.standing is SiteStanding.WAITING


def read_boots(data: DataDir) -> Boots:
    raw = read_plain(data.path / BOOTS_NAME, MAX_STATE_BYTES)
    try:
        return Boots() if raw is None else msgspec.json.decode(raw, type=Boots)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Boots()


def booted(before: Boots, boot: str) -> Boots:
    """The note of this boot. The same boot again changes nothing."""
    if before.boot == boot:
        return before
    cut = bool(before.boot) and before.is_running
    return Boots(boot, True, before.power_cuts + cut, before.starts + 1)
