"""A stage as the world of a scenario: real programs, touched and looked at as a person would."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, assert_never

from hardware.bench.devices import Deed
from hardware.bench.player import WorldRefused
from hardware.bench.scenario import (
    AskDebt,
    DeviceDoes,
    Doing,
    Expect,
    KioskDoes,
    NetworkDoes,
    NodeDoes,
    PayByCard,
    Tap,
    TypeText,
    Visit,
    Wait,
)
from plaza.demo.journal import Journal
from plaza.demo.processes import ProgramFailed, python_m, run_once
from plaza.demo.remote import KioskSilent, TargetMissing
from plaza.demo.stage import Stage, StageFailed
from plaza.demo.tour import StepFailed, Walk
from plaza.demo.visitor import Visitor

_FOLIO = re.compile(r"\b[A-Z]{3}\d{3}-P\d+-\d{6}-[0-9A-Z]\b")


class StageWorld:
    """Implements `hardware.bench.player.World` over a running stage."""

    def __init__(self, stage: Stage, walk: Walk) -> None:
        self.stage = stage
        self._walk = walk
        self.journal = Journal.of(stage)

    def do(self, doing: Doing, patience_s: float) -> None:
        try:
            self._do(doing, patience_s)
        except KioskSilent as silent:
            raise WorldRefused(f"el kiosco no contesta: {silent}") from None
        except (StepFailed, StageFailed, LookupError, ValueError, OSError) as trouble:
            raise WorldRefused(str(trouble)) from None

    def _do(self, doing: Doing, patience_s: float) -> None:
        match doing:
            case DeviceDoes(device, verb, args):
                self.stage.desk.do(Deed(device, verb, args))
            case NetworkDoes(verb):
                do_network(self.stage, verb)
            case KioskDoes(verb):
                do_kiosk(self.stage, verb)
            case NodeDoes(verb):
                do_power(self.stage, verb)
            case Wait() | Expect() | None:
                raise AssertionError("the player does this itself")
            case Tap() | TypeText() | AskDebt() | PayByCard() | Visit():
                self._as_a_person(doing, patience_s)
            case _:
                assert_never(doing)

    def _as_a_person(
        self, doing: Tap | TypeText | AskDebt | PayByCard | Visit, patience_s: float
    ) -> None:
        match doing:
            case Tap(target, until):
                self._tap(target, until, patience_s)
            case TypeText(text):
                self._type(text, patience_s)
            case AskDebt(clave):
                self._ask_debt(clave, patience_s)
            case PayByCard():
                self._pay_by_card(patience_s)
            case Visit(accepts, reports):
                self._visit(accepts, reports)

    def _tap(self, target: str, until: tuple[str, ...], patience_s: float) -> None:
        """A target ending in `*` is the first one that begins so."""
        if target.endswith("*"):
            target = self._first(target[:-1], patience_s)
        if until:
            self._walk.tap_to(target, *until, timeout_s=patience_s)
        else:
            self._walk.tap(target, patience_s)

    def _first(self, prefix: str, patience_s: float) -> str:
        def first(shown: dict[str, Any]) -> str | None:
            ids = (t["id"] for t in shown["targets"] if t["enabled"])
            return next((i for i in ids if i.startswith(prefix)), None)

        return self._walk.wait(first, f"target {prefix}*", patience_s)

    def _type(self, text: str, patience_s: float) -> None:
        """On the keys that the screen shows: `key.a`, `predial.key.7`..."""
        wanted = f"key.{'space' if text[0] == ' ' else text[0]}"

        def prefix(shown: dict[str, Any]) -> str | None:
            ids = [t["id"] for t in shown["targets"]]
            return next((i for i in ids if i == wanted or i.endswith(f".{wanted}")), None)

        found = self._walk.wait(prefix, f"key «{text[0]}»", patience_s)
        for word, space in _words(text):
            self._walk.type(found.removesuffix(wanted) + "key", word)
            if space:
                self._walk.tap(found.removesuffix(wanted) + "key.space")

    def _ask_debt(self, clave: str, patience_s: float) -> None:
        walk = self._walk
        walk.tap_to("home.predial", "predial_clave", timeout_s=patience_s)
        walk.type("predial.key", clave)
        walk.tap("predial.continue")
        found = walk.wait_screen("predial_beneficio", "predial_adeudo", timeout_s=patience_s)
        if found == "predial_beneficio":
            walk.tap_to("beneficio.no", "predial_adeudo", timeout_s=patience_s)

    def _pay_by_card(self, patience_s: float) -> None:
        ways = ("pay.card", "result.retry")
        offered = self._walk.wait(lambda shown: _first_of(ways, shown), "pay.card", patience_s)
        self._walk.tap_to(offered, "pago_tarjeta", timeout_s=patience_s)
        deadline = time.monotonic() + patience_s
        asked = len(self.stage.terminal.charges())
        self._walk.tap("card.charge", patience_s)
        while not self._reaches_terminal(asked):
            if time.monotonic() > deadline:
                raise StepFailed("el cobro no llegó a la terminal")
            with contextlib.suppress(TargetMissing):
                self.stage.kiosk_remote.tap("card.charge")

    def _reaches_terminal(self, asked: int, within_s: float = 2.0) -> bool:
        """Confirming is a slow, deliberate press: a hasty second one would fall on what comes next."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            if len(self.stage.terminal.charges()) > asked:
                return True
            time.sleep(0.05)
        return False

    def _visit(self, accepts: bool, reports: int) -> None:
        visitor = Visitor(self.stage.plan.portal_url)
        try:
            if accepts:
                page = visitor.send(visitor.get("/"), "conectar")
                if page.status != 200:
                    raise WorldRefused(f"el portal contestó {page.status}")
            for number in range(1, reports + 1):
                _report(visitor, number)
        finally:
            visitor.close()

    # --- looking --------------------------------------------------------------------------

    def missing(self, expect: Expect) -> str:
        try:
            for look in (self._screen, self._papers, self._facts, self._devices):
                if wrong := look(expect):
                    return wrong
        except KioskSilent:
            return "el kiosco no contesta"
        return ""

    def _screen(self, expect: Expect) -> str:
        e = expect
        if not (e.screen or e.text or e.no_text or e.offered or e.refused):
            return ""
        shown = self.stage.kiosk_remote.targets()
        ready = {t["id"] for t in shown["targets"] if t["enabled"]}
        words = " · ".join(shown["texts"])
        checks: tuple[tuple[bool, str], ...] = (
            (not e.screen or shown["screen"] in e.screen, f"la pantalla es «{shown['screen']}»"),
            (not e.text or any(t in words for t in e.text), f"la pantalla dice: {words}"),
            (not e.no_text or e.no_text not in words, f"la pantalla dice «{e.no_text}»"),
            (
                not e.offered or _any(e.offered, ready),
                f"no se ofrece «{e.offered}»: {sorted(ready)}",
            ),
            (not e.refused or not _any(e.refused, ready), f"se ofrece «{e.refused}»"),
        )
        return next((why for true, why in checks if not true), "")

    def _papers(self, expect: Expect) -> str:
        papers = self.papers()
        if expect.papers is not None and len(papers) != expect.papers:
            return f"salieron {len(papers)} papeles, no {expect.papers}"
        if expect.paper_says and (not papers or expect.paper_says not in papers[-1]):
            return f"el último papel no dice «{expect.paper_says}»"
        if expect.approved is not None and len(self._approved()) != expect.approved:
            return f"el banco aprobó {len(self._approved())} cobros, no {expect.approved}"
        return ""

    def _facts(self, expect: Expect) -> str:
        if expect.waiting is not None:
            waiting = sum(int(lane["waiting"]) for lane in self.stage.queue()["lanes"])
            if waiting != expect.waiting:
                return f"esperan entrega {waiting} hechos, no {expect.waiting}"
        if not expect.fact:
            return ""
        facts = self.city_facts() if expect.at_city else self.journal.facts()
        count = sum(f["type"] == expect.fact for f in facts)
        if expect.times is None:
            return "" if count else f"no hay ningún «{expect.fact}»"
        return "" if count == expect.times else f"hay {count} «{expect.fact}», no {expect.times}"

    def _devices(self, expect: Expect) -> str:
        for device, word in expect.sees:
            seen = self.stage.desk.sees(device)
            if word not in seen.values():
                return (
                    f"el nodo ve {device} {seen.get('state', '')} {seen.get('cause', '')}".strip()
                )
        return ""

    def papers(self) -> list[str]:
        """Text of the whole papers, oldest first."""
        folder = self.stage.plan.receipts
        whole = sorted(p.stem for p in folder.glob("*.png") if p.stem.isdigit())
        return [(folder / f"{stem}.txt").read_text() for stem in whole]

    def city_facts(self) -> list[dict[str, Any]]:
        """Every fact of this node as the city stored it."""
        url = f"--db={self.stage.plan.database_url}"
        try:
            raw = run_once(python_m("central", "facts", url))
        except ProgramFailed as trouble:
            raise WorldRefused(str(trouble)) from None
        return [json.loads(line) for line in raw.splitlines()]

    def _approved(self) -> list[dict[str, object]]:
        if "terminal" not in self.stage.props.devices:
            return []
        return [c for c in self.stage.terminal.charges() if c["state"] == "approved"]

    def audit(self) -> str:
        """No fact twice, no original receipt twice, and each peso of the bank in the journal once."""
        facts = self.journal.facts()
        if len({f["id"] for f in facts}) != len(facts):
            return "un hecho está dos veces en el registro"
        originals = Counter(
            folio
            for paper in self.papers()
            if "COPIA" not in paper
            for folio in set(_FOLIO.findall(paper))
        )
        doubled = [folio for folio, times in originals.items() if times > 1]
        if doubled:
            return f"salió dos veces el recibo original {doubled[0]}"
        return self._audit_charges(facts)

    def _audit_charges(self, facts: list[dict[str, Any]]) -> str:
        kinds = Counter(f["type"] for f in facts)
        taken, approved = kinds["payment.taken"], len(self._approved())
        in_doubt = kinds["payment.unknown"]
        if not taken <= approved <= taken + in_doubt:
            return f"el banco aprobó {approved} cobros y el registro tiene {taken}"
        return ""


