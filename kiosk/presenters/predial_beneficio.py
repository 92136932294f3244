"""Before the total, one question: could a benefit be lost by paying now? The kiosk never grants one."""

from __future__ import annotations

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, Notice, Presenter, Tone
from kiosk.presenters.print_task import PrintTask
from kiosk.presenters.views import BeneficioView, BenefitPhase, Row
from kiosk.usecases.papers import PaperWriter
from kiosk.usecases.printing import PrintRequest
from municipio.receipts import Check, PaperKind


class PredialBeneficioPresenter(Presenter[BeneficioView]):
    """Enter with `clave`. What was answered is kept nowhere."""

    def __init__(self, desk: Desk, papers: PaperWriter) -> None:
        self._papers = papers
        self._clave = ""
        self._phase = BenefitPhase.ASK
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        self._clave = str(params.get("clave", ""))
        self._phase = BenefitPhase.ASK
        self.refresh()

    def yes(self) -> None:
        """Intent: the owner may have a right to a benefit."""
        self._phase = BenefitPhase.WHAT_TO_BRING
        self.refresh()

    def go_on(self) -> None:
        """Intent: no benefit, or pay anyway."""
        self._desk.navigator.go(Screen.PREDIAL_ADEUDO, clave=self._clave)

    def print(self) -> None:
        """Intent: the list of what to bring, on paper."""
        _ = self._desk.words
        request = PrintRequest(PaperKind.REQUISITOS, "", self._papers.beneficio(self._clave))
        bring = tuple(Row("·", item) for item in self._bring())
        task = PrintTask(request, headline=_("Lleve esto a Tesorería"), details=bring)
        self._desk.navigator.go(Screen.IMPRIMIENDO, task=task)

    def _press(self, id: str) -> None:
        presses = {
            "beneficio.yes": self.yes,
            "beneficio.no": self.go_on,
            "beneficio.pay_anyway": self.go_on,
            "beneficio.print": self.print,
            "beneficio.end": self._desk.navigator.end_session,
        }
        if id in presses:
            presses[id]()

    def _forget(self) -> None:
        self._clave = ""
        self._phase = BenefitPhase.ASK

    def _bring(self) -> tuple[str, ...]:
        lines = self._papers.beneficio("")(0).lines
        return tuple(line.text for line in lines if isinstance(line, Check))

    def _render(self) -> BeneficioView:
        return self._ask() if self._phase is BenefitPhase.ASK else self._what_to_bring()

    def _ask(self) -> BeneficioView:
        _ = self._desk.words
        title = _("Antes de ver su total")
        question = _("¿El titular del predio es alguna de estas personas?")
        groups = (
            Action("group.1", _("Pensionada o jubilada"), icon="wallet"),
            Action("group.2", _("Viuda o viudo"), icon="heart-handshake"),
            Action("group.3", _("De 60 años o más"), icon="user-round"),
            Action("group.4", _("Con discapacidad"), icon="accessibility"),
        )
        actions = (
            Action("beneficio.yes", _("Sí, es una de ellas"), icon="check", primary=True),
            Action("beneficio.no", _("No, ver mi total"), icon="arrow-right"),
        )
        listed = ", ".join(g.label for g in groups)
        return BeneficioView(
            screen=Screen.PREDIAL_BENEFICIO,
            title=title,
            speech=f"{title}. {question} {listed}.",
            focus=tuple(a.focus() for a in actions),
            step=2,
            steps=4,
            phase=BenefitPhase.ASK,
            question=question,
            groups=groups,
            bring=(),
            warning=None,
            actions=actions,
        )

    def _what_to_bring(self) -> BeneficioView:
        _ = self._desk.words
        title = _("Puede tener derecho a un descuento")
        question = _("Regístrelo primero en Tesorería. Lleve:")
        warning = _("Si paga ahora, puede perder el descuento de este año.")
        actions = (
            Action("beneficio.print", _("Imprimir la lista"), icon="printer", primary=True),
            Action("beneficio.pay_anyway", _("Ver mi total de todos modos"), icon="arrow-right"),
            Action("beneficio.end", _("Terminar"), icon="log-out"),
        )
        bring = self._bring()
        return BeneficioView(
            screen=Screen.PREDIAL_BENEFICIO,
            title=title,
            speech=f"{title}. {warning} {question} {'; '.join(bring)}.",
            focus=tuple(a.focus() for a in actions),
            step=2,
            steps=4,
            phase=BenefitPhase.WHAT_TO_BRING,
            question=question,
            groups=(),
            bring=bring,
            warning=Notice(warning, Tone.SUN, "triangle-alert"),
            actions=actions,
        )
