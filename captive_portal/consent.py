"""Accepting the terms: the proof is on disk before the gate opens, and nothing in it names anybody."""

from __future__ import annotations

from dataclasses import dataclass

from captive_portal.gate.visits import GateTrouble, Visit
from captive_portal.ports import Ports
from municipio.facts import FactDraft, FactType
from municipio.usecases.ports import NotRecorded


@dataclass(frozen=True, slots=True)
class Connected:
    visit: Visit


@dataclass(frozen=True, slots=True)
class NoTerms:
    """This node has no terms in its catalogue: nobody can accept what cannot be read."""


def accept_terms(
    ports: Ports, ip: str, language: str, shown_sha256: str
) -> Connected | NoTerms | NotRecorded | GateTrouble:
    """Record the acceptance of the terms that were shown, then let the device pass.

    An open visit is answered as it is: a second tap neither records nor prolongs. `shown_sha256` must be
    the hash of the text now in force, otherwise the visitor has to read the new text (NoTerms).
    """
    terms = ports.catalogue.terms(language)
    if terms is None or terms.sha256 != shown_sha256:
        return NoTerms()
    visit = ports.gate.look(ip)
    if isinstance(visit, GateTrouble):
        return visit
    if visit.is_open:
        return Connected(visit)
    data = {
        "terms_version": terms.version,
        "terms_sha256": terms.sha256,
        "language": language,
        "device": visit.device,
    }
    recorded = ports.ledger.record(FactDraft(FactType.TERMS_ACCEPTED, data))
    if isinstance(recorded, NotRecorded):
        return recorded
    granted = ports.gate.grant(ip, ports.site.session_s)
    return granted if isinstance(granted, GateTrouble) else Connected(granted)
