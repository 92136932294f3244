"""From what the technician's presenter knows to what is on the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from kiosk.flow import Screen
from kiosk.language import SPANISH
from kiosk.presenters import tecnico_words as say
from kiosk.presenters.base import Action, FocusItem, Notice, Role, Tone
from kiosk.presenters.view_parts import Key
from kiosk.presenters.views_tecnico import TecnicoPhase, TecnicoView
from kiosk.presenters.wording import keypad
from kiosk.usecases.technician_desk import Round, TechnicianDesk
from kiosk.usecases.technician_progress import (
    BadCard,
    Checking,
    EnterPin,
    LoggedIn,
    LoggedOut,
    NoAccess,
    Progress,
    ReadingCard,
    WaitToTry,
)
from municipio.device_words import technician_words
from municipio.money import format_mxn
from municipio.technicians import SessionEnd

Gettext = Callable[[str], str]
PIN_MIN = 6


@dataclass(frozen=True, slots=True)
class Shown:
    """What the presenter knows. `cut` is the step of a cash cut, None outside one.

    `figures` are the digits typed for a cut: centavos while counting, coins for the hopper.
    """

    progress: Progress = field(default_factory=ReadingCard)
    pin_length: int = 0
    agreed: bool = False
    round: Round | None = None
    may_cut: bool = False
    cut: TecnicoPhase | None = None
    figures: str = ""
    counted: int = 0
    acting: bool = False
    said: Notice | None = None


def phase_of(shown: Shown) -> TecnicoPhase:
    match shown.progress:
        case EnterPin(is_last_try=True) if not shown.agreed:
            return TecnicoPhase.LAST_TRY
        case EnterPin():
            return TecnicoPhase.PIN
        case Checking():
            return TecnicoPhase.CHECKING
        case WaitToTry():
            return TecnicoPhase.WAIT
        case NoAccess() | BadCard():
            return TecnicoPhase.REFUSED
        case LoggedIn():
            return shown.cut or TecnicoPhase.PAGE
        case LoggedOut():
            return TecnicoPhase.OUT
        case _:
            return TecnicoPhase.READING


def draw(
    shown: Shown, work: TechnicianDesk, day: date | None, _: Gettext, language: str = SPANISH
) -> TecnicoView:
    phase = phase_of(shown)
    view = _blank(phase, _("Servicio técnico"))
    match shown.progress:
        case EnterPin() as asked if phase is TecnicoPhase.PIN:
            view = _pin(view, asked, shown.pin_length, _)
        case EnterPin() as asked:
            view = _last_try(view, asked, _)
        case WaitToTry() as wait:
            view = _wait(view, wait, _)
        case NoAccess(why, detail):
            view = _refused(view, say.refusal(why, detail, _), _)
        case BadCard(cause):
            told = _(technician_words("card", cause))
            view = _refused(view, f"{told[:1].upper()}{told[1:]}.", _)
        case LoggedIn() as inside if phase is TecnicoPhase.PAGE:
            view = _page(view, inside, shown, work, _)
            view = replace(view, **_groups(shown, day, _, language))
        case LoggedIn():
            view = _cut(view, shown, _)
        case LoggedOut(why):
            view = replace(
                view, headline=_("La sesión terminó"), text=say.ended(why, _), icon="log-out",
                actions=(Action("tecnico.done", _("Cerrar"), icon="log-out", primary=True),),
            )  # fmt: skip
        case _:
            checks = phase is TecnicoPhase.CHECKING
            headline = _("Comprobando el NIP…") if checks else _("Leyendo la tarjeta…")
            text = _("No saque la tarjeta.")
            view = replace(view, headline=headline, text=text, icon="id-card", busy=True)
    return _focused(view, _)


def _blank(phase: TecnicoPhase, title: str) -> TecnicoView:
    return TecnicoView(
        screen=Screen.TECNICO,
        title=title,
        speech=title,
        phase=phase,
        headline=title,
        text="",
        typed="",
        keys=(),
        groups=(),
        notices=(),
        actions=(),
    )


def _focused(view: TecnicoView, _: Gettext) -> TecnicoView:
    """Rows, keys and buttons in order. A PIN's keys do not say which digit they are."""
    secret = _("tecla") if view.phase is TecnicoPhase.PIN else ""
    keys = tuple(
        FocusItem(k.id, k.label, secret if k.label.isdigit() and secret else k.speech, Role.KEY,
                  k.enabled)
        for row in view.keys for k in row
    )  # fmt: skip
    rows = tuple(
        FocusItem(row.id, row.label, f"{row.label}: {row.text}", Role.ITEM)
        for _title, group in view.groups
        for row in group
    )
    said = " ".join(f"{p.rstrip('.…')}." for p in (view.headline, view.text) if p)
    told = " ".join(n.text for n in view.notices)
    speech = f"{said} {told}".strip()
    if view.phase is TecnicoPhase.WAIT:
        speech = view.headline
    return replace(
        view, speech=speech, focus=(*rows, *keys, *(a.focus() for a in view.actions))
    )  # fmt: skip


