"""What every screen's body is, and how one is built on its first visit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.uix.boxlayout import BoxLayout

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Notice, Tone, View
from kiosk.widgets import skin
from kiosk.widgets.buttons import PushButton
from kiosk.widgets.panels import NoticeBox
from kiosk.widgets.surface import Room

Press = Callable[[str], None]
FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Chrome:
    """Which constant parts stand around a body."""

    header: bool = True
    title: bool = True


class ScreenBody(BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """The part of a screen between title and bottom bar. Subclasses draw a view in `show`."""

    def __init__(self, press: Press, **kwargs: Any) -> None:
        self.press = press
        super().__init__(**kwargs)
        # `ids` are weak: parts that a layout takes out for a while must not die.
        self._kept = list(self.walk())
        for part in self._kept:
            if isinstance(part, Room) and not skin.is_tall():
                part.parent.remove_widget(part)

    def show(self, view: Any) -> None:
        """Draw a view. Called with every change; must be cheap when little changed."""
        raise NotImplementedError

    def chrome(self, view: View) -> Chrome:
        return Chrome()

    def arrange(self, *parts: Any) -> None:
        """Have these parts and no others, in this order."""
        if list(reversed(self.children)) != list(parts):
            self.clear_widgets()
            for part in parts:
                self.add_widget(part)


_MODULES: dict[Screen, tuple[str, str]] = {
    Screen.HOME: ("home", "HomeBody"),
    Screen.TRAMITES: ("tramites", "TramitesBody"),
    Screen.TRAMITE: ("tramite", "TramiteBody"),
    Screen.PREDIAL_CLAVE: ("predial_clave", "PredialClaveBody"),
    Screen.PREDIAL_BENEFICIO: ("predial_beneficio", "BeneficioBody"),
    Screen.PREDIAL_ADEUDO: ("predial_adeudo", "AdeudoBody"),
    Screen.PAGO_TARJETA: ("pago_tarjeta", "PagoTarjetaBody"),
    Screen.PAGO_EFECTIVO: ("pago_efectivo", "PagoEfectivoBody"),
    Screen.PAGO_RESULTADO: ("pago_resultado", "PagoResultadoBody"),
    Screen.PASE_DE_CAJA: ("pase_de_caja", "PaseBody"),
    Screen.REPORTE: ("reporte", "ReporteBody"),
    Screen.FOLIO: ("folio", "FolioBody"),
    Screen.AYUDA: ("ayuda", "AyudaBody"),
    Screen.EMERGENCIAS: ("emergencias", "EmergenciasBody"),
    Screen.MAS_SERVICIOS: ("mas_servicios", "MasServiciosBody"),
    Screen.IMPRIMIENDO: ("imprimiendo", "ImprimiendoBody"),
    Screen.AVISO: ("aviso", "AvisoBody"),
    Screen.FUERA_DE_SERVICIO: ("aviso", "AvisoBody"),
    Screen.TECNICO: ("tecnico", "TecnicoBody"),
    Screen.PUESTA: ("tecnico", "TecnicoBody"),
}


def build_body(screen: Screen, press: Press) -> ScreenBody:
    """Import a screen's module, load its .kv once, and make its body."""
    name, cls = _MODULES[screen]
    module = import_module(f"kiosk.screens.{name}")
    source = str(FOLDER / f"{name}.kv")
    if source not in Builder.files:
        Builder.load_file(source)
    body: ScreenBody = getattr(module, cls)(press)
    return body


# --- what several bodies draw alike -----------------------------------------------------------


def accent_of(tone: Tone) -> str:
    """A presenter's tone as a theme accent."""
    return "sea" if tone is Tone.PLAIN else tone.value


def dress_button(button: PushButton, action: Action) -> None:
    """Make a button say what an action says."""
    button.key, button.text, button.detail = action.id, action.label, action.detail
    button.icon, button.enabled = action.icon, action.enabled
    button.speech = action.focus().speech
    if action.primary:
        button.kind = "primary"
    elif action.selected:
        button.kind = "chosen"
    else:
        button.kind = "danger" if action.tone is Tone.CLAY else "plain"


def fill_buttons(
    box: Any, actions: Sequence[Action], press: Press, *, height: float = 0, **looks: Any
) -> None:
    """One button per action, keeping the widgets when the ids are the same as before."""
    now = [child.key for child in reversed(box.children) if isinstance(child, PushButton)]
    if now != [a.id for a in actions]:
        box.clear_widgets()
        for action in actions:
            button = PushButton(**looks)
            if height:
                button.size_hint_y, button.height = None, height
            button.key = action.id
            button.fbind("on_act", partial(_forward, button, press))
            box.add_widget(button)
    # Three side by side share one size, so that none looks less important than it is.
    abreast = getattr(box, "orientation", "") == "horizontal" and len(actions) > 2
    for button, action in zip(reversed(box.children), actions, strict=True):
        button.role = looks.get("role", "body" if abreast else "heading")
        dress_button(button, action)


def _forward(target: Any, press: Press, *_: Any) -> None:
    press(target.key)


def forward(target: Any, press: Press) -> None:
    """Send a target's key to the presenter when it acts."""
    target.fbind("on_act", partial(_forward, target, press))


def fill_notices(box: Any, notices: Sequence[Notice], role: str = "") -> None:
    """One box per notice, top to bottom; nothing is rebuilt while the words are the same."""
    role = role or skin.pick("small", "body")
    wanted = [(n.text, n.icon, accent_of(n.tone)) for n in notices]
    now = [(c.text, c.icon, c.accent) for c in reversed(box.children)]
    if wanted != now:
        box.clear_widgets()
        for text, icon, accent in wanted:
            box.add_widget(NoticeBox(text=text, icon=icon, accent=accent, role=role))


def bar_tone(action: Action) -> str:
    return "clay" if action.tone is Tone.CLAY else "ink"


def is_low() -> bool:
    """True on a screen so low that fingers' sizes leave no room for a title above a full page."""
    metrics = skin.theme().metrics
    return metrics.millimetres(metrics.height) < 132
