"""A citizen's report, one question at a time; saved on the card before the folio is shown."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, FocusItem, Presenter, Role, Tone
from kiosk.presenters.print_task import PrintTask
from kiosk.presenters.reporte_draft import FIELD_STEPS, ORDER, STEP_OF_FIELD, Draft
from kiosk.presenters.views import FieldRow, Key, ReporteView, ReportStep, Row
from kiosk.presenters.wording import keyboard, keypad, today
from kiosk.usecases.papers import PaperWriter
from kiosk.usecases.printing import PrintRequest
from municipio.receipts import PaperKind
from municipio.reports import ReportProblem, Service, check_report
from municipio.usecases.ports import Catalogue, Ledger, NotRecorded, Sealer
from municipio.usecases.reports import RECIPIENT, ReportFiled, file_report


class ReportePresenter(Presenter[ReporteView]):
    def __init__(
        self, desk: Desk, catalogue: Catalogue, ledger: Ledger, sealer: Sealer, papers: PaperWriter
    ) -> None:
        self._catalogue = catalogue
        self._ledger = ledger
        self._sealer = sealer
        self._papers = papers
        self._services: tuple[Service, ...] = ()
        self._closed = False
        self._colonias: tuple[str, ...] = ()
        self._privacy = ""
        self._draft = Draft()
        self._step = ReportStep.SERVICE
        self._problem = ""
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        self._draft, self._step, self._problem = Draft(), ReportStep.SERVICE, ""
        self.refresh()
        catalogue, language = self._catalogue, self._desk.words.code[:2]

        def load() -> tuple[tuple[Service, ...], tuple[str, ...], str]:
            terms = catalogue.terms(language)
            # Without the office's key nothing could be sealed, so nothing is asked.
            services = catalogue.services() if catalogue.recipient_keys(RECIPIENT) else ()
            return services, catalogue.colonias(), terms.notice_simple if terms else ""

        self._desk.background.run(load, self._current(self._loaded))

    def choose_service(self, code: str) -> None:
        """Intent: what the report is about; goes on by itself."""
        self._draft.service_code = code
        self._go(ReportStep.COLONIA)

    def choose_colonia(self, name: str) -> None:
        """Intent: a colonia of the list; goes on by itself."""
        self._draft.entry("colonia").text = name
        self._go(ReportStep.STREETS)

    def type(self, text: str) -> None:
        """Intent: characters into the active field."""
        self._draft.active_entry.type(text)
        self._problem = ""
        self.refresh()

    def next(self) -> None:
        """Intent: go on, if what this step asks is there."""
        problem = self._problem_here()
        if problem is not None:
            self._problem = self._desk.words(problem.message_key)
            self._draft.active = problem.field if problem.field in FIELD_STEPS else ""
            self.refresh()
            return
        self._go(ORDER[ORDER.index(self._step) + 1])

    def back(self) -> None:
        """Intent: one step back, out of the report at the first."""
        at = ORDER.index(self._step) if self._step in ORDER else 0
        if at == 0:
            self._desk.navigator.back()
        else:
            self._go(ORDER[at - 1])

    def send(self) -> None:
        """Intent: file it. Pressed twice it is one report."""
        if self._step is not ReportStep.REVIEW:
            return
        self._step = ReportStep.SENDING
        self.refresh()
        draft, language = self._draft.report(), self._desk.words.code[:2]
        day = today(self._desk.clock, self._desk.settings)
        self._desk.background.run(
            lambda: file_report(
                draft,
                ledger=self._ledger,
                catalogue=self._catalogue,
                sealer=self._sealer,
                channel="kiosco",
                language=language,
                today=day,
            ),
            self._current(self._filed),
        )

    def _press(self, id: str) -> None:
        presses: dict[str, Callable[[], None]] = {
            "reporte.next": self.next,
            "reporte.send": self.send,
            "reporte.consent": self._toggle_consent,
        }
        if id in presses:
            presses[id]()
        elif id.startswith("reporte.service."):
            self.choose_service(id.removeprefix("reporte.service."))
        elif id.startswith("reporte.colonia."):
            self.choose_colonia(self._shown_colonias()[int(id.removeprefix("reporte.colonia."))])
        elif id.startswith("reporte.field."):
            self._draft.active = id.removeprefix("reporte.field.")
            self.refresh()
        elif self._draft.active and self._draft.active_entry.press(id):
            self._problem = ""
            self.refresh()

    def _press_bar(self, id: str) -> None:
        if id == "bar.back" and self._step is not ReportStep.SENDING:
            self.back()
        else:
            super()._press_bar(id)

    def _toggle_consent(self) -> None:
        self._draft.consent = not self._draft.consent
        self._problem = ""
        self.refresh()

    def _go(self, step: ReportStep) -> None:
        self._step, self._problem = step, ""
        fields = [f for f, s in STEP_OF_FIELD.items() if s is step and f in FIELD_STEPS]
        self._draft.active = fields[0] if fields else ""
        self.refresh()

    def _problem_here(self) -> ReportProblem | None:
        """The rules' first problem, when it belongs to this step or an earlier one."""
        checked = check_report(self._draft.report(), self._services, self._colonias)
        if not isinstance(checked, ReportProblem):
            return None
        where = STEP_OF_FIELD[checked.field]
        return checked if ORDER.index(where) <= ORDER.index(self._step) else None

    def _loaded(self, found: tuple[tuple[Service, ...], tuple[str, ...], str]) -> None:
        self._services, self._colonias, self._privacy = found
        self._closed = not self._services
        self.refresh()

    def _filed(self, result: ReportFiled | ReportProblem | NotRecorded) -> None:
        match result:
            case ReportFiled():
                self._desk.navigator.go(Screen.IMPRIMIENDO, task=self._task(result))
            case ReportProblem(field, key):
                self._go(STEP_OF_FIELD[field])
                self._problem = self._desk.words(key)
                self.refresh()
            case NotRecorded(cause):
                self._step = ReportStep.REVIEW
                self._desk.navigator.go(Screen.AVISO, cause=cause)

    def _task(self, filed: ReportFiled) -> PrintTask:
        _ = self._desk.words
        report = self._draft.report()
        make = self._papers.reporte(
            filed, colonia=report.colonia.strip(), street=report.street.strip()
        )
        return PrintTask(
            PrintRequest(PaperKind.REPORTE, filed.folio, make),
            headline=_("Su reporte quedó guardado"),
            folio_label=_("Folio provisional"),
            qr=self._papers.follow_url(filed.folio),
            qr_caption=_("Siga su reporte en su teléfono"),
            details=(Row(_("Reporte"), filed.service.name),
                     Row(_("Atiende"), filed.service.dependency)),
        )  # fmt: skip

    def _forget(self) -> None:
        self._draft, self._step, self._problem = Draft(), ReportStep.SERVICE, ""

    def _shown_colonias(self) -> tuple[str, ...]:
        typed = self._draft.entry("colonia").text.casefold()
        found = [c for c in self._colonias if typed in c.casefold()]
        return tuple(found[:6])

    # --- the view

    def _render(self) -> ReporteView:
        _ = self._desk.words
        question = self._question()
        options, fields, keys = self._options(), self._fields(), self._keys()
        review = self._review() if self._step is ReportStep.REVIEW else ()
        phone = self._step is ReportStep.PHONE
        consent = Action(
            "reporte.consent", _("Acepto que me llamen para este reporte"),
            icon="square-check" if self._draft.consent else "square", selected=self._draft.consent,
        )  # fmt: skip
        actions = self._actions()
        spoken = [question, self._problem, *(o.label for o in options)]
        spoken += [f"{r.label}: {r.value}" for r in review]
        at = ORDER.index(self._step) if self._step in ORDER else len(ORDER) - 1
        return ReporteView(
            screen=Screen.REPORTE,
            title=_("Reporte"),
            speech=". ".join(s.rstrip(".") for s in spoken if s) + ".",
            focus=(
                *(o.focus(Role.ITEM) for o in options),
                *(FocusItem(f.id, f.label, f"{f.label}: {f.value or f.hint}", Role.FIELD)
                  for f in fields),
                *(FocusItem(k.id, k.label, k.speech, Role.KEY) for row in keys for k in row),
                *((consent.focus(Role.CHECK),) if phone else ()),
                *(FocusItem(f"reporte.review.{i}", r.label, f"{r.label}: {r.value}", Role.ITEM)
                  for i, r in enumerate(review)),
                *(a.focus() for a in actions),
            ),
            busy=self._step is ReportStep.SENDING,
            step=at + 1,
            steps=len(ORDER),
            stage=self._step,
            question=question,
            options=options,
            fields=fields,
            keyboard=keys,
            consent=consent if phone else None,
            privacy=self._privacy if phone else "",
            review=review,
            problem=self._problem,
            actions=actions,
            answered=() if review else self._review(before=self._step),
        )  # fmt: skip

    def _question(self) -> str:
        _ = self._desk.words
        if self._closed:
            phone = self._desk.settings.text("city.help_phone")
            text = _("Por ahora no podemos recibir reportes aquí. Llame al {phone}.")
            return text.format(phone=phone)
        return {
            ReportStep.SERVICE: _("¿Qué quiere reportar?"),
            ReportStep.COLONIA: _("¿En qué colonia está?"),
            ReportStep.STREETS: _("¿En qué calle?"),
            ReportStep.DESCRIPTION: _("¿Qué sucede?"),
            ReportStep.PHONE: _("¿Quiere dejar un teléfono? No es obligatorio."),
            ReportStep.REVIEW: _("Revise su reporte"),
            ReportStep.SENDING: _("Guardando su reporte…"),
        }[self._step]

    def _options(self) -> tuple[Action, ...]:
        _ = self._desk.words
        if self._step is ReportStep.SERVICE:
            chosen = self._draft.service_code
            return tuple(
                Action(f"reporte.service.{s.code}", s.name, icon=s.icon, tone=Tone.SUN,
                       selected=s.code == chosen)
                for s in self._services
            )  # fmt: skip
        if self._step is ReportStep.COLONIA:
            return tuple(
                Action(f"reporte.colonia.{i}", name, icon="map-pin")
                for i, name in enumerate(self._shown_colonias())
            )
        return ()

    def _fields(self) -> tuple[FieldRow, ...]:
        _ = self._desk.words
        labels = {
            "colonia": (_("Colonia"), _("Escriba las primeras letras"), False),
            "street": (_("Calle y número"), _("Por ejemplo: Chabacano 7"), False),
            "between_1": (_("Entre la calle"), _("Si la sabe"), True),
            "between_2": (_("y la calle"), _("Si la sabe"), True),
            "description": (_("Qué sucede"), _("Por ejemplo: hay un hoyo grande"), False),
            "phone": (_("Teléfono"), _("10 dígitos"), True),
        }
        return tuple(
            FieldRow(f"reporte.field.{name}", *labels[name][:1], self._draft.entry(name).text,
                     labels[name][1], name == self._draft.active, labels[name][2])
            for name, step in STEP_OF_FIELD.items()
            if step is self._step and name in labels
        )  # fmt: skip

    def _keys(self) -> tuple[tuple[Key, ...], ...]:
        if not self._draft.active:
            return ()
        if self._step is ReportStep.PHONE:
            return keypad(self._desk.words, "key")
        return keyboard(self._desk.words)

    def _review(self, before: ReportStep = ReportStep.SENDING) -> tuple[Row, ...]:
        """What was answered in the steps before one."""
        _ = self._desk.words
        report = self._draft.report()
        service = next((s.name for s in self._services if s.code == report.service_code), "")
        between = " / ".join(b for b in (report.between_1, report.between_2) if b)
        rows = (
            (ReportStep.SERVICE, Row(_("Reporte"), service, strong=True)),
            (ReportStep.COLONIA, Row(_("Colonia"), report.colonia)),
            (ReportStep.STREETS, Row(_("Calle y número"), report.street)),
            (ReportStep.STREETS, Row(_("Entre"), between)),
            (ReportStep.DESCRIPTION, Row(_("Qué sucede"), report.description)),
            (ReportStep.PHONE, Row(_("Teléfono"), report.phone or _("No lo dejó"))),
        )
        done = ORDER[: ORDER.index(before)] if before in ORDER else ORDER
        return tuple(row for step, row in rows if row.value and step in done)

    def _actions(self) -> tuple[Action, ...]:
        _ = self._desk.words
        if self._step is ReportStep.REVIEW:
            return (Action("reporte.send", _("Enviar mi reporte"), icon="send", primary=True),)
        if self._step in {ReportStep.SERVICE, ReportStep.SENDING}:
            return ()
        empty_phone = self._step is ReportStep.PHONE and not self._draft.entry("phone").text
        label = _("Seguir sin teléfono") if empty_phone else _("Continuar")
        return (Action("reporte.next", label, icon="arrow-right", primary=True),)
