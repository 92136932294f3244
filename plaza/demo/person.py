"""Somebody before the kiosk of a stage, or near it: touches, types, listens, puts money in, uses a phone."""

from __future__ import annotations

import contextlib
import re
import time
from typing import Any, assert_never

from hardware.bench.player import WorldRefused
from hardware.bench.scenario import (
    AskDebt,
    ByPerson,
    CountMoney,
    PayByCard,
    PayInCash,
    PutMoney,
    Seek,
    Tap,
    TypeText,
    Visit,
)
from plaza.demo.remote import TargetMissing
from plaza.demo.stage import Stage
from plaza.demo.tour import StepFailed, Walk
from plaza.demo.visitor import Visitor

NOTES, COINS = (500_00, 200_00, 100_00, 50_00, 20_00), (10_00, 5_00, 2_00, 1_00, 50)
"""Centavos, the largest first: as a person empties a purse."""
TRIES_OF_A_PIECE = 12
"""A piece that falls back so often is not wanted now; a smaller one is tried."""
TRY_EVERY_S = 0.15
STEPS_MAX = 60
"""Controls of the longest screen, more than once around."""
LISTEN_S, QUIET_S = 5.0, 0.35
_MONEY = re.compile(r"\$ ?([\d,]+\.\d\d)")


class Person:
    """Hands, ears and purse. Trouble is StepFailed, WorldRefused, or what the remote control raises."""

    def __init__(self, stage: Stage, walk: Walk) -> None:
        self.stage = stage
        self._walk = walk
        self._heard = 0

    def do(self, doing: ByPerson, patience_s: float) -> None:
        match doing:
            case Tap(target, until):
                self._tap(target, until, patience_s)
            case TypeText(text):
                self._type(text, patience_s)
            case AskDebt(clave):
                self._ask_debt(clave, patience_s)
            case PayByCard():
                self._pay_by_card(patience_s)
            case PayInCash():
                self._pay_in_cash(patience_s)
            case PutMoney(but):
                self._put_money(round(but * 100), patience_s)
            case CountMoney():
                self._type(str(self.stage.desk["cash"].collect()), patience_s)
            case Seek(words):
                self._seek(words)
            case Visit(accepts, reports):
                self._visit(accepts, reports)
            case _:
                assert_never(doing)

    # --- ears

    def mark(self) -> None:
        """From here on `heard` begins anew."""
        self._heard = len(self._phrases())

    def heard(self) -> str:
        """What the voice said since the mark."""
        return " ".join(self._phrases()[self._heard :])

    def _phrases(self) -> list[str]:
        if "audio" not in self.stage.props.devices:
            return []
        phrases: list[str] = self.stage.desk["audio"].heard()
        return phrases

    def _seek(self, words: str) -> None:
        """Down, listen, down, listen: what a person without sight does to find a button."""
        count = -1
        while count != (count := len(self._phrases())):  # what is being said is no button's word
            time.sleep(QUIET_S)
        said: list[str] = []
        for _ in range(STEPS_MAX):
            self.mark()
            self.stage.desk["keypad"].push("down")
            said.append(self._listen())
            if words in said[-1]:
                return
        raise StepFailed(f"la voz no dijo «{words}»: {said[:12]}")

    def _listen(self) -> str:
        """All that is said from the mark on, until the voice is quiet: a button may take two sentences."""
        end = time.monotonic() + LISTEN_S
        count, since = self._heard, time.monotonic()
        while (now := time.monotonic()) < end:
            heard = len(self._phrases())
            if heard != count:
                count, since = heard, now
            elif heard > self._heard and now - since > QUIET_S:
                break
            time.sleep(0.02)
        return " ".join(self._phrases()[self._heard :])

    # --- purse

    def _pay_in_cash(self, patience_s: float) -> None:
        self._walk.tap_to("pay.cash", "pago_efectivo", timeout_s=patience_s)
        self._walk.tap("cash.start", patience_s)
        self._walk.wait(lambda s: "" if _missing(s) is not None else None, "el dinero", patience_s)

    def _put_money(self, but: int, patience_s: float) -> None:
        """Piece by piece; each is waited for before the next goes in."""
        while True:
            missing = _missing(self.stage.kiosk_remote.targets())
            if missing is None or missing <= but:
                return
            pieces = [p for p in NOTES + COINS if p <= missing - but]
            if not pieces:
                return
            self._put_one(pieces, missing, patience_s)

    def _put_one(self, pieces: list[int], missing: int, patience_s: float) -> None:
        cash = self.stage.desk["cash"]
        for piece in pieces:
            put = cash.insert_note if piece in NOTES else cash.insert_coin
            for _ in range(TRIES_OF_A_PIECE):
                if put(piece):
                    self._walk.until(
                        lambda: _missing(self.stage.kiosk_remote.targets()) != missing,
                        f"el kiosco no contó $ {piece / 100:g}",
                        patience_s,
                    )
                    return
                time.sleep(TRY_EVERY_S)
        raise StepFailed(f"el kiosco no acepta ninguna pieza y faltan $ {missing / 100:g}")

    # --- hands

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
        walk.tap("predial.continue", patience_s)
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


def _missing(shown: dict[str, Any]) -> int | None:
    """Centavos that the kiosk still asks for; None when it asks for none."""
    texts: list[str] = shown["texts"]
    if shown["screen"] != "pago_efectivo" or "Le faltan" not in texts:
        return None
    after = texts[texts.index("Le faltan") + 1 :]
    found = next((m for t in after if (m := _MONEY.search(t))), None)
    return None if found is None else round(float(found[1].replace(",", "")) * 100)


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
