"""Findings as text, as JSON, as a note for the screens and as a line for the city. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from municipio.clock import Instant
from municipio.devices import DeviceState
from municipio.doctor_words import AREA_WORDS, DOCTOR
from municipio.facts import FactDraft, FactType
from plaza.doctor.finding import N_, Finding, Gettext, State, worst
from sync.doctor_note import DoctorLine, DoctorNote

MARKS = {
    State.OK: N_("bien"),
    State.NOTICE: N_("aviso"),
    State.UNKNOWN: N_("no se sabe"),
    State.TROUBLE: N_("falla"),
}
_WIDTH = 12


def as_text(node: str, findings: Sequence[Finding], _: Gettext) -> str:
    """Areas with their findings; under what is not well, what to do."""
    troubles = sum(f.state is State.TROUBLE for f in findings)
    head = _("Nodo {node}: fallas: {n}") if troubles else _("Nodo {node}: sin fallas")
    lines = [head.format(node=node, n=troubles)]
    do = _("Qué hacer")
    for area, group in groupby(findings, key=lambda f: f.area):
        lines += ["", _(AREA_WORDS[area])]
        for finding in group:
            mark = f"[{_(MARKS[finding.state])}]"
            lines.append(f"  {mark:<{_WIDTH + 1}}{finding.what_in(_)}")
            if finding.to_do:
                lines.append(f"  {'':<{_WIDTH + 1}}{do}: {finding.to_do_in(_)}")
    return "\n".join(lines)


def as_document(node: str, findings: Sequence[Finding], _: Gettext) -> dict[str, Any]:
    return {
        "node": node,
        "state": worst(findings).value,
        "findings": [
            {
                "area": f.area.value,
                "state": f.state.value,
                "what": f.what_in(_),
                "to_do": f.to_do_in(_),
                "values": dict(f.values),
            }
            for f in findings
        ],
    }


def as_note(
    findings: Sequence[Finding], at: Instant, languages: Mapping[str, Gettext], told: str
) -> DoctorNote:
    lines = tuple(
        DoctorLine(
            area=f.area.value,
            state=f.state.value,
            what={code: f.what_in(_) for code, _ in languages.items()},
            to_do={code: f.to_do_in(_) for code, _ in languages.items()},
        )
        for f in findings
    )
    return DoctorNote(
        boot=at.boot, boot_ms=at.boot_ms, state=worst(findings).value, lines=lines, told=told
    )


def line_for_the_city(findings: Sequence[Finding]) -> tuple[str, str]:
    """State and areas in trouble: what makes somebody travel. Notices stay on the node's own screen."""
    areas = dict.fromkeys(f.area.value for f in findings if f.state is State.TROUBLE)
    state = DeviceState.ATTENTION if areas else DeviceState.READY
    return state.value, ",".join(areas)


def fact_for_the_city(findings: Sequence[Finding], told: str) -> FactDraft | None:
    """The line as a fact; None when the city knows it already."""
    state, cause = line_for_the_city(findings)
    if told == f"{state} {cause}".strip():
        return None
    before = told.partition(" ")[0]
    data = {"device": DOCTOR, "state": state, "cause": cause, "before": before}
    return FactDraft(FactType.DEVICE_CHANGED, data)
