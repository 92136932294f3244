"""Looking for a trámite: search as you type, seven life events, the most consulted."""

from __future__ import annotations

from kiosk.flow import Screen
from kiosk.presenters.base import Action, Desk, FocusItem, Presenter, Role, Tone
from kiosk.presenters.views import TramiteRow, TramitesView
from kiosk.presenters.wording import TextEntry, keyboard
from municipio.tramites import Category
from municipio.usecases import tramites
from municipio.usecases.ports import Catalogue
from municipio.usecases.tramites import Heading, TramiteList

QUERY_LIMIT = 60
_UNANSWERED = TramiteList(Heading.MOST_CONSULTED, ())


class TramitesPresenter(Presenter[TramitesView]):
    def __init__(self, desk: Desk, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._query = TextEntry(QUERY_LIMIT)
        self._category = ""
        self._keyboard = False
        self._categories: tuple[Category, ...] = ()
        self._found = _UNANSWERED
        self._searched = 0
        super().__init__(desk)

    def enter(self, **params: object) -> None:
        self._desk.background.run(self._catalogue.categories, self._current(self._got_categories))
        self._search()

    def type(self, text: str) -> None:
        """Intent: characters from any keyboard."""
        self._query.type(text)
        self._search()

    def choose_category(self, category_id: str) -> None:
        """Intent: show a life event; the same one again shows the most consulted."""
        self._query.clear()
        self._keyboard = False
        self._category = "" if category_id == self._category else category_id
        self._search()

    def open_keyboard(self) -> None:
        """Intent: touch the search box."""
        self._keyboard = True
        self.refresh()

    def close_keyboard(self) -> None:
        """Intent: show all that was found."""
        self._keyboard = False
        self.refresh()

    def clear(self) -> None:
        """Intent: empty the search."""
        self._query.clear()
        self._category = ""
        self._keyboard = False
        self._search()

    def open(self, tramite_id: str) -> None:
        """Intent: open a card."""
        self._keyboard = False
        self._desk.navigator.go(Screen.TRAMITE, tramite_id=tramite_id)

    def _press(self, id: str) -> None:
        if id.startswith("tramites.open."):
            self.open(id.removeprefix("tramites.open."))
        elif id.startswith("tramites.category."):
            self.choose_category(id.removeprefix("tramites.category."))
        elif id == "tramites.search":
            self.open_keyboard()
        elif id == "tramites.clear":
            self.clear()
        elif id == "key.done":
            self.close_keyboard()
        elif self._query.press(id):
            self._search()

    def _search(self) -> None:
        """Each search has a number: an answer that a newer one has overtaken is dropped."""
        self._searched += 1
        number, query, category = self._searched, self._query.text, self._category

        def found(result: TramiteList) -> None:
            if number == self._searched:
                self._found = result
                self.refresh()

        self.refresh()
        self._desk.background.run(
            lambda: tramites.search(self._catalogue, query, category), self._current(found)
        )

    def _got_categories(self, categories: tuple[Category, ...]) -> None:
        self._categories = categories
        self.refresh()

    def _forget(self) -> None:
        self._query.clear()
        self._category = ""
        self._keyboard = False
        self._found = _UNANSWERED

    def _render(self) -> TramitesView:
        _ = self._desk.words
        categories = tuple(
            Action(f"tramites.category.{c.id}", _(c.name), icon=c.icon, tone=Tone.SEA,
                   selected=c.id == self._category)
            for c in self._categories
        )  # fmt: skip
        results = tuple(
            TramiteRow(f"tramites.open.{h.id}", h.name, h.dependency, h.cost_label)
            for h in self._found.hits
        )
        hint = _("Escriba qué necesita, por ejemplo: acta, licencia, agua")
        clear = Action("tramites.clear", _("Limpiar"), icon="x")
        shows_clear = bool(self._query.text or self._category)
        keys = keyboard(_, done=True) if self._keyboard else ()
        heading = self._heading()
        title = _("Trámites")
        said = _("{title}. {heading}: {n}. Para buscar, elija el campo de búsqueda.")
        field = self._query.text or hint
        search = _("Buscar")
        return TramitesView(
            screen=Screen.TRAMITES,
            title=title,
            lead=_("Escriba qué necesita, o elija un tema."),
            speech=said.format(title=title, heading=heading, n=len(results)),
            focus=(
                FocusItem("tramites.search", search, f"{search}: {field}", Role.FIELD),
                *(FocusItem(k.id, k.label, k.speech, Role.KEY) for row in keys for k in row),
                *((clear.focus(),) if shows_clear else ()),
                *(c.focus() for c in categories),
                *(FocusItem(r.id, r.name, f"{r.name}, {r.cost}", Role.ITEM) for r in results),
            ),
            query=self._query.text,
            query_hint=hint,
            keyboard_open=self._keyboard,
            keyboard=keys,
            categories=categories,
            heading=heading,
            results=results,
            empty_text="" if results else self._empty_text(),
            clear=clear if shows_clear else None,
        )

    def _heading(self) -> str:
        _ = self._desk.words
        if self._found.heading is Heading.MOST_CONSULTED:
            return _("Lo más consultado")
        if self._found.heading is Heading.RESULTS:
            return _("Resultados")
        names = [c.name for c in self._categories if c.id == self._category]
        return _(names[0]) if names else _("Resultados")

    def _empty_text(self) -> str:
        _ = self._desk.words
        if self._found is _UNANSWERED:  # a slow card: nothing is known of what there is
            return _("Buscando…")
        if self._query.text:
            return _("No encontramos ese trámite. Pruebe con otra palabra o elija un tema.")
        return _("Todavía no hay trámites en este kiosco.")
