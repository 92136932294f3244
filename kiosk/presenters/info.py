"""Screens that only tell: help, emergencies, more services, and trouble in plain words."""

from __future__ import annotations

from dataclasses import replace

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, FocusItem, Presenter, Role, Tone
from kiosk.presenters.views import (
    AvisoView,
    AyudaView,
    EmergenciasView,
    MasServiciosView,
    PhoneRow,
)
from kiosk.speech import spell
from municipio.scans import UnknownScan
from municipio.terms import Terms, language_key
from municipio.usecases.ports import Catalogue, NotRecordedCause


class AyudaPresenter(Presenter[AyudaView]):
    def _press(self, id: str) -> None:
        if id == "ayuda.emergencias":
            self._desk.navigator.go(Screen.EMERGENCIAS)

    def _render(self) -> AyudaView:
        _ = self._desk.words
        phone = self._desk.settings.text("city.help_phone")
        voice = _("Para oír lo que dice la pantalla, toque Escuchar.")
        paragraphs = (
            _("Toque la pantalla con un dedo y suelte. No hace falta apretar."),
            *((voice,) if self._desk.listen else ()),
            _("Si se equivoca, toque Atrás. Para borrar todo, toque Empezar de nuevo."),
            _("El kiosco nunca le pide su NIP ni los números de su tarjeta en la pantalla."),
        )
        label = _("¿Necesita a una persona? Llame al")
        action = Action("ayuda.emergencias", _("Teléfonos de emergencia"), icon="phone",
                        tone=Tone.CLAY)  # fmt: skip
        site = self._desk.settings.text("node.site")
        return AyudaView(
            screen=Screen.AYUDA,
            title=_("Ayuda"),
            speech=" ".join((*paragraphs, f"{label} {spell(phone)}.")),
            focus=(
                *(FocusItem(f"ayuda.{i}", p, p, Role.ITEM) for i, p in enumerate(paragraphs)),
                FocusItem("ayuda.phone", phone, f"{label} {spell(phone)}", Role.ITEM),
                action.focus(),
            ),
            paragraphs=paragraphs,
            phone_label=label,
            phone=phone,
            site=_("Usted está en: {site}").format(site=site),
            actions=(action,),
        )


