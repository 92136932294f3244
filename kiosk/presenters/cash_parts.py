"""Buttons and notices of the cash screen, phase by phase."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.presenters.base import Action, Notice, Tone
from kiosk.presenters.cash_text import change_notice
from kiosk.presenters.views import CashEnd, CashPhase, Row
from kiosk.presenters.wording import printer_trouble
from kiosk.usecases.cash_progress import CashTerms
from kiosk.usecases.debt import Debt
from municipio.money import format_mxn

Gettext = Callable[[str], str]
NOTHING_KEPT = frozenset({CashEnd.NOT_READY, CashEnd.CANCELLED})
"""Ends after which the kiosk holds nothing of the person's."""


def figures_of(due_centavos: int, inside_centavos: int, folio: str, _: Gettext) -> tuple[Row, ...]:
    missing = max(0, due_centavos - inside_centavos)
    return (
        Row(_("A pagar"), format_mxn(due_centavos)),
        Row(_("Ha insertado"), format_mxn(inside_centavos)),
        Row(_("Su folio"), folio),
        Row(_("Le faltan"), format_mxn(missing), strong=True),
    )


def confirm_notices(debt: Debt, terms: CashTerms, _: Gettext) -> tuple[Notice, ...]:
    """The most urgent two of what must be known before money goes in."""
    found = [change_notice(terms.gives_change, terms.change_limit_centavos, _)]
    total = debt.liquidacion.total_centavos if debt.liquidacion else 0
    if total != terms.due_centavos:
        text = _("En efectivo se ajusta al peso: su adeudo es de {amount}.")
        found.append(Notice(text.format(amount=format_mxn(total)), Tone.SEA, "info"))
    if debt.stale:
        text = _("Si ya pagó en otro lugar, no pague otra vez.")
        found.insert(0, Notice(text, Tone.SUN, "triangle-alert"))
    if debt.printer_cause:
        text = _("Su recibo quedará guardado con un folio que verá en la pantalla.")
        told = f"{printer_trouble(debt.printer_cause, _)} {text}"
        found.insert(0, Notice(told, Tone.SUN, "printer"))
    return tuple(found[:2])


def actions_of(
    phase: CashPhase, end: CashEnd | None, seconds_left: int, *, has_folio: bool, _: Gettext
) -> tuple[Action, ...]:
    match phase:
        case CashPhase.CONFIRM:
            return (
                Action("cash.start", _("Sí, insertar el dinero"), icon="banknote", primary=True),
                Action("cash.no", _("No, regresar"), icon="arrow-left"),
            )
        case CashPhase.INSERTING:
            cancel = Action("cash.cancel", _("Cancelar el pago"), icon="x")
            if not seconds_left:
                return (cancel,)
            text = _("Queda 1 segundo")
            if seconds_left > 1:
                text = _("Quedan {n} segundos").format(n=seconds_left)
            label = _("Necesito más tiempo")
            return (Action("cash.more_time", label, text, "clock", primary=True), cancel)
        case CashPhase.END:
            return _end_actions(end, has_folio=has_folio, _=_)
    return ()


def _end_actions(end: CashEnd | None, *, has_folio: bool, _: Gettext) -> tuple[Action, ...]:
    if end in NOTHING_KEPT:
        return (
            Action("cash.pase", _("Pase de caja"), icon="printer", primary=True),
            Action("cash.done", _("Terminar"), icon="log-out"),
        )
    if not has_folio:
        return (Action("cash.done", _("Terminar"), icon="log-out", primary=True),)
    label = _("Imprimir mi comprobante")
    return (
        Action("cash.print", label, icon="printer", primary=True),
        Action("cash.done", _("Ya lo tengo, terminar"), icon="log-out"),
    )
