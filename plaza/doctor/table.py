"""Every check of the doctor. A part of the node adds its own by a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from plaza.doctor.checks_data import (
    check_contact,
    check_content,
    check_filter,
    check_queue,
    check_settings,
    check_versions,
)
from plaza.doctor.checks_gate import check_gate
from plaza.doctor.checks_machine import (
    check_clock,
    check_disk,
    check_hardware,
    check_network,
    check_radio,
    check_services,
)
from plaza.doctor.finding import Finding, in_order
from plaza.doctor.snapshot import Snapshot
from plaza.energy_check import energy_findings
from plaza.site.doctor_check import check_site_file
from plaza.updates.doctor_check import update_findings

Check = Callable[[Snapshot], Iterable[Finding]]


def check_energy(seen: Snapshot) -> Iterable[Finding]:
    return () if seen.energy is None else energy_findings(seen.energy)


def check_updates(seen: Snapshot) -> Iterable[Finding]:
    return () if seen.updates is None else update_findings(seen.updates)


CHECKS: tuple[Check, ...] = (
    check_settings,
    check_site_file,
    check_hardware,
    check_services,
    check_network,
    check_radio,
    check_gate,
    check_contact,
    check_queue,
    check_disk,
    check_clock,
    check_filter,
    check_content,
    check_energy,
    check_versions,
    check_updates,
)


def examine(seen: Snapshot) -> tuple[Finding, ...]:
    """What is wrong with the node and what is right, in the order in which it is read."""
    return in_order(finding for check in CHECKS for finding in check(seen))
