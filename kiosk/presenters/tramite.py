"""One trámite's card, with its requirements to take home on paper or by QR."""

from __future__ import annotations

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, FocusItem, Notice, Presenter, Role, Tone
from kiosk.presenters.live_printer import LivePrinter
from kiosk.presenters.print_task import PrintTask
from kiosk.presenters.views import RequirementRow, Row, TramiteView
from kiosk.presenters.wording import printer_trouble
from kiosk.usecases.consults import Consults
from kiosk.usecases.papers import PaperWriter
from kiosk.usecases.printing import PrintDesk, PrintRequest
from municipio.receipts import PaperKind
from municipio.tramites import Requirement, Tramite, copies_label, cost_label
from municipio.usecases.ports import Catalogue
from municipio.usecases.tramites import requirements


class TramitePresenter(Presenter[TramiteView]):
    """Enter with `tramite_id`."""

    def __init__(
        self,
        desk: Desk,
        catalogue: Catalogue,
        printing: PrintDesk,
        papers: PaperWriter,
        consults: Consults,
    ) -> None:
        self._catalogue = catalogue
        self._printing = printing
        self._printer = LivePrinter(desk, printing)
        self._papers = papers
        self._consults = consults
        self._tramite: Tramite | None = None
        self._missing = False
        self._printer_cause = ""
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        tramite_id = str(params.get("tramite_id", ""))
        self._tramite, self._missing = None, False
        self.refresh()
        self._desk.background.run(lambda: self._load(tramite_id), self._current(self._loaded))

    def tick(self, now_s: float) -> None:
        self._printer.tick(now_s, self._current(self._printer_told))

    def print(self) -> None:
        """Intent: the requirements on paper."""
        if self._tramite is None:
            return
        _ = self._desk.words
        request = PrintRequest(PaperKind.REQUISITOS, "", self._papers.requisitos(self._tramite))
        task = PrintTask(
            request,
            headline=self._tramite.name,
            qr=self._papers.tramite_url(self._tramite),
            qr_caption=_("Véalo en su teléfono"),
        )
        self._desk.navigator.go(Screen.IMPRIMIENDO, task=task)

    def _press(self, id: str) -> None:
        if id == "tramite.print":
            self.print()

    def _load(self, tramite_id: str) -> tuple[Tramite | None, str]:
        card = self._catalogue.tramite(tramite_id)
        if card is not None:
            self._consults.opened(card.id)
        return card, self._printing.cause()

    def _loaded(self, found: tuple[Tramite | None, str]) -> None:
        self._tramite, self._printer_cause = found
        self._missing = self._tramite is None
        self.refresh()

    def _printer_told(self, cause: str) -> None:
        self._printer_cause = cause
        self.refresh()

    def _forget(self) -> None:
        self._tramite, self._missing = None, False

    def _render(self) -> TramiteView:
        _ = self._desk.words
        card = self._tramite
        trouble = printer_trouble(self._printer_cause, _)
        usable = card is not None and not trouble
        button = Action("tramite.print", _("Imprimir requisitos"), icon="printer",
                        enabled=usable, primary=True)  # fmt: skip
        if card is None:
            text = _("No encontramos este trámite.") if self._missing else _("Un momento…")
            return TramiteView(
                screen=Screen.TRAMITE, title=_("Trámite"), speech=text, name=text, dependency="",
                description="", requirements_heading="", requirements=(), facts=(), obtains=(),
                legal_basis=(), qr="", qr_caption="", print_action=button,
            )  # fmt: skip
        rows = tuple(_row(r, _) for r in requirements(card))
        facts = self._facts(card)
        said = ". ".join(f"{r.label}: {r.value}" for r in facts)
        bring = "; ".join(f"{r.name}, {r.detail}" for r in rows if not r.held)
        heading, none = _("Qué llevar"), _("ningún documento")
        instead = _("Use el código con su teléfono.")
        notice = Notice(f"{trouble} {instead}", Tone.SUN, "printer")
        return TramiteView(
            screen=Screen.TRAMITE,
            title=card.name,
            speech=f"{card.name}. {heading}: {bring or none}. {said}.",
            focus=(
                *(FocusItem(f"tramite.requirement.{i}", r.name, f"{r.name}. {r.detail}", Role.ITEM)
                  for i, r in enumerate(rows)),
                *(FocusItem(f"tramite.fact.{i}", r.label, f"{r.label}: {r.value}", Role.ITEM)
                  for i, r in enumerate(facts)),
                button.focus(),
            ),
            name=card.name,
            dependency=f"{card.dependency} · {card.unit}",
            description=card.description,
            requirements_heading=heading,
            requirements=rows,
            facts=facts,
            obtains=tuple(_("Usted obtiene: {what}").format(what=o) for o in card.obtains),
            legal_basis=tuple(_("Fundamento: {law}").format(law=b) for b in card.legal_basis),
            qr=self._papers.tramite_url(card),
            qr_caption=_("Véalo en su teléfono"),
            print_action=button,
            notice=notice if trouble else None,
        )  # fmt: skip

    def _facts(self, card: Tramite) -> tuple[Row, ...]:
        _ = self._desk.words
        cost = cost_label(card.cost, _)
        rows = (
            Row(_("Costo"), f"{cost}. {card.cost.note}" if card.cost.note else cost, strong=True),
            Row(_("Tiempo"), card.time_text),
            Row(_("Dónde"), card.place),
            Row(_("Horario"), card.hours),
            Row(_("Vigencia"), card.validity),
            Row(_("Teléfono"), card.phone),
        )
        return tuple(r for r in rows if r.value)


def _row(requirement: Requirement, _: object) -> RequirementRow:
    assert callable(_)
    if requirement.held_by_government:
        return RequirementRow(requirement.name, _("No lo lleve: el gobierno ya lo tiene"), True)
    counted = copies_label(requirement, _)
    note = requirement.note[:1].upper() + requirement.note[1:]
    return RequirementRow(requirement.name, ". ".join(p for p in (counted, note) if p))
