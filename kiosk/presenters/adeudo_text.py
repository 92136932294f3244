"""The words of a debt: its rows, its warnings, the ways to pay and the reasons why not."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.presenters.base import Action, Notice, Tone
from kiosk.presenters.cash_text import why_blocked
from kiosk.presenters.views import DebtRow, Row
from kiosk.presenters.wording import printer_trouble
from kiosk.speech import say_amount
from kiosk.usecases.cash_progress import CashBlock
from kiosk.usecases.debt import CardBlock, Debt, DebtState
from municipio.folio_words import iso_date, long_date
from municipio.money import format_mxn
from municipio.predial import Liquidacion, LiquidacionRow
from municipio.settings import Settings

Gettext = Callable[[str], str]


def rows_of(owed: Liquidacion, _: Gettext) -> tuple[DebtRow, ...]:
    """One row per fiscal year, oldest first."""
    return tuple(_row(row, owed, _) for row in owed.rows)


def _row(row: LiquidacionRow, owed: Liquidacion, _: Gettext) -> DebtRow:
    lines = [
        (_("Impuesto"), row.tax_centavos),
        (_("Adicional"), row.adicional_centavos),
        (_("Actualización"), row.update_centavos),
        (_("Recargos"), row.surcharge_centavos),
        (owed.benefit_label or _("Descuento"), -row.discount_centavos),
    ]
    shown = tuple(Row(label, format_mxn(amount)) for label, amount in lines if amount)
    concepts = _("Impuesto del año")
    if row.update_centavos and row.surcharge_centavos:
        concepts = _("Impuesto, actualización y recargos")
    elif row.update_centavos or row.surcharge_centavos:
        concepts = _("Impuesto y recargos")
    if row.discount_centavos:
        off = _("con descuento de {amount}").format(amount=format_mxn(row.discount_centavos))
        concepts = f"{concepts}, {off}"
    amount = say_amount(row.subtotal_centavos, _)
    speech = f"{row.year}: {concepts}, {amount}"
    return DebtRow(str(row.year), concepts, format_mxn(row.subtotal_centavos), shown, speech)


def notices_of(debt: Debt, _: Gettext) -> tuple[Notice, ...]:
    """Warnings above the ways to pay."""
    notices: list[Notice] = []
    if debt.state is DebtState.TIME_UNSURE and debt.liquidacion is not None:
        text = _(
            "El kiosco no está seguro de la fecha. Este adeudo es del {date}; "
            "puede imprimir una ficha de consulta, pero no pagar."
        )
        when = long_date(debt.liquidacion.issued_on, _)
        notices.append(Notice(text.format(date=when), Tone.SUN, "clock"))
    if debt.state in {DebtState.DUE, DebtState.TIME_UNSURE} and debt.stale:
        text = _("Si ya pagó en otro lugar, no pague otra vez.")
        notices.append(Notice(text, Tone.SUN, "triangle-alert"))
    if debt.state is DebtState.DUE and is_saving(debt):
        text = _(
            "El kiosco tiene poca energía y por ahora no cobra. Lleve un pase de caja, o vuelva cuando "
            "haya sol."
        )
        notices.append(Notice(text, Tone.SUN, "zap"))
    if debt.state is DebtState.DUE and debt.printer_cause:
        instead = _("Verá su folio en la pantalla.")
        text = f"{printer_trouble(debt.printer_cause, _)} {instead}"
        notices.append(Notice(text, Tone.SUN, "printer"))
    return tuple(notices)


def is_saving(debt: Debt) -> bool:
    return debt.card is CardBlock.ENERGY or debt.cash is CashBlock.ENERGY


def ways_of(debt: Debt, _: Gettext) -> tuple[Action, ...]:
    """Only for a debt that may be paid; a way that does not work now says why."""
    if debt.state is not DebtState.DUE:
        return ()
    reasons = {
        CardBlock.NONE: _("Débito o crédito, aquí mismo"),
        CardBlock.OFFLINE: _("Sin conexión: ahora no se puede cobrar con tarjeta"),
        CardBlock.TERMINAL: _("La terminal no responde: use el pase de caja"),
        CardBlock.ENERGY: _("Poca energía: ahora no se cobra con tarjeta"),
    }
    works = debt.card is CardBlock.NONE
    ways = []
    if debt.card is not CardBlock.DISABLED:
        ways.append(
            Action("pay.card", _("Tarjeta"), reasons[debt.card], "credit-card",
                   enabled=works, primary=works)
        )  # fmt: skip
    if debt.cash is not CashBlock.DISABLED:
        takes = debt.cash is CashBlock.NONE
        ways.append(
            Action("pay.cash", _("Efectivo"), why_blocked(debt.cash, _), "banknote",
                   enabled=takes, primary=takes and not works)
        )  # fmt: skip
        works = works or takes
    pase = _("Pague en banco u OXXO") if debt.pase else _("Este importe no se puede pagar fuera")
    ways.append(
        Action("pay.pase", _("Pase de caja"), pase, "printer", enabled=debt.pase,
               primary=not works and debt.pase)
    )  # fmt: skip
    return tuple(ways)


def message_of(debt: Debt | None, settings: Settings, _: Gettext) -> tuple[str, str]:
    """Headline and sentence for the states that show no rows."""
    if debt is None:
        return _("Consultando su adeudo…"), ""
    phone = settings.text("city.help_phone")
    match debt.state:
        case DebtState.UP_TO_DATE:
            return _("Su predio está al corriente"), _("No debe nada hoy. Gracias.")
        case DebtState.ALREADY_PAID:
            when = iso_date(debt.paid_on, _)
            text = _("Se pagó el {date}.").format(date=when) if when else _("Ya hay un pago.")
            warning = _("No pague otra vez.")
            return _("Este predio ya está pagado"), f"{text} {warning}"
        case DebtState.IN_VERIFICATION:
            text = _("Estamos verificando un pago de este predio. No vuelva a pagar.")
            return _("Pago en verificación"), text
        case DebtState.EXPIRED if debt.liquidacion is not None:
            text = _(
                "El importe que tenemos venció el {date} y puede haber cambiado. "
                "Vuelva a intentar cuando haya conexión, o pregunte en Tesorería."
            )
            when = long_date(debt.liquidacion.valid_until, _)
            return _("El importe ya venció"), text.format(date=when)
        case DebtState.BAD_SIGNATURE:
            text = _("El dato que recibió este kiosco no es confiable. Llame al {phone}.")
            return _("No podemos mostrar este adeudo"), text.format(phone=phone)
        case DebtState.NOT_FOUND:
            text = _("Este kiosco no tiene ese predio. Revise la clave o llame al {phone}.")
            return _("No encontramos su adeudo"), text.format(phone=phone)
        case _:
            return "", ""
