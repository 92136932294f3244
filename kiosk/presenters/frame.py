"""Around every screen: the header with the link's state, and the idle warning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.background import Background
from kiosk.flow import Idle, IdlePhase
from kiosk.language import Words
from kiosk.presenters.base import Action, Tone
from kiosk.presenters.views import HeaderView, IdleView, LinkLook
from kiosk.presenters.watched import Watched
from municipio.settings import Settings
from municipio.usecases.ports import Link, LinkState

LINK_EVERY_S = 2.0


@dataclass
class _Heard:
    state: LinkState = LinkState.UNKNOWN
    at_s: float = float("-inf")
    asking: bool = False


class HeaderPresenter(Watched[HeaderView]):
    """`tick` a few times a second; reads the link in the background every two seconds.

    One that does not serve (`serves`) keeps nothing, and must not promise it.
    """

    def __init__(
        self,
        words: Words,
        background: Background,
        settings: Settings,
        link: Link,
        *,
        serves: bool = True,
    ) -> None:
        self._serves = serves
        self._words = words
        self._background = background
        self._settings = settings
        self._link = link
        self._heard = _Heard()
        self._card_waits = False
        super().__init__(words)

    def tick(self, now_s: float) -> None:
        if self._heard.asking or now_s - self._heard.at_s < LINK_EVERY_S:
            return
        self._heard.asking = True
        self._heard.at_s = now_s
        self._background.run(lambda: self._link.report().state, self._hear)

    def service_card(self, waits: bool) -> None:
        """A technician's card went in while somebody is served: say that it waits."""
        if waits is not self._card_waits:
            self._card_waits = waits
            self.refresh()

    def _hear(self, state: LinkState) -> None:
        self._heard.state = state
        self._heard.asking = False
        self.refresh()

    def _render(self) -> HeaderView:
        _ = self._words
        looks = {
            LinkState.ONLINE: (LinkLook.ONLINE, _("En línea"), "wifi", Tone.LEAF),
            LinkState.OFFLINE: (
                LinkLook.OFFLINE,
                _("Sin conexión · lo que haga aquí se guarda y se envía después"),
                "wifi-off",
                Tone.SUN,
            ),
            LinkState.UNKNOWN: (
                LinkLook.UNKNOWN,
                _("Comprobando la conexión · lo que haga aquí se guarda"),
                "wifi-off",
                Tone.SUN,
            ),
        }
        look, text, icon, tone = looks[self._heard.state]
        if not self._serves:
            text, icon, tone = _("Este kiosco está fuera de servicio"), "octagon-alert", Tone.CLAY
        if self._card_waits:
            waits = _("Tarjeta de servicio: espere a que esta persona termine")
            text, icon, tone = waits, "id-card", Tone.PLUM
        site = _("Kiosco {site}").format(site=self._settings.text("node.site"))
        city = self._settings.text("city.name")
        return HeaderView(city, site, look, text, icon, tone, f"{city}. {site}. {text}.")


class IdlePresenter(Watched[IdleView]):
    """The "¿Sigue aquí?" overlay, from `Flow.on_idle`."""

    def __init__(self, words: Words, stay: Callable[[], None], finish: Callable[[], None]) -> None:
        self._words = words
        self._stay = stay
        self._finish = finish
        self._idle = Idle()
        super().__init__(words)

    def show(self, idle: Idle) -> None:
        self._idle = idle
        self.refresh()

    def activate(self, id: str) -> None:
        if self.view.visible:
            {"idle.stay": self._stay, "idle.finish": self._finish}[id]()

    def _render(self) -> IdleView:
        _ = self._words
        left = self._idle.seconds_left
        title = _("¿Sigue aquí?")
        how = _("Toque la pantalla o una tecla para seguir.")
        text = _("En {n} segundos borraremos lo que escribió, para cuidar sus datos.")
        if left == 1:
            text = _("En 1 segundo borraremos lo que escribió, para cuidar sus datos.")
        return IdleView(
            visible=self._idle.phase is IdlePhase.WARNING,
            title=title,
            text=text.format(n=left),
            seconds_left=left,
            stay=Action("idle.stay", _("Sí, sigo aquí"), icon="hand", primary=True),
            finish=Action("idle.finish", _("Ya terminé"), icon="log-out"),
            speech=f"{title} {how}",
        )
