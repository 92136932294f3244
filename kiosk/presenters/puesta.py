"""Putting the kiosk up: what is still missing, the site code, and the technician's acts behind it.

Comes up by itself at start until everything was seen to work; left alone it gives way to the citizens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from kiosk.flow import Screen
from kiosk.presenters import tecnico_words as say
from kiosk.presenters.base import Action, Desk, FocusItem, Notice, Presenter, Role, Tone
from kiosk.presenters.views_tecnico import StatusRow, TecnicoPhase, TecnicoView
from kiosk.presenters.wording import keypad, today
from kiosk.usecases.installation import InstallationDesk, Look
from kiosk.usecases.technician_desk import NotAllowed
from municipio.acceptance import AcceptanceStep
from municipio.devices import PrintResult, PrintVerdict
from municipio.usecases.ports import NotRecorded
from sync.site_code import CodeAnswer

LOOK_EVERY_S = 2.0
CODE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class _Shown:
    """`typed` is None but while the code is asked for."""

    look: Look | None = None
    typed: str | None = None
    acting: bool = False
    said: Notice | None = None


class PuestaPresenter(Presenter[TecnicoView]):
    """`serve` is told once, when the technician lets the citizens in."""

    def __init__(self, desk: Desk, work: InstallationDesk) -> None:
        self._work = work
        self._shown = _Shown()
        self._looking = False
        self._looked_s = float("-inf")
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        self._shown = _Shown()
        self._looked_s = float("-inf")
        self.refresh()

    def leave(self) -> None:
        super().leave()
        self._drop()

    def tick(self, now_s: float) -> None:
        if not self._looking and now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s, self._looking = now_s, True
            words = self._desk.words
            self._desk.background.run(lambda: self._work.look(words), self._current(self._looked))

    def _looked(self, look: Look) -> None:
        self._looking = False
        self._shown = replace(self._shown, look=look)
        self.refresh()

    # --- presses

    def _press(self, id: str) -> None:
        self._work.touch()
        name = id.removeprefix("puesta.")
        if name.startswith("key."):
            self._key(name.removeprefix("key."))
        presses: dict[str, Callable[[], None]] = {
            "code": lambda: self._type(""),
            "cancel": lambda: self._type(None),
            "enter": self._enter,
            "sheet": lambda: self._do(
                lambda: self._work.print_sheet(self._desk.words), self._printed
            ),
            "print": lambda: self._do(self._work.print_test, self._printed),
            "serve": self._serve,
        }
        presses.get(name, lambda: None)()
        self.refresh()

    def _serve(self) -> None:
        self._desk.background.run(self._work.accept, lambda _: None)
        self._desk.navigator.end_session()

    def _type(self, typed: str | None) -> None:
        self._shown = replace(self._shown, typed=typed, said=None)

    def _key(self, key: str) -> None:
        typed = self._shown.typed
        if typed is None:
            return
        if key == "clear":
            typed = ""
        elif key == "erase":
            typed = typed[:-1]
        elif len(key) == 1 and key.isdigit() and len(typed) < CODE_LENGTH:
            typed += key
        self._shown = replace(self._shown, typed=typed)

    def _enter(self) -> None:
        code = self._shown.typed or ""
        if len(code) == CODE_LENGTH:
            self._shown = replace(self._shown, typed="")
            self._do(lambda: self._work.open(code), self._answered)

    def _answered(self, answer: CodeAnswer) -> None:
        _ = self._desk.words
        if answer is CodeAnswer.OPENED:
            self._shown = replace(self._shown, typed=None)
            self._looked_s = float("-inf")
            return
        texts = {
            CodeAnswer.WRONG: _("La clave no es correcta."),
            CodeAnswer.CLOSED: _("Esta clave ya no abre: ya se usó o se intentó demasiado."),
            CodeAnswer.NOT_STORED: _("El kiosco no puede guardar datos: revise la memoria."),
        }
        self._say(Notice(texts[answer], Tone.CLAY, "circle-x"))

    def _printed(self, ended: PrintResult | NotAllowed | NotRecorded) -> None:
        _ = self._desk.words
        if isinstance(ended, PrintResult) and ended.verdict is PrintVerdict.PRINTED:
            self._say(Notice(_("Salió el papel."), Tone.LEAF, "check"))
        elif isinstance(ended, PrintResult) and ended.verdict is PrintVerdict.FAILED:
            self._say(Notice(_("No salió el papel. Revise la impresora."), Tone.CLAY, "x"))
        elif isinstance(ended, PrintResult):
            self._say(Notice(_("No se sabe si salió el papel: mírelo."), Tone.SUN, "circle-help"))
        else:
            text = _("No se hizo: la sesión ya no lo permite.")
            self._say(Notice(text, Tone.CLAY, "octagon-alert"))

    def _do(self, act: Callable[[], object], done: Callable[..., None]) -> None:
        """One act at a time, in the background."""
        if self._shown.acting:
            return
        self._shown = replace(self._shown, acting=True, said=None)

        def ended(value: object) -> None:
            self._shown = replace(self._shown, acting=False)
            done(value)
            self.refresh()

        self._desk.background.run(act, self._current(ended))

    def _say(self, notice: Notice) -> None:
        self._shown = replace(self._shown, said=notice)

    def _drop(self) -> None:
        was_open, self._looking = self._work.is_open, False
        self._shown = _Shown()
        if was_open:
            self._desk.background.run(self._work.close, lambda _: None)

    def _forget(self) -> None:
        self._drop()

    # --- looks

    def _bar(self) -> tuple[Action, ...]:
        return super()._bar()[-1:]

    def _render(self) -> TecnicoView:
        return self._code_view() if self._shown.typed is not None else self._list_view()

    def _code_view(self) -> TecnicoView:
        _, shown = self._desk.words, self._shown
        typed = shown.typed or ""
        ready = len(typed) == CODE_LENGTH and not shown.acting
        keys = keypad(_, "puesta.key")
        actions = (
            Action("puesta.enter", _("Entrar"), icon="arrow-right", enabled=ready, primary=True),
            Action("puesta.cancel", _("Regresar"), icon="arrow-left"),
        )
        hidden = _("tecla")
        view = self._view(
            TecnicoPhase.PIN,
            _("Escriba la clave del sitio"),
            _("Son ocho números; vienen en la hoja que la ciudad le dio. Abre una sola vez."),
            actions,
            typed="•" * len(typed),
            keys=keys,
            focus=tuple(
                FocusItem(k.id, k.label, hidden if k.label.isdigit() else k.speech, Role.KEY)
                for row in keys
                for k in row
            ),
        )
        return replace(view, title=self._title())

    def _title(self) -> str:
        _ = self._desk.words
        return _("Puesta en marcha · {node}").format(node=self._desk.settings.node_code)

    def _list_view(self) -> TecnicoView:
        _, look = self._desk.words, self._shown.look
        settings, title = self._desk.settings, self._title()
        groups: list[say.Group] = []
        if look is not None:
            groups = [*self._faults(look), (_("Comprobación"), tuple(map(_row, look.steps)))]
            if look.round is not None:
                groups += say.page(look.round, today(self._desk.clock, settings), _)
        rows = tuple(
            FocusItem(row.id, row.label, f"{row.label}: {row.text}", Role.ITEM)
            for _title, group in groups
            for row in group
        )
        view = self._view(
            TecnicoPhase.PAGE,
            title,
            "" if groups else _("Revisando…"),
            self._actions(look),
            focus=rows,
        )
        return replace(view, groups=tuple(groups), busy=self._work.is_open)

    def _faults(self, look: Look) -> list[say.Group]:
        _ = self._desk.words
        if not look.faults:
            return []
        icon, tone = say.BAD
        rows = tuple(
            StatusRow(f"fault.{n}", "plaza.toml", fault, icon, tone)
            for n, fault in enumerate(look.faults)
        )
        return [(_("El archivo del sitio tiene errores"), rows)]

    def _actions(self, look: Look | None) -> tuple[Action, ...]:
        _, free = self._desk.words, not self._shown.acting
        actions: list[Action] = []
        if self._work.is_open and self._work.has_printer:
            test = Action("puesta.print", _("Imprimir prueba"), icon="printer", enabled=free)
            actions.append(test)
        elif not self._work.is_open and look is not None and look.may_open:
            actions.append(Action("puesta.code", _("Clave del sitio"), icon="key"))
        if self._work.has_printer:
            sheet = _("Imprimir la hoja")
            actions.append(Action("puesta.sheet", sheet, icon="scroll-text", enabled=free))
        serve = Action("puesta.serve", _("Atender al público"), icon="users", primary=True)
        return (*actions, serve)

    def _view(
        self,
        phase: TecnicoPhase,
        headline: str,
        text: str,
        actions: tuple[Action, ...],
        *,
        focus: tuple[FocusItem, ...] = (),
        typed: str = "",
        keys: tuple[tuple[object, ...], ...] = (),
    ) -> TecnicoView:
        notices = () if self._shown.said is None else (self._shown.said,)
        told = " ".join(n.text for n in notices)
        return TecnicoView(
            screen=Screen.PUESTA,
            title=headline,
            speech=f"{headline}. {text} {told}".strip(),
            focus=(*focus, *(a.focus() for a in actions)),
            phase=phase,
            headline=headline,
            text=text,
            typed=typed,
            keys=keys,  # type: ignore[arg-type]  # rows of Key, or none
            groups=(),
            notices=notices,
            actions=actions,
        )


def _row(step: AcceptanceStep) -> StatusRow:
    icon, tone = say.WELL if step.is_done else say.ODD
    text = f"{step.text}. {step.to_do}" if step.to_do else step.text
    return StatusRow(f"step.{step.id}", step.label, text[:1].upper() + text[1:], icon, tone)
