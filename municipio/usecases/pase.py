"""The pase de caja: a numbered promise of what to pay where, never due later than its liquidación.

Works off line while the signed liquidación is valid and the date can be trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from municipio.facts import FactDraft, FactType
from municipio.papers import PaseReferences, make_pase_references
from municipio.predial import (
    BadSignature,
    Expired,
    Liquidacion,
    SignedLiquidacion,
    TimeUnsure,
    Usable,
    check_liquidacion,
)
from municipio.references import ReferenceProblem, collection_reference
from municipio.settings import Settings
from municipio.usecases.ports import Change, FolioStub, Ledger, NotRecorded, Numbered


@dataclass(frozen=True, slots=True)
class PaseIssued:
    """Safe on the card. `references` holds where to pay, the due date and the referencia de cobro."""

    folio: str
    liquidacion: Liquidacion
    references: PaseReferences


class PaseRefusal(StrEnum):
    EXPIRED = "expired"
    BAD_SIGNATURE = "bad_signature"
    TIME_UNSURE = "time_unsure"
    NOTHING_DUE = "nothing_due"
    NO_PLACE = "no_place"
    """No bank, shop or account is configured, or none takes this amount."""


@dataclass(frozen=True, slots=True)
class PaseRefused:
    cause: PaseRefusal


def issue_pase(
    signed: SignedLiquidacion,
    *,
    ledger: Ledger,
    settings: Settings,
    verify: Callable[[bytes, bytes], bool],
    today: date | None,
    trusted_time: bool,
) -> PaseIssued | PaseRefused | NotRecorded:
    """Number a pase and give its references; it is committed before anything is printed.

    The reference is derived from the number of the fact, so it is not repeated inside the fact.
    """
    verdict = check_liquidacion(signed, verify=verify, today=today, trusted_time=trusted_time)
    if not isinstance(verdict, Usable):
        return PaseRefused(_REFUSALS[type(verdict)])
    owed = verdict.liquidacion
    if owed.total_centavos == 0:
        return PaseRefused(PaseRefusal.NOTHING_DUE)
    trial = possible_references(settings, owed)
    if trial is None:
        return PaseRefused(PaseRefusal.NO_PLACE)
    recorded = ledger.record(
        FactDraft(FactType.PASE_ISSUED, _data(owed)),
        lambda numbered: _stub(numbered, settings, owed, today),
    )
    if isinstance(recorded, NotRecorded):
        return recorded
    return PaseIssued(recorded.folio, owed, _references(settings, recorded.fact.seq, owed))


def possible_references(settings: Settings, owed: Liquidacion) -> PaseReferences | None:
    """What a pase for this debt would offer (with a trial number), or None when nobody could take it."""
    try:
        references = _references(settings, 1, owed)
    except ReferenceProblem:
        return None
    return references if references.any else None


_REFUSALS = {
    BadSignature: PaseRefusal.BAD_SIGNATURE,
    Expired: PaseRefusal.EXPIRED,
    TimeUnsure: PaseRefusal.TIME_UNSURE,
}


def _references(settings: Settings, seq: int, owed: Liquidacion) -> PaseReferences:
    prefix = settings.text("bank.reference_prefix")
    reference = collection_reference(prefix, settings.number("node.number"), seq)
    return make_pase_references(settings, reference, owed.total_centavos, owed.valid_until)


def _data(owed: Liquidacion) -> dict[str, object]:
    return {
        "clave": owed.clave,
        "liquidacion_id": owed.id,
        "amount_centavos": owed.total_centavos,
        "due": owed.valid_until.isoformat(),
    }


def _stub(
    numbered: Numbered, settings: Settings, owed: Liquidacion, today: date | None
) -> tuple[Change, ...]:
    opened = "" if today is None else today.isoformat()
    detail = {
        "amount_centavos": owed.total_centavos,
        "due": owed.valid_until.isoformat(),
        "reference": _references(settings, numbered.seq, owed).reference,
    }
    return (FolioStub(numbered.folio, "pase", "emitido", opened, detail),)