def _leave(_: Gettext) -> Action:
    return Action("tecnico.cancel", _("Salir"), icon="log-out")


def _pin(view: TecnicoView, asked: EnterPin, length: int, _: Gettext) -> TecnicoView:
    told = [say.refusal(asked.refused, "", _)] if asked.refused is not None else []
    told.append(say.tries_text(asked.tries_left, _))
    alarming = asked.refused is not None or asked.is_last_try
    tone, icon = (Tone.CLAY, "triangle-alert") if alarming else (Tone.SEA, "info")
    ready = length >= PIN_MIN
    return replace(
        view,
        headline=_("Escriba el NIP de su tarjeta"),
        text=_("Tarjeta {badge}. El NIP tiene de seis a ocho números.").format(
            badge=asked.technician
        ),
        typed="•" * length,
        keys=_quiet(keypad(_, "tecnico.key"), _),
        notices=(Notice(" ".join(told), tone, icon),),
        actions=(
            Action("tecnico.enter", _("Entrar"), icon="arrow-right", enabled=ready, primary=True),
            _leave(_),
        ),
    )


def _quiet(keys: tuple[tuple[Key, ...], ...], _: Gettext) -> tuple[tuple[Key, ...], ...]:
    """Keys that nobody hears: a PIN must not be overheard."""
    hidden = _("tecla")
    return tuple(
        tuple(replace(k, speech=hidden) if k.label.isdigit() else k for k in row) for row in keys
    )


def _last_try(view: TecnicoView, asked: EnterPin, _: Gettext) -> TecnicoView:
    told = say.refusal(asked.refused, "", _) if asked.refused is not None else ""
    notices = (Notice(told, Tone.CLAY, "circle-x"),) if told else ()
    return replace(
        view,
        headline=_("Puede ser el último intento"),
        text=_("{tries} Si el NIP no es correcto, la tarjeta se bloquea.").format(
            tries=say.tries_text(asked.tries_left, _)
        ),
        notices=notices,
        icon="triangle-alert",
        tone=Tone.CLAY,
        actions=(
            Action("tecnico.agree", _("Sí, usar el intento"), icon="key"),
            replace(_leave(_), primary=True),
        ),
    )


def _wait(view: TecnicoView, wait: WaitToTry, _: Gettext) -> TecnicoView:
    told = say.refusal(wait.refused, "", _) if wait.refused is not None else ""
    notices = (Notice(told, Tone.CLAY, "circle-x"),) if told else ()
    return replace(
        view,
        headline=_("Espere para intentar otra vez"),
        text=say.wait_text(wait.seconds, _),
        notices=notices,
        icon="timer",
        tone=Tone.SUN,
        actions=(_leave(_),),
    )


def _refused(view: TecnicoView, text: str, _: Gettext) -> TecnicoView:
    pays = _("Para pagar con su tarjeta use la terminal de pago. Saque esta tarjeta.")
    return replace(
        view,
        headline=_("Esta tarjeta no abre el servicio"),
        text=text,
        notices=(Notice(pays, Tone.SEA, "credit-card"),),
        icon="shield-alert",
        tone=Tone.CLAY,
        actions=(replace(_leave(_), primary=True),),
    )


# --- inside -----------------------------------------------------------------------------------


def _page(
    view: TecnicoView,
    inside: LoggedIn,
    shown: Shown,
    work: TechnicianDesk,
    _: Gettext,
) -> TecnicoView:
    title = _("Servicio técnico · {badge}").format(badge=inside.technician.id)
    return replace(
        view,
        title=title,
        headline=title,
        notices=_page_notices(inside, shown, _),
        actions=_page_actions(inside, shown, work, _),
        busy=True,
    )


def _groups(shown: Shown, day: date | None, _: Gettext, language: str) -> dict[str, Any]:
    groups = () if shown.round is None else say.page(shown.round, day, _, language)
    return {"groups": groups, "text": "" if groups else _("Revisando…")}