def do_network(stage: Stage, verb: str) -> None:
    """`cut`, `restore` or `login_page`."""
    controls: dict[str, Callable[[], None]] = {
        "cut": stage.cut_network,
        "restore": stage.restore_network,
        "login_page": stage.login_page,
    }
    controls[verb]()


def do_power(stage: Stage, verb: str) -> None:
    """`power_cut` or `power_up` the whole node."""
    stage.power_cut() if verb == "power_cut" else stage.power_up()


def do_kiosk(stage: Stage, verb: str) -> None:
    """`kill`, `start` or `restart` the kiosk's program; a start comes back with its first screen."""
    if verb == "kill":
        stage.kiosk.kill()
        return
    stage.kiosk.restart() if verb == "restart" else stage.kiosk.start()
    stage.wait_kiosk()


class RealPace:
    """Time as it passes."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def _any(target: str, ready: set[str]) -> bool:
    if target.endswith("*"):
        return any(i.startswith(target[:-1]) for i in ready)
    return target in ready


def _first_of(ids: tuple[str, ...], shown: dict[str, Any]) -> str | None:
    ready = {t["id"] for t in shown["targets"] if t["enabled"]}
    return next((i for i in ids if i in ready), None)


def _words(text: str) -> list[tuple[str, bool]]:
    """Each word, and whether a space follows it."""
    parts = text.split(" ")
    return [(word, at < len(parts) - 1) for at, word in enumerate(parts)]


def _report(visitor: Visitor, number: int) -> None:
    form = visitor.get("/es/reporte")
    sent = visitor.send(
        form,
        "reporte",
        service_code=form.forms[0].choices["service_code"][0],
        colonia="Iquisa",
        street=f"Av. Independencia, poste {number} (demostración)",
        description=f"Luminaria {number} apagada desde el lunes (demostración)",
    )
    if not re.search(r"[A-Z]{3}\d{3}-R\d", sent.text):
        raise WorldRefused(f"el portal no dio folio ({sent.status})")
