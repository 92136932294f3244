"""Two things that can go wrong with a tap and are nobody's fault outside."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from captive_portal.views import page, translator


def not_recorded() -> ResponseReturnValue:
    """The card took no proof: nothing was opened."""
    _ = translator()
    title = _("No pudimos guardar su aceptación")
    text = _(
        "Por eso no abrimos el internet. Los servicios de esta página sí funcionan. "
        "Intente de nuevo en unos minutos."
    )
    return page("notice.html", 503, title=title, text=text)


def gate_trouble() -> ResponseReturnValue:
    """The gate did not open: its daemon is silent, or does not know this address."""
    _ = translator()
    title = _("No pudimos abrirle el paso a internet")
    text = _(
        "Apague y encienda el Wi-Fi de su teléfono e intente otra vez. "
        "Los servicios de esta página sí funcionan."
    )
    return page("notice.html", 503, title=title, text=text)
