"""A stage as the world of a scenario: real programs, touched and looked at as a person would."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from hardware.bench.desk import Deed
from hardware.bench.player import WorldRefused
from hardware.bench.scenario import (
    DeviceDoes,
    Doing,
    Expect,
    KioskDoes,
    NetworkDoes,
    NodeDoes,
    Seek,
    Wait,
)
from plaza.demo.journal import Journal
from plaza.demo.person import Person
from plaza.demo.processes import ProgramFailed, python_m, run_once
from plaza.demo.remote import KioskSilent
from plaza.demo.stage import Stage, StageFailed
from plaza.demo.tour import StepFailed, Walk

_FOLIO = re.compile(r"\b[A-Z]{3}\d{3}-P\d+-\d{6}-[0-9A-Z]\b")


class StageWorld:
    """Implements `hardware.bench.player.World` over a running stage."""

    def __init__(self, stage: Stage, walk: Walk) -> None:
        self.stage = stage
        self._walk = walk
        self._person = Person(stage, walk)
        self.journal = Journal.of(stage)

    def do(self, doing: Doing, patience_s: float) -> None:
        if not isinstance(doing, Seek):
            self._person.mark()
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
            case _:
                self._person.do(doing, patience_s)

    # --- looking --------------------------------------------------------------------------

    def missing(self, expect: Expect) -> str:
        try:
            looks = (
                self._screen,
                self._papers,
                self._money,
                self._facts,
                self._voice,
                self._devices,
            )
            for look in looks:
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

    def _money(self, expect: Expect) -> str:
        if expect.returned is None:
            return ""
        pieces = self.stage.desk["cash"].state()["returned"]
        back = sum(amount * count for amount, count in pieces.items()) / 100
        return "" if back == expect.returned else f"volvieron $ {back:g}, no $ {expect.returned:g}"

    def _voice(self, expect: Expect) -> str:
        heard = self._person.heard()
        if expect.heard and not any(words in heard for words in expect.heard):
            return f"la voz dijo: {heard}"
        return f"la voz dijo: {heard}" if expect.silent and heard else ""

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
        return self._audit_charges(facts) or self._audit_cash()

    def _audit_charges(self, facts: list[dict[str, Any]]) -> str:
        kinds = Counter(f["type"] for f in facts if "cash" not in f["data"])
        taken, approved = kinds["payment.taken"], len(self._approved())
        in_doubt = kinds["payment.unknown"]
        if not taken <= approved <= taken + in_doubt:
            return f"el banco aprobó {approved} cobros y el registro tiene {taken}"
        return ""

    def _audit_cash(self) -> str:
        """What lies in the boxes is what the journal says; not judged where no kiosk counts it."""
        stage = self.stage
        if "cash" not in stage.props.devices or not stage.settings.flag("cash.enabled"):
            return ""
        booked = self.journal.cash_inside()
        inside = stage.desk["cash"].bus.inside_centavos
        if booked != inside:
            return f"en las cajas hay $ {inside / 100:g} y en el registro $ {booked / 100:g}"
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
