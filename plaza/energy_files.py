"""Files of the energy program: the wake proof, and the hours that the portal tells its visitors."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from captive_portal.hours import OpenHours
from municipio.clock import Instant
from plaza.energy_mind import Mind
from plaza.energy_plan import SHORT_HOURS, TABLE, Radio, hours_of
from plaza.energy_wake import Proof, parse_proof
from sync.whole_file import keep_file

PROOF_NAME = "wake.json"
"""In the data directory itself: it must outlive the boot."""


def radio_until(mind: Mind, hours: OpenHours, local: datetime | None) -> str:
    """Until when the radio is on today, `HH:MM`; empty where the battery does not limit it."""
    rule = TABLE[mind.held.band].radio
    if local is None or rule not in (Radio.HOURS, Radio.SHORT):
        return ""
    if rule is Radio.SHORT and not hours.ranges:
        hours = hours_of(";".join(SHORT_HOURS))
    left = hours.seconds_left(local)
    if not left:
        return ""
    minutes = (local.hour * 60 + local.minute + round((left + local.second) / 60)) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def service_note(until: str, at: Instant) -> bytes:
    """`captive_portal.service_note`'s file; empty where nothing limits the service."""
    if not until:
        return b""
    note = {"since": "", "until": until, "boot": at.boot, "written_boot_ms": at.boot_ms}
    return msgspec.json.encode(note) + b"\n"


def read_proof(file: Path) -> Proof:
    try:
        return parse_proof(file.read_bytes())
    except OSError:
        return Proof()


def keep_proof(file: Path, proof: Proof) -> str:
    """Written through to the card; empty when it is there, else why not."""
    try:
        keep_file(file, msgspec.json.encode(proof) + b"\n")
    except OSError as trouble:
        return f"{file}: {trouble.strerror}"
    return ""
