"""What was done, and how its paper goes: printed, failed, or nobody knows and the person is asked."""

from __future__ import annotations

from dataclasses import replace

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, Presenter, Tone
from kiosk.presenters.print_task import PrintTask
from kiosk.presenters.views import ImprimiendoView, PrintPhase, Row
from kiosk.presenters.wording import printer_trouble
from kiosk.speech import spell
from kiosk.usecases.printing import PrintDesk, PrintEnd, PrintOutcome
from municipio.usecases.ports import NotRecorded

_PHASES = {
    PrintEnd.PRINTED: PrintPhase.PRINTED,
    PrintEnd.FAILED: PrintPhase.FAILED,
    PrintEnd.UNKNOWN: PrintPhase.UNKNOWN,
    PrintEnd.NOT_SAVED: PrintPhase.NOT_SAVED,
}
_SILENCE = frozenset({"", "no_answer"})
"""Causes that explain nothing to a person who may hold the whole paper."""


class ImprimiendoPresenter(Presenter[ImprimiendoView]):
    """Enter with `task`: a PrintTask; it prints at once."""

    def __init__(self, desk: Desk, printing: PrintDesk) -> None:
        self._printing = printing
        self._task: PrintTask | None = None
        self._phase = PrintPhase.PRINTING
        self._outcome: PrintOutcome | None = None
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        task = params["task"]
        assert isinstance(task, PrintTask)
        self._task = task
        self.print()

    def print(self) -> None:
        """Intent: (again) print; the desk decides whether it is the original or COPIA n."""
        if self._task is None:
            return
        request = self._task.request
        self._phase, self._outcome = PrintPhase.PRINTING, None
        self.refresh()
        self._desk.background.run(
            lambda: self._printing.print(request), self._current(self._printed)
        )

    def print_next(self) -> None:
        """Intent: the other paper of the same matter."""
        if self._task is not None and self._task.after is not None:
            self._task = self._task.after
            self.print()

    def came_out_whole(self) -> None:
        """Intent: the person answers yes to "¿salió completo?"."""
        if self._task is None or self._outcome is None:
            return
        request, job_id = self._task.request, self._outcome.job_id
        if not job_id:
            self._confirmed(None)
            return
        self._desk.background.run(
            lambda: self._printing.confirm_whole(request, job_id), self._current(self._confirmed)
        )

    def finish(self) -> None:
        """Intent: done; nothing of the person stays on the screen."""
        self._desk.navigator.end_session()

    def _press(self, id: str) -> None:
        presses = {
            "print.retry": self.print,
            "print.copy": self.print,
            "print.whole_no": self.print,
            "print.whole_yes": self.came_out_whole,
            "print.done": self.finish,
            "print.more": self._desk.navigator.home,
            "print.next": self.print_next,
        }
        if id in presses:
            presses[id]()

    def _printed(self, outcome: PrintOutcome) -> None:
        self._outcome = outcome
        self._phase = _PHASES[outcome.end]
        self.refresh()

    def _confirmed(self, failed: NotRecorded | None) -> None:
        # If the answer cannot be stored the paper still is in the person's hand.
        self._phase = PrintPhase.PRINTED
        self.refresh()

    def _forget(self) -> None:
        self._task, self._outcome = None, None
        self._phase = PrintPhase.PRINTING

    def _render(self) -> ImprimiendoView:
        _ = self._desk.words
        task, phase = self._task, self._phase
        status, icon, tone = self._status()
        question = _("¿Salió completo su papel?") if phase is PrintPhase.UNKNOWN else ""
        actions = self._with_next(self._actions())
        headline = task.headline if task else ""
        folio = task.request.folio if task else ""
        said = [headline, status, question]
        if folio and task:
            said.insert(1, f"{task.folio_label}: {spell(folio)}")
        needs_details = phase not in {PrintPhase.PRINTED, PrintPhase.PRINTING}
        return ImprimiendoView(
            screen=Screen.IMPRIMIENDO,
            title=headline or _("Imprimiendo"),
            speech=" ".join(f"{s.rstrip('.')}." if s[-1:] != "?" else s for s in said if s),
            focus=tuple(a.focus() for a in actions),
            busy=phase is PrintPhase.PRINTING,
            phase=phase,
            headline=headline,
            status=status,
            question=question,
            folio_label=task.folio_label if task else "",
            folio=folio,
            qr=task.qr if task else "",
            qr_caption=task.qr_caption if task else "",
            details=self._details() if needs_details else (),
            icon=icon,
            tone=tone,
            actions=actions,
        )

    def _details(self) -> tuple[Row, ...]:
        return self._task.details if self._task else ()

    def _status(self) -> tuple[str, str, Tone]:
        _ = self._desk.words
        cause = self._outcome.cause if self._outcome else ""
        copy = self._outcome.copy if self._outcome else 0
        keep = self._keep()
        match self._phase:
            case PrintPhase.PRINTING:
                return _("Estamos imprimiendo su papel…"), "printer", Tone.SEA
            case PrintPhase.PRINTED if copy:
                return _("Tome su copia {n}.").format(n=copy), "circle-check", Tone.LEAF
            case PrintPhase.PRINTED:
                return _("Tome su papel de la impresora."), "circle-check", Tone.LEAF
            case PrintPhase.FAILED:
                trouble = printer_trouble(cause or "failed", _)
                return f"{trouble} {keep}".strip(), "circle-alert", Tone.SUN
            case PrintPhase.UNKNOWN:
                said = "" if cause in _SILENCE else printer_trouble(cause, _)
                text = said or _("La impresora no nos confirmó.")
                return text, "message-circle-warning", Tone.SUN
            case PrintPhase.NOT_SAVED:
                text = _("No pudimos guardar la impresión, por eso no imprimimos.")
                return f"{text} {keep}".strip(), "circle-alert", Tone.SUN

    def _keep(self) -> str:
        _ = self._desk.words
        if self._task is None or not self._task.request.folio:
            return _("Puede usar el código con su teléfono.") if self._qr() else ""
        return _("Anote su folio o tómele foto a esta pantalla.")

    def _qr(self) -> str:
        return self._task.qr if self._task else ""

    def _with_next(self, actions: tuple[Action, ...]) -> tuple[Action, ...]:
        """The next paper stands first once this one is out, last while it is still to be got right."""
        if self._task is None or self._task.after is None or not actions:
            return actions
        out = self._phase is PrintPhase.PRINTED
        _ = self._desk.words
        label = _("Imprimir mi recibo")
        following = Action("print.next", label, icon="receipt-text", primary=out)
        if not out:
            return (*actions[:2], following)
        done = next(a for a in actions if a.id == "print.done")
        return (following, replace(done, primary=False))

    def _actions(self) -> tuple[Action, ...]:
        _ = self._desk.words
        done = Action("print.done", _("Terminar"), icon="log-out", primary=True)
        later = Action("print.done", _("Ya lo tengo, terminar"), icon="log-out")
        match self._phase:
            case PrintPhase.PRINTING:
                return ()
            case PrintPhase.PRINTED:
                more = Action("print.more", _("Hacer otra cosa"), icon="house")
                return (done, more)
            case PrintPhase.UNKNOWN:
                return (
                    Action("print.whole_yes", _("Sí, salió completo"), icon="check", primary=True),
                    Action("print.whole_no", _("No, imprimir otra vez"), icon="printer"),
                    later,
                )
            case PrintPhase.FAILED | PrintPhase.NOT_SAVED:
                again = _("Intentar otra vez")
                return (Action("print.retry", again, icon="printer", primary=True), later)

    def _bar(self) -> tuple[Action, ...]:
        """No way back from here: what was done is done."""
        return tuple(a for a in super()._bar() if a.id != "bar.back")
