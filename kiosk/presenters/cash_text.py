"""The words of cash: why it is not taken, what may go in, why a note came back, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.presenters.base import Notice, Tone
from kiosk.presenters.views import CashEnd, CashPhase, Row
from kiosk.usecases.cash_progress import CashBlock, CashTerms, Inserting
from municipio.cash import RefusedNote
from municipio.device_words import DEVICE_WORDS
from municipio.money import format_mxn
from municipio.payments import Payment

Gettext = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Said:
    headline: str
    text: str
    emphasis: str = ""
    icon: str = "banknote"
    tone: Tone = Tone.SEA


def why_blocked(block: CashBlock, _: Gettext) -> str:
    """Below the button on the debt's screen; for NONE, what cash is."""
    words = {
        CashBlock.NONE: _("Billetes y monedas, aquí mismo"),
        CashBlock.FULL: _("La caja está llena: ahora no se recibe efectivo"),
        CashBlock.FORMER: _("Se revisa un pago anterior: espere un minuto"),
        CashBlock.TOO_MUCH: _("Es más de lo que aquí se cobra en efectivo"),
        CashBlock.UNPAYABLE: _("Aquí no se completa este importe en efectivo"),
        CashBlock.TOO_OLD: _("Sin conexión: este importe ya no es reciente"),
        CashBlock.ENERGY: _("Poca energía: ahora no se recibe efectivo"),
    }
    return words.get(block, _("Ahora no se recibe efectivo"))


def why_returned(refused: RefusedNote, _: Gettext) -> str:
    """Why the last note came back."""
    words = {
        RefusedNote.COMPLETE: _("Se le devolvió el billete: ya estaba completo."),
        RefusedNote.NOT_TAKEN: _("Se le devolvió el billete: aquí no se reciben de ese valor."),
        RefusedNote.EXACT_ONLY: _("Se le devolvió el billete: es más de lo que falta."),
        RefusedNote.OVER_CHANGE_LIMIT: _(
            "Se le devolvió el billete: su cambio sería más de lo que el kiosco puede dar."
        ),
        RefusedNote.NO_CHANGE: _("Se le devolvió el billete: no hay cambio para él."),
        RefusedNote.DEAD_END: _(
            "Se le devolvió el billete: con él no se podría completar el importe exacto."
        ),
    }
    return words[refused]


def accepted_rows(coins: frozenset[int], notes: frozenset[int], _: Gettext) -> tuple[Row, ...]:
    """What may go in, the smallest first."""
    rows = ((_("Billetes"), notes), (_("Monedas"), coins))
    return tuple(Row(label, _listed(pieces)) for label, pieces in rows if pieces)


def _listed(pieces: frozenset[int]) -> str:
    def plain(centavos: int) -> str:
        return f"${centavos // 100}" if centavos % 100 == 0 else f"${centavos / 100:.2f}"

    return ", ".join(plain(c) for c in sorted(pieces))


def change_notice(gives_change: bool, limit_centavos: int, _: Gettext) -> Notice:
    if not gives_change:
        text = _("Pague con el importe exacto: el kiosco no da cambio.")
        return Notice(text, Tone.SUN, "coins")
    most = _("El kiosco da cambio hasta {amount}.").format(amount=format_mxn(limit_centavos))
    return Notice(most, Tone.SEA, "coins")


def trouble_notice(cause: str, _: Gettext) -> tuple[Notice, ...]:
    """What a peripheral's trouble means for the person; nothing for none."""
    if not cause:
        return ()
    known = DEVICE_WORDS.get(("cash", cause)) or DEVICE_WORDS["cash", "no_answer"]
    return (Notice(_(known.citizen), Tone.SUN, "triangle-alert"),)


def inserting_notices(
    progress: Inserting, terms: CashTerms | None, trouble: str, _: Gettext
) -> tuple[Notice, ...]:
    """The most urgent two: a note under way or returned, a trouble, then the rule of change."""
    found: list[Notice] = []
    if progress.stacking_centavos:
        text = _("Un momento: estamos recibiendo su billete de {amount}.")
        told = text.format(amount=format_mxn(progress.stacking_centavos))
        found.append(Notice(told, Tone.SEA, "loader-circle"))
    elif progress.refused is not None:
        found.append(Notice(why_returned(progress.refused, _), Tone.SUN, "undo-2"))
    found += trouble_notice(trouble, _)
    limit = terms.change_limit_centavos if terms else 0
    found.append(change_notice(progress.gives_change, limit, _))
    return tuple(found[:2])


