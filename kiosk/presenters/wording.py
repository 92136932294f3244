"""How dates, causes and states read on a screen, and the rows of keys to type with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

from kiosk.presenters.views import Key
from municipio.clock import Clock
from municipio.settings import Settings

Gettext = Callable[[str], str]


def today(clock: Clock, settings: Settings) -> date | None:
    """The civil date in the city's zone; None when the clock cannot be believed."""
    now = clock.now()
    return now.local_date(ZoneInfo(settings.text("city.timezone"))) if now.is_trusted else None


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
    """A text that keys type into. The accent key changes the next vowel (twice: diéresis on u).

    `sentence` begins it with a capital: the keys have small letters alone, and papers show what was typed.
    """

    def __init__(self, limit: int, *, upper: bool = False, sentence: bool = False) -> None:
        self.text = ""
        self._limit = limit
        self._upper = upper
        self._sentence = sentence
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
        text = self.text + typed
        self.text = (text[:1].upper() + text[1:] if self._sentence else text)[: self._limit]

    def clear(self) -> None:
        self.text = ""
        self._accents = 0