def _page_notices(inside: LoggedIn, shown: Shown, _: Gettext) -> tuple[Notice, ...]:
    notices = [] if shown.said is None else [shown.said]
    if inside.limit is not None:
        notices.append(Notice(say.limit(inside.limit, _), Tone.SUN, "triangle-alert"))
    if inside.warning is SessionEnd.IDLE:
        text = _("La sesión se cierra en menos de un minuto si no toca un botón.")
        notices.append(Notice(text, Tone.SUN, "timer"))
    elif inside.warning is not None:
        text = _("La sesión se cierra en menos de 15 minutos.")
        notices.append(Notice(text, Tone.SUN, "timer"))
    return tuple(notices)


def _page_actions(
    inside: LoggedIn, shown: Shown, work: TechnicianDesk, _: Gettext
) -> tuple[Action, ...]:
    actions = []
    free = not shown.acting
    if inside.warning is SessionEnd.IDLE:
        actions.append(Action("tecnico.stay", _("Sigo aquí"), icon="hand"))
    if work.has_printer:
        actions += [
            Action("tecnico.print", _("Imprimir prueba"), icon="printer", enabled=free),
            Action("tecnico.paper", _("Papel puesto"), icon="scroll-text", enabled=free),
        ]
    if shown.may_cut:
        half = shown.round.half_cut if shown.round is not None else None
        if half is not None and half.by != inside.technician.id:
            label = _("Firmar corte de {badge}").format(badge=half.by)
            amount = format_mxn(half.counted_centavos)
            actions.append(Action("tecnico.confirm", label, amount, "signature", enabled=free))
        else:
            actions.append(Action("tecnico.cut", _("Corte de caja"), icon="coins", enabled=free))
        if work.has_hopper and inside.warning is not SessionEnd.IDLE:  # six do not fit
            fill = _("Llenar la tolva")
            actions.append(Action("tecnico.fill", fill, icon="hand-coins", enabled=free))
    leave = Action("tecnico.logout", _("Terminar"), icon="log-out", primary=True, enabled=free)
    return (*actions, leave)


def _cut(view: TecnicoView, shown: Shown, _: Gettext) -> TecnicoView:
    back = Action("tecnico.cancel", _("No hacer el corte"), icon="x")
    if view.phase is TecnicoPhase.CUT_REVIEW:
        return _cut_review(view, shown, back, _)
    if view.phase is TecnicoPhase.HOPPER_FILL:
        return _fill(view, shown, _)
    counts_money = view.phase is TecnicoPhase.CUT_COUNT
    figures = int(shown.figures or "0")
    go_on = Action("tecnico.enter", _("Continuar"), icon="arrow-right", primary=True)
    count = _("Saque billetes y monedas de la caja, cuéntelos y escriba el total.")
    hopper = _("Cuente y escriba cuántas monedas quedan en la tolva de cambio.")
    return replace(
        view,
        title=_("Corte de caja"),
        headline=_("Dinero contado") if counts_money else _("Monedas en la tolva"),
        text=count if counts_money else hopper,
        typed=format_mxn(figures) if counts_money else str(figures),
        keys=keypad(_, "tecnico.key"),
        actions=(go_on, back),
        busy=True,
    )


def _fill(view: TecnicoView, shown: Shown, _: Gettext) -> TecnicoView:
    box = shown.round.box if shown.round is not None else None
    held = _("Por el registro tenía {n}.").format(n=box.hopper_coins) if box is not None else ""
    count = _("Escriba cuántas monedas tiene ahora la tolva, contadas a mano.")
    done = Action("tecnico.enter", _("Anotar"), icon="check", primary=True,
                  enabled=bool(shown.figures))  # fmt: skip
    return replace(
        view,
        title=_("Llenar la tolva"),
        headline=_("Monedas en la tolva"),
        text=f"{count} {held}".strip(),
        typed=shown.figures or "0",
        keys=keypad(_, "tecnico.key"),
        actions=(done, Action("tecnico.cancel", _("Regresar"), icon="arrow-left")),
        busy=True,
    )


def _cut_review(view: TecnicoView, shown: Shown, back: Action, _: Gettext) -> TecnicoView:
    box = shown.round.box if shown.round is not None else None
    inside = box.coins_centavos + box.notes_centavos if box is not None else 0
    text = _("Contado: {counted}. Por el registro: {inside}. Diferencia: {difference}.")
    sign = Action("tecnico.sign", _("Firmar el corte"), icon="signature", primary=True)
    return replace(
        view,
        title=_("Corte de caja"),
        headline=_("¿Firma este corte?"),
        text=text.format(
            counted=format_mxn(shown.counted),
            inside=format_mxn(inside),
            difference=format_mxn(shown.counted - inside),
        ),
        icon="coins",
        actions=(sign, back),
        busy=True,
    )