class EmergenciasPresenter(Presenter[EmergenciasView]):
    """The national number is always there, whatever the catalogue says."""

    NUMBER = "911"

    def __init__(self, desk: Desk, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._numbers: tuple[tuple[str, str], ...] = ()
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        self.refresh()
        self._desk.background.run(self._catalogue.emergency_numbers, self._current(self._loaded))

    def _loaded(self, numbers: tuple[tuple[str, str], ...]) -> None:
        self._numbers = numbers
        self.refresh()

    def _render(self) -> EmergenciasView:
        _ = self._desk.words
        rest = [(name, number) for name, number in self._numbers if number != self.NUMBER]
        phones = tuple(PhoneRow(name, n, f"{name}: {spell(n)}") for name, n in rest)
        name = _("Emergencias")
        said = [f"{name}: {spell(self.NUMBER)}", *(p.speech for p in phones)]
        return EmergenciasView(
            screen=Screen.EMERGENCIAS,
            title=name,
            speech=". ".join(said) + ".",
            focus=(
                FocusItem("emergencias.main", self.NUMBER, said[0], Role.ITEM),
                *(FocusItem(f"emergencias.{i}", p.name, p.speech, Role.ITEM)
                  for i, p in enumerate(phones)),
            ),
            main_name=_("Policía, ambulancia y bomberos"),
            main_number=self.NUMBER,
            note=_("Llame desde cualquier teléfono; es gratis. Este kiosco no hace llamadas."),
            phones=phones,
        )  # fmt: skip


class MasServiciosPresenter(Presenter[MasServiciosView]):
    def __init__(self, desk: Desk, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._reading = ""
        self._terms: Terms | None = None
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        self._reading = ""
        self._load_terms()
        self.refresh()

    def open(self, id: str) -> None:
        """Intent: one of the choices; back returns to the menu."""
        go = self._desk.navigator
        if id == "mas.folio":
            go.go(Screen.FOLIO)
        elif id == "mas.emergencias":
            go.go(Screen.EMERGENCIAS)
        elif id in {"mas.wifi", "mas.privacidad"}:
            self._reading = id
            self._load_terms()
            self.refresh()

    def _load_terms(self) -> None:
        language = language_key(self._desk.words.code)
        self._desk.background.run(
            lambda: self._catalogue.terms(language), self._current(self._got_terms)
        )

    def _got_terms(self, terms: Terms | None) -> None:
        self._terms = terms
        self.refresh()

    def _press(self, id: str) -> None:
        self.open(id)

    def _press_bar(self, id: str) -> None:
        if id == "bar.back" and self._reading:
            self._reading = ""
            self.refresh()
        else:
            super()._press_bar(id)

    def _forget(self) -> None:
        self._reading = ""

    def _render(self) -> MasServiciosView:
        _ = self._desk.words
        choices = (
            Action("mas.wifi", _("Wi-Fi gratis"), _("Cómo conectarse en esta plaza"), "wifi",
                   Tone.SEA),
            Action("mas.folio", _("Mi folio"), _("Cómo va su reporte o su pago"), "ticket",
                   Tone.LEAF),
            Action("mas.emergencias", _("Emergencias"), _("Teléfonos de ayuda"), "phone",
                   Tone.CLAY),
            Action("mas.privacidad", _("Privacidad"), _("Qué hacemos con sus datos"), "shield",
                   Tone.PLUM),
        )  # fmt: skip
        titles = {c.id: c.label for c in choices}
        title = titles.get(self._reading, _("Más servicios"))
        paragraphs = self._paragraphs()
        shown = () if self._reading else choices
        spoken = paragraphs or tuple(c.label for c in shown)
        return MasServiciosView(
            screen=Screen.MAS_SERVICIOS,
            title=title,
            lead="" if self._reading else _("Toque los botones de abajo."),
            speech=f"{title}. {' '.join(f'{p.rstrip(chr(46))}.' for p in spoken)}",
            focus=(
                *(c.focus() for c in shown),
                *(FocusItem(f"mas.paragraph.{i}", p, p, Role.ITEM)
                  for i, p in enumerate(paragraphs)),
            ),
            choices=shown,
            reading=bool(self._reading),
            paragraphs=paragraphs,
        )  # fmt: skip

    def _paragraphs(self) -> tuple[str, ...]:
        _ = self._desk.words
        if self._reading == "mas.wifi":
            ssid = self._desk.settings.text("portal.ssid")
            return (
                _("1. En su teléfono, busque la red {ssid}.").format(ssid=ssid),
                _("2. Se abre una página. Lea los términos y toque «Aceptar y conectarme»."),
                _("No pedimos nombre, correo ni teléfono."),
            )
        if self._reading == "mas.privacidad":
            text = self._terms.notice_simple if self._terms else ""
            fallback = _("El kiosco borra lo que usted escribe cuando termina.")
            return tuple(p for p in (text or fallback).split("\n\n") if p.strip())
        return ()


class AvisoPresenter(Presenter[AvisoView]):
    """Nothing could be saved, or a code was not understood. Enter with `cause`."""

    screen = Screen.AVISO

    def __init__(self, desk: Desk) -> None:
        self._cause: NotRecordedCause | UnknownScan = NotRecordedCause.DISK_FULL
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        cause = params.get("cause")
        if isinstance(cause, NotRecordedCause | UnknownScan):
            self._cause = cause
        self.refresh()

    def _press(self, id: str) -> None:
        if id == "aviso.done" and isinstance(self._cause, UnknownScan):
            self._desk.navigator.back()
        elif id == "aviso.done":
            self._desk.navigator.end_session()

    def _render(self) -> AvisoView:
        _ = self._desk.words
        if isinstance(self._cause, UnknownScan):
            hint = _(
                "Acerque el código de su recibo de predial o de su folio, o escríbalo en la pantalla."
            )
            go_on = Action("aviso.done", _("Continuar"), icon="arrow-right", primary=True)
            return self._notice(_("No reconocemos ese código"), hint, (go_on,))
        text = _("No se guardó nada y no se cobró nada. Intente más tarde o pida ayuda.")
        if self._cause is NotRecordedCause.LEDGER_BUSY:
            text = _("El kiosco está ocupado. No se guardó nada. Intente otra vez en un momento.")
        done = Action("aviso.done", _("Terminar"), icon="log-out", primary=True)
        return self._notice(_("No pudimos guardar lo que hizo"), text, (done,))

    def _notice(self, headline: str, text: str, actions: tuple[Action, ...]) -> AvisoView:
        _ = self._desk.words
        phone = self._desk.settings.text("city.help_phone")
        label = _("Ayuda")
        return AvisoView(
            screen=self.screen,
            title=headline,
            speech=f"{headline}. {text} {label}: {spell(phone)}.",
            focus=tuple(a.focus() for a in actions),
            headline=headline,
            text=text,
            phone_label=label,
            phone=phone,
            icon="octagon-alert",
            tone=Tone.CLAY,
            actions=actions,
        )


class FueraDeServicioPresenter(AvisoPresenter):
    """The node's memory is damaged: nothing may be started. Only listening (or the language) works."""

    screen = Screen.FUERA_DE_SERVICIO

    def _bar(self) -> tuple[Action, ...]:
        return super()._bar()[-1:]

    def _render(self) -> AvisoView:
        _ = self._desk.words
        text = _(
            "Por ahora no haga pagos ni reportes aquí. Avise, por favor, al teléfono de ayuda."
        )
        return self._notice(_("Este kiosco está fuera de servicio"), text, ())


class ArchivoDelSitioPresenter(FueraDeServicioPresenter):
    """This node never had a usable plaza.toml: what is wrong with it, for who put it up."""

    MOST = 3

    def __init__(self, desk: Desk, faults: tuple[str, ...]) -> None:
        self._faults = faults
        super().__init__(desk)

    def _render(self) -> AvisoView:
        _ = self._desk.words
        shown = [f"{n}. {fault}" for n, fault in enumerate(self._faults[: self.MOST], 1)]
        rest = len(self._faults) - len(shown)
        if rest > 0:
            shown.append(_("Y {n} más.").format(n=rest))
        shown.append(
            _(
                "Apague, corrija la tarjeta en una computadora y encienda. Todo está en plaza-error.txt."
            )
        )
        return replace(
            self._notice(_("El archivo plaza.toml no se puede usar"), "\n".join(shown), ()),
            phone="",
            phone_label="",
        )
