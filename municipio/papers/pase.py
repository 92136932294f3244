"""The pase de caja: how to pay a liquidación outside the kiosk, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from municipio import references
from municipio.liquidacion import Liquidacion
from municipio.papers.common import (
    Gettext,
    clave_text,
    copy_mark,
    date_text,
    ending,
    identity,
    letterhead,
    qr_block,
)
from municipio.papers.payment import concept_lines, concepts_of, total_lines
from municipio.receipts import Align, Barcode, Line, Pair, Paper, PaperKind, Rule, Size, Text
from municipio.settings import Settings


@dataclass(frozen=True, slots=True)
class PaseReferences:
    """Where a debt can be paid; an empty text is a way that this city or this amount does not have.

    `reference` is the ten-digit *referencia de cobro* inside all of them.
    """

    reference: str
    due: date
    amount_centavos: int
    bank: str = ""
    oxxo: str = ""
    clabe: str = ""

    @property
    def any(self) -> bool:
        """False when there is nowhere to pay: print no pase."""
        return bool(self.bank or self.oxxo or self.clabe)


def make_pase_references(
    settings: Settings, reference: str, amount_centavos: int, due: date
) -> PaseReferences:
    """The references that the city's agreements give for one debt.

    A debt over OXXO's 9,999.99 simply has no OXXO code. Raises ReferenceProblem when the agreement
    in the settings cannot hold the reference, the date or the amount.
    """
    bank = oxxo = clabe = ""
    if settings.flag("bank.bbva_enabled"):
        bank = references.bbva_10(
            reference,
            amount_centavos,
            due,
            settings.number("bank.bbva_base_year"),
            settings.number("bank.bbva_constant"),
        )
    if settings.flag("bank.oxxo_enabled") and amount_centavos <= references.OXXO_MAX_CENTAVOS:
        prefix = settings.text("bank.oxxo_prefix")
        oxxo = references.oxxo_25(prefix, reference, amount_centavos, due)
    if settings.text("bank.clabe"):
        clabe = references.parse_clabe(settings.text("bank.clabe"))
    return PaseReferences(reference, due, amount_centavos, bank, oxxo, clabe)


def pase_de_caja(
    settings: Settings,
    _: Gettext,
    *,
    folio: str,
    issued_at: datetime | None,
    liquidacion: Liquidacion,
    owner_masked: str,
    references: PaseReferences,
    follow_url: str,
    may_be_paid_elsewhere: bool = False,
    copy: int = 0,
    language: str = "es_MX",
) -> Paper:
    """A slip to pay `liquidacion` at a bank, a shop or by transfer.

    `may_be_paid_elsewhere` is for a debt known from a snapshot older than 24 hours. Raises
    ValueError when the references are not for this liquidación, when the due date is later than
    it, or when there is nothing to pay or nowhere to pay it: none of that may reach paper.
    """
    _check(liquidacion, references)
    lines: list[Line] = [
        *letterhead(settings, _("PASE DE CAJA"), _("IMPUESTO PREDIAL")),
        *copy_mark(copy, _),
        Text(_("Este papel no es un recibo de pago."), Align.CENTER),
        Rule(),
        *identity(settings, _, folio=folio, moment_label=_("Fecha"), moment=issued_at),
        Pair(_("Clave"), clave_text(settings, liquidacion.clave)),
        Pair(_("Titular"), owner_masked),
        Rule(),
        *concept_lines(settings, concepts_of(liquidacion, _)),
        Rule(),
        *total_lines(liquidacion.total_centavos, _),
        Pair(_("Pague a más tardar"), date_text(references.due, _), bold=True),
        *_elsewhere(may_be_paid_elsewhere, _),
        *_bank_lines(settings, references, _),
        *_oxxo_lines(settings, references, _),
        *_clabe_lines(references, _),
        *qr_block(follow_url, _("Consulte aquí su folio.")),
        *ending(settings, _, _("Su pago aparece al siguiente día hábil. Guarde el ticket.")),
    ]
    return Paper(PaperKind.PASE_DE_CAJA, folio, tuple(lines), language)


def _check(liquidacion: Liquidacion, references: PaseReferences) -> None:
    if references.due > liquidacion.valid_until:
        raise ValueError("a pase de caja cannot be due later than its liquidación")
    if references.amount_centavos != liquidacion.total_centavos or not liquidacion.total_centavos:
        raise ValueError("the references are not for this liquidación's total")
    if not references.any:
        raise ValueError("a pase de caja needs at least one place to pay")


def _elsewhere(flag: bool, _: Gettext) -> list[Line]:
    if not flag:
        return []
    text = _("Si ya pagó en otro lugar, no pague otra vez.")
    return [Text(text, Align.CENTER, bold=True)]


def _bank_lines(settings: Settings, references: PaseReferences, _: Gettext) -> list[Line]:
    if not references.bank:
        return []
    return [
        Rule(),
        Pair(_("Banco"), settings.text("bank.bbva_name"), bold=True),
        Pair(_("Convenio"), settings.text("bank.bbva_agreement")),
        Pair(_("Referencia"), references.bank, bold=True),
    ]


def _oxxo_lines(settings: Settings, references: PaseReferences, _: Gettext) -> list[Line]:
    if references.oxxo:
        return [
            Rule(),
            Text("OXXO", bold=True),
            Barcode(references.oxxo),
        ]
    if settings.flag("bank.oxxo_enabled"):
        text = _("OXXO recibe hasta $ 9,999.99: pague en el banco o por transferencia.")
        return [Rule(), Text(text, size=Size.SMALL)]
    return []


def _clabe_lines(references: PaseReferences, _: Gettext) -> list[Line]:
    if not references.clabe:
        return []
    return [
        Rule(),
        Text(_("Transferencia (SPEI)"), bold=True),
        Pair("CLABE", references.clabe, bold=True),
        Pair(_("Concepto"), references.reference, bold=True),
    ]