def say_insert(offer: Inserting | None, _: Gettext) -> str:
    """What to do with one's money, of what the kiosk would take now."""
    if offer is not None and offer.coins and not offer.notes:
        return _("Inserte sus monedas de una en una.")
    if offer is not None and offer.notes and not offer.coins:
        return _("Inserte sus billetes de uno en uno.")
    return _("Inserte sus billetes de uno en uno y sus monedas.")


def say_phase(phase: CashPhase, offer: Inserting | None, *, is_complete: bool, _: Gettext) -> Said:
    """Headline and sentence while it goes on."""
    match phase:
        case CashPhase.ASKING_CITY:
            head = _("Preguntamos a la ciudad su importe de hoy")
            return Said(head, _("Un momento, por favor."), icon="landmark")
        case CashPhase.CONFIRM:
            return Said(_("¿Paga esta cantidad en efectivo?"), "")
        case CashPhase.STARTING:
            return Said(_("Abriendo la entrada de dinero"), _("Todavía no inserte dinero."))
        case CashPhase.INSERTING:
            return Said(_("Inserte su dinero"), say_insert(offer, _))
        case CashPhase.CLOSING if is_complete:
            return Said(_("Ya está completo"), _("Ya no inserte dinero. Lo estamos contando."))
        case CashPhase.CLOSING:
            return Said(_("Terminando"), _("Ya no inserte dinero. Lo estamos contando."))
        case CashPhase.CHANGE if is_complete:
            return Said(_("Tome su cambio"), _("Espere a que salgan todas las monedas."),
                        icon="coins", tone=Tone.LEAF)  # fmt: skip
        case _:
            return Said(_("Tome su dinero"), _("Espere a que salgan todas las monedas."),
                        icon="coins", tone=Tone.LEAF)  # fmt: skip


def say_end(
    end: CashEnd, block: CashBlock, payment: Payment | None, inside_centavos: int, _: Gettext
) -> Said:
    """How it ended, what is kept of the person's money, and what to do."""
    owed = format_mxn(payment.owed_centavos) if payment else ""
    back = format_mxn(payment.change_centavos) if payment else ""
    claim = _("Con su comprobante, en Tesorería se lo devuelven o completan su pago.")
    match end:
        case CashEnd.NOT_READY:
            text = _("No se abrió la entrada de dinero. No se cobró nada.")
            return Said(_("Ahora no se puede pagar en efectivo"), text,
                        _not_ready(block, _), "circle-alert", Tone.SUN)  # fmt: skip
        case CashEnd.CANCELLED:
            given = _("Se le devolvió todo: {amount}.").format(amount=back)
            kept_none = payment is not None and payment.collected_centavos > 0
            text = given if kept_none else _("No entró dinero. No se cobró nada.")
            return Said(_("Pago cancelado"), text, icon="circle-x")
        case CashEnd.OWED:
            text = _("El pago no se completó y el kiosco guarda {amount} suyos.")
            head = _("Le debemos {amount}").format(amount=owed)
            return Said(head, text.format(amount=owed), claim, "hand-coins", Tone.SUN)
        case CashEnd.CHANGE_OWED:
            text = _("Su predio quedó pagado, pero su cambio no salió completo: faltan {amount}.")
            told = _("Con su comprobante, en Tesorería le entregan lo que falta.")
            head = _("Pago hecho. Le debemos {amount}").format(amount=owed)
            return Said(head, text.format(amount=owed), told, "hand-coins", Tone.SUN)
        case _:
            return _say_doubt(end, inside_centavos, has_folio=payment is not None, _=_)


def _say_doubt(end: CashEnd, inside_centavos: int, *, has_folio: bool, _: Gettext) -> Said:
    icon, tone = "message-circle-warning", Tone.SUN
    counted = _("Hasta ahora contamos {amount}.").format(amount=format_mxn(inside_centavos))
    if end is CashEnd.NOT_SAVED:
        text = _("El kiosco no pudo guardar su pago. No perdió nada.")
        told = _("No inserte más dinero y anote su folio.") if has_folio else ""
        return Said(_("No pudimos guardar su pago"), text, told, icon, tone)
    if end is CashEnd.STUCK:
        text = _("La máquina no ha contestado y el kiosco le seguirá preguntando.")
        head = _("No sabemos si entró todo su dinero")
        return Said(head, f"{counted} {text}", _("No inserte más dinero y anote su folio."),
                    icon, tone)  # fmt: skip
    text = _("El personal contará la caja para confirmar lo que entró.")
    head = _("No sabemos si entró todo su dinero")
    return Said(head, f"{counted} {text}", _("No vuelva a pagar: guarde su comprobante."),
                icon, tone)  # fmt: skip


def _not_ready(block: CashBlock, _: Gettext) -> str:
    return "" if block is CashBlock.NONE else f"{why_blocked(block, _)}."
