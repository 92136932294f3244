"""How dates, causes and states read on a screen, and the rows of keys to type with."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

from kiosk.presenters.views import Key
from municipio.clock import Clock
from municipio.settings import Settings
from municipio.usecases.folios import DOUBLED

Gettext = Callable[[str], str]


def today(clock: Clock, settings: Settings) -> date | None:
    """The civil date in the city's zone; None when the clock cannot be believed."""
    now = clock.now()
    return now.local_date(ZoneInfo(settings.text("city.timezone"))) if now.is_trusted else None


def long_date(day: date, _: Gettext) -> str:
    """`20 de enero de 2026`."""
    months = (
        _("enero"), _("febrero"), _("marzo"), _("abril"), _("mayo"), _("junio"), _("julio"),
        _("agosto"), _("septiembre"), _("octubre"), _("noviembre"), _("diciembre"),
    )  # fmt: skip
    text = _("{day} de {month} de {year}")
    return text.format(day=day.day, month=months[day.month - 1], year=day.year)


def iso_date(text: str, _: Gettext) -> str:
    """The long form of an ISO date or RFC 3339 moment from outside; any other text as it is."""
    try:
        return long_date(date.fromisoformat(text[:10]), _)
    except ValueError:
        return text


def printer_trouble(cause: str, _: Gettext) -> str:
    """Why no paper comes, in the citizen's words; empty for a printer that works."""
    if not cause:
        return ""
    words = {
        "paper_end": _("La impresora no tiene papel."),
        "cover_open": _("La tapa de la impresora está abierta."),
        "auto_recoverable": _("La impresora está caliente. Espere un momento."),
        "cutter": _("La impresora tiene una falla."),
        "unrecoverable": _("La impresora tiene una falla."),
        "absent": _("Este kiosco no tiene impresora por ahora."),
    }
    return words.get(cause, _("La impresora no responde."))


def folio_state(state: str, _: Gettext) -> str:
    """The state of a folio in plain words; a word of the city that we do not know passes as it is."""
    words = {
        "en_proceso": _("Pago en proceso"),
        "pagado": _("Pagado"),
        "rechazado": _("El banco no aceptó el pago. No se cobró."),
        "cancelado": _("Cancelado. No se cobró."),
        "en_verificacion": _("Pago en verificación. No vuelva a pagar."),
        "por_devolver": _("Hay dinero por devolverle: pregunte en Tesorería."),
        "recibido": _("Recibido en el kiosco"),
        "emitido": _("Pase de caja emitido"),
        "pendiente": _("Pendiente de atención"),
        "desarrollo": _("En desarrollo"),
        "atendido": _("Atendido"),
        "no_procede": _("No procede"),
        "acuda_a_ventanilla": _("Vaya a la ventanilla con su comprobante"),
    }
    return words.get(_plain(state), state)


def _plain(state: str) -> str:
    """`En verificación` to `en_verificacion`: the city writes its states for people."""
    marks = unicodedata.normalize("NFKD", state.casefold())
    return "".join(c for c in marks if not unicodedata.combining(c)).strip().replace(" ", "_")


def folio_kind(kind: str, _: Gettext) -> str:
    words = {
        "predial": _("Pago de predial"),
        "reporte": _("Reporte ciudadano"),
        "pase": _("Pase de caja"),
        "portal": _("Wi-Fi gratuito"),
        DOUBLED: _("Dos asuntos con este folio"),
    }
    return words.get(kind, kind)


# --- keys ---------------------------------------------------------------------------------------

LETTER_ROWS = ("1234567890", "qwertyuiop", "asdfghjklñ", "zxcvbnm", ",.-#/")
FOLIO_ROWS = ("1234567890", "QWERTYUIOP", "ASDFGHJKL-", "ZXCVBNM")
ACCENT = "accent"
_ACCENTED = str.maketrans("aeiouAEIOU", "áéíóúÁÉÍÓÚ")
_DIERESIS = str.maketrans("uU", "üÜ")


def keyboard(
    _: Gettext, rows: tuple[str, ...] = LETTER_ROWS, *, done: bool = False
) -> tuple[tuple[Key, ...], ...]:
    """A keyboard with erase and, for running text, accent and space; `done` puts it away."""
    letters = tuple(tuple(Key(f"key.{c}", c, _spoken(c, _)) for c in row) for row in rows)
    last: list[Key] = []
    if rows is LETTER_ROWS:
        last.append(Key(f"key.{ACCENT}", "´", _("acento")))
        last.append(Key("key.space", _("Espacio"), _("espacio"), wide=True))
    running = rows is LETTER_ROWS
    erase = _("borrar la última")
    last.append(Key("key.erase", _("Borrar"), erase, icon="delete", wide=not running))
    if done:
        last.append(Key("key.done", _("Listo"), _("cerrar el teclado"), icon="check"))
    return (*letters, tuple(last))


def keypad(_: Gettext, prefix: str, *, enabled: bool = True) -> tuple[tuple[Key, ...], ...]:
    """Telephone order: 1 2 3 / 4 5 6 / 7 8 9 / erase 0 clear."""
    digits = [tuple(Key(f"{prefix}.{n}", str(n), str(n), enabled) for n in range(a, a + 3))
              for a in (1, 4, 7)]  # fmt: skip
    erase = Key(f"{prefix}.erase", _("Borrar"), _("borrar el último"), icon="delete")
    clear = Key(f"{prefix}.clear", _("Limpiar"), _("borrar todo"), icon="x")
    return (*digits, (erase, Key(f"{prefix}.0", "0", "0", enabled), clear))


def _spoken(char: str, _: Gettext) -> str:
    signs = {
        ",": _("coma"), ".": _("punto"), "-": _("guion"), "#": _("número"), "/": _("diagonal"),
    }  # fmt: skip
    return signs.get(char, char)


class TextEntry:
    """A text that keys type into. The accent key changes the next vowel (twice: diéresis on u)."""

    def __init__(self, limit: int, *, upper: bool = False) -> None:
        self.text = ""
        self._limit = limit
        self._upper = upper
        self._accents = 0

    def press(self, key: str) -> bool:
        """Answer `key.x`; False when the key is not one of a keyboard."""
        if not key.startswith("key."):
            return False
        name = key.removeprefix("key.")
        if name == ACCENT:
            self._accents += 1
            return True
        if name == "erase":
            self.text = self.text[:-1]
        elif name == "clear":
            self.text = ""
        elif name == "space":
            self.type(" ")
        elif len(name) == 1:
            self.type(name)
        self._accents = 0
        return True

    def type(self, typed: str) -> None:
        """Characters from any keyboard, kept to the limit."""
        if self._accents:
            table = _ACCENTED if self._accents == 1 else _DIERESIS
            typed = typed.translate(table)
        typed = typed.upper() if self._upper else typed
        self.text = (self.text + typed)[: self._limit]

    def clear(self) -> None:
        self.text = ""
        self._accents = 0
