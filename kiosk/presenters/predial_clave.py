"""Typing a clave catastral on large keys, with a limit on how many properties one may look at."""

from __future__ import annotations

from datetime import date

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, FocusItem, Presenter, Role
from kiosk.presenters.views import PredialClaveView
from kiosk.presenters.wording import TextEntry, keypad, today
from kiosk.speech import spell
from municipio.identifiers import (
    ClaveProblem,
    accepted_lengths,
    format_clave,
    parse_clave,
    parse_mask,
)
from municipio.predial import Account
from municipio.usecases.ports import Catalogue


class LookupLimits:
    """Counts look-ups per person and per day, so that nobody reads the whole padrón here.

    Without a known date the day's count goes on until the program restarts.
    """

    def __init__(self, per_session: int, per_day: int) -> None:
        self._per_session, self._per_day = per_session, per_day
        self._session = self._today = 0
        self._day: date | None = None

    def allow(self, day: date | None) -> bool:
        """Count one look-up; False when it is one too many."""
        if day is not None and day != self._day:
            self._day, self._today = day, 0
        if self._session >= self._per_session or self._today >= self._per_day:
            return False
        self._session += 1
        self._today += 1
        return True

    def new_person(self) -> None:
        self._session = 0


class PredialClavePresenter(Presenter[PredialClaveView]):
    def __init__(self, desk: Desk, catalogue: Catalogue) -> None:
        settings = desk.settings
        self._catalogue = catalogue
        self._mask = settings.text("city.clave_mask")
        self._lengths = accepted_lengths(self._mask)
        self._typed = TextEntry(self._lengths[-1])
        self._problem = ""
        self._looking = False
        self._limits = LookupLimits(
            settings.number("kiosk.lookups_per_session"), settings.number("kiosk.lookups_per_day")
        )
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        self._looking = False
        self.refresh()

    def type(self, digits: str) -> None:
        """Intent: digits from any keypad; anything else is ignored."""
        self._typed.type("".join(c for c in digits if c.isascii() and c.isdigit()))
        self._problem = ""
        self.refresh()

    def erase(self) -> None:
        """Intent: drop the last digit."""
        self._typed.text = self._typed.text[:-1]
        self._problem = ""
        self.refresh()

    def clear(self) -> None:
        """Intent: start the clave again."""
        self._typed.clear()
        self._problem = ""
        self.refresh()

    def look_up(self) -> None:
        """Intent: continue with what was typed."""
        _ = self._desk.words
        clave = parse_clave(self._typed.text, self._mask)
        if isinstance(clave, ClaveProblem):
            self._problem = self._explain(clave)
        elif not self._limits.allow(today(self._desk.clock, self._desk.settings)):
            self._problem = _("Ya se hicieron muchas consultas. Empiece de nuevo o pida ayuda.")
        else:
            self._looking = True
            self._desk.background.run(
                lambda: (self._catalogue.account(clave.digits), self._catalogue.content_date()),
                self._current(self._found),
            )
        self.refresh()

    def _press(self, id: str) -> None:
        name = id.removeprefix("predial.key.")
        if id == "predial.continue":
            self.look_up()
        elif name == "erase":
            self.erase()
        elif name == "clear":
            self.clear()
        elif len(name) == 1:
            self.type(name)

    def _found(self, answer: tuple[Account | None, date | None]) -> None:
        self._looking = False
        account, content_date = answer
        if account is None:
            self._problem = self._explain_absence(has_content=content_date is not None)
            self.refresh()
            return
        screen = Screen.PREDIAL_ADEUDO if account.benefit else Screen.PREDIAL_BENEFICIO
        self._desk.navigator.go(screen, clave=account.clave)

    def _explain_absence(self, *, has_content: bool) -> str:
        """A kiosk without the city's data must not blame the person's clave."""
        _ = self._desk.words
        if has_content:
            return _("No encontramos esa clave. Compárela con su recibo, dígito por dígito.")
        text = _("Por ahora este kiosco no tiene los datos de predial. Llame al {phone}.")
        return text.format(phone=self._desk.settings.text("city.help_phone"))

    def _explain(self, problem: ClaveProblem) -> str:
        _ = self._desk.words
        lengths = self._lengths_text()
        if not problem.length:
            return _("Escriba su clave catastral.")
        text = _("La clave debe tener {lengths} dígitos. Usted escribió {n}.")
        return text.format(lengths=lengths, n=problem.length)

    def _lengths_text(self) -> str:
        *first, last = [str(n) for n in self._lengths]
        _ = self._desk.words
        word = _("{first} o {last}")
        return word.format(first=", ".join(first), last=last) if first else last

    def _forget(self) -> None:
        self._typed.clear()
        self._problem = ""
        self._looking = False
        self._limits.new_person()

    def _render(self) -> PredialClaveView:
        _ = self._desk.words
        digits = self._typed.text
        keys = keypad(_, "predial.key", enabled=len(digits) < self._lengths[-1])
        ready = len(digits) in self._lengths and not self._looking
        label = _("Buscando…") if self._looking else _("Continuar")
        go_on = Action("predial.continue", label, icon="arrow-right", enabled=ready, primary=True)
        hint = _("Está en su recibo de predial. Puede tener {lengths} dígitos.")
        hint = hint.format(lengths=self._lengths_text())
        title = _("Escriba su clave catastral")
        typed = _("Lleva 1 dígito")
        if len(digits) != 1:
            typed = _("Lleva {n} dígitos").format(n=len(digits))
        said = f"{typed}: {spell(self._shown(digits))}." if digits else hint
        return PredialClaveView(
            screen=Screen.PREDIAL_CLAVE,
            title=title,
            speech=f"{title}. {self._problem or said}",
            focus=(
                *(FocusItem(k.id, k.label, k.speech, Role.KEY, k.enabled)
                  for row in keys for k in row),
                go_on.focus(),
            ),
            step=1,
            steps=4,
            formatted=self._shown(digits),
            placeholder=self._placeholder(digits),
            hint=hint,
            counter=typed if digits else "",
            problem=self._problem,
            keys=keys,
            continue_action=go_on,
            where_to_find=_("La clave es el número largo, arriba en su recibo."),
        )  # fmt: skip

    def _shown(self, digits: str) -> str:
        """In the mask's groups as they are typed; a finished shorter form in its own groups."""
        if len(digits) in self._lengths:
            return format_clave(digits, self._mask)
        groups, at = [], 0
        for width in parse_mask(self._mask):
            if digits[at : at + width]:
                groups.append(digits[at : at + width])
            at += width
        return "-".join(groups)

    def _placeholder(self, digits: str) -> str:
        if len(digits) in self._lengths:
            return ""
        whole = format_clave("0" * sum(parse_mask(self._mask)), self._mask)
        return whole[len(self._shown(digits)) :]
