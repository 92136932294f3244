"""Paying in cash as a person does it: what the screen says, what comes out, and what is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from hardware.cash.sim_bus import SimBus
from kiosk.flow import IdlePhase, Screen
from kiosk.gallery_cash import CASH_PLAYS, insert
from kiosk.language import ENGLISH
from kiosk.presenters.cash_text import say_insert, why_blocked, why_returned
from kiosk.presenters.views import CashEnd, CashPhase, PayOutcome, PrintPhase
from kiosk.simulated_cash import plug_cash
from kiosk.simulated_city import CLAVE
from kiosk.simulated_kiosk import SimulatedKiosk
from kiosk.usecases.cash_progress import CashBlock, Inserting
from municipio.cash import RefusedNote
from municipio.devices import DeviceState
from municipio.payments import Payment, PaymentMethod, PaymentState
from municipio.usecases.ports import AlreadyPaid, NotRecordedCause

PAY = 303200
"""The invented debt, rounded to the peso."""


@dataclass
class Corner:
    """A kiosk with a cash bus, and its person."""

    kiosk: SimulatedKiosk
    bus: SimBus

    def see_debt(self) -> None:
        self.kiosk.tap("home.predial")
        self.kiosk.type(CLAVE, "predial.key")
        self.kiosk.tap("predial.continue", "beneficio.no")

    def way(self, id: str) -> bool | None:
        """Whether a way to pay can be pressed; None when it is not there."""
        return next((w.enabled for w in self.kiosk.view.ways if w.id == id), None)

    def start(self) -> None:
        self.see_debt()
        self.kiosk.tap("pay.cash", "cash.start")
        self.kiosk.wait(3, step=0.25)
        assert self.kiosk.view.phase is CashPhase.INSERTING

    def put(self, *pieces: int) -> None:
        insert(self.kiosk, self.bus, *pieces)

    def until_end(self) -> None:
        for _ in range(400):
            if self.kiosk.screen is not Screen.PAGO_EFECTIVO:
                return
            if self.kiosk.view.phase is CashPhase.END:
                return
            self.kiosk.tick()
        raise AssertionError(f"no end: {self.kiosk.view.phase}")

    def figure(self, label: str) -> str:
        return str(next(r.value for r in self.kiosk.view.figures if r.label == label))

    @property
    def payment(self) -> Payment:
        [found] = self.kiosk.world.ledger.payments.values()
        return found

    def papers(self, words: str) -> list[str]:
        return [p for p in self.kiosk.world.printer.papers if words in p]


@pytest.fixture
def make_corner() -> Callable[..., Corner]:
    def made(**rules: object) -> Corner:
        kiosk = SimulatedKiosk()
        return Corner(kiosk, plug_cash(kiosk, **rules))  # type: ignore[arg-type]  # settings

    return made


@pytest.fixture
def corner(make_corner: Callable[..., Corner]) -> Corner:
    return make_corner()


# --- the way on the debt's screen -----------------------------------------------------------------


def test_cash_is_not_mentioned_where_the_city_takes_none() -> None:
    kiosk = SimulatedKiosk()
    corner = Corner(kiosk, SimBus())
    corner.see_debt()
    assert corner.way("pay.cash") is None
    assert [w.id for w in kiosk.view.ways] == ["pay.card", "pay.pase"]


def test_cash_is_a_third_way_when_the_bus_is_ready(corner: Corner) -> None:
    corner.see_debt()
    assert [w.id for w in corner.kiosk.view.ways] == ["pay.card", "pay.cash", "pay.pase"]
    assert corner.way("pay.cash") is True


def test_a_silent_bus_leaves_the_way_with_its_reason(corner: Corner) -> None:
    corner.bus.is_silent = True
    corner.kiosk.wait(6, step=0.25)
    corner.see_debt()
    assert corner.way("pay.cash") is False
    [way] = [w for w in corner.kiosk.view.ways if w.id == "pay.cash"]
    assert way.detail == "Ahora no se recibe efectivo"


def test_centavos_that_no_coin_makes_are_refused_where_nothing_is_rounded(
    make_corner: Callable[..., Corner],
) -> None:
    corner = make_corner(rounding="exacto")
    corner.see_debt()
    assert corner.way("pay.cash") is False


def test_off_line_cash_is_taken_for_a_recent_amount_and_not_for_an_old_one(corner: Corner) -> None:
    corner.kiosk.world.cut_network()
    corner.see_debt()
    assert corner.way("pay.cash") is True
    corner.kiosk.tap("bar.restart")
    corner.kiosk.world.clock.pass_time(days=4)
    corner.see_debt()
    assert corner.way("pay.cash") is False


def test_the_city_is_asked_again_before_any_money_goes_in(corner: Corner) -> None:
    corner.see_debt()
    paid = AlreadyPaid(CLAVE, "2026-01-15", "COA003-P1-000044-8")
    corner.kiosk.world.city.liquidaciones[CLAVE] = paid
    corner.kiosk.tap("pay.cash")
    assert corner.kiosk.screen is Screen.PAGO_RESULTADO
    assert corner.kiosk.view.outcome is PayOutcome.ALREADY_PAID
    assert not corner.kiosk.world.ledger.payments


# --- before and while money goes in -----------------------------------------------------------------


def test_the_terms_are_told_before_anything_is_stored(corner: Corner) -> None:
    corner.see_debt()
    corner.kiosk.tap("pay.cash")
    view = corner.kiosk.view
    assert (view.phase, view.amount) == (CashPhase.CONFIRM, "$ 3,032.00")
    assert [n.text for n in view.notices] == [
        "El kiosco da cambio hasta $ 150.00.",
        "En efectivo se ajusta al peso: su adeudo es de $ 3,032.41.",
    ]
    assert {r.label for r in view.accepted} == {"Billetes", "Monedas"}
    corner.kiosk.tap("cash.no")
    assert corner.kiosk.screen is Screen.PREDIAL_ADEUDO
    assert not corner.kiosk.world.ledger.payments


def test_every_piece_is_counted_on_the_screen_and_aloud(corner: Corner) -> None:
    corner.start()
    corner.put(50000, 1000)
    assert corner.figure("Ha insertado") == "$ 510.00"
    assert corner.figure("Le faltan") == "$ 2,522.00"
    assert corner.figure("Su folio") == corner.payment.folio
    assert corner.kiosk.view.speech.startswith("Le faltan 2522 pesos.")


def test_without_change_the_exact_amount_is_asked_for(make_corner: Callable[..., Corner]) -> None:
    corner = make_corner(exact_only=True)
    corner.start()
    [notice] = corner.kiosk.view.notices
    assert notice.text == "Pague con el importe exacto: el kiosco no da cambio."


def test_a_note_in_escrow_is_on_the_screen_and_not_yet_counted(corner: Corner) -> None:
    corner.start()
    line = corner.kiosk.world.cash
    assert line is not None
    corner.bus.notes.insert(50000, line.now)
    for _ in range(60):
        corner.kiosk.tick(0.1)
        if corner.kiosk.view.notices[0].icon == "loader-circle":
            break
    assert corner.kiosk.view.notices[0].text.endswith("su billete de $ 500.00.")
    assert corner.figure("Ha insertado") == "$ 0.00"


def test_a_returned_note_comes_with_its_reason() -> None:
    kiosk = SimulatedKiosk()
    dict(CASH_PLAYS)["efectivo-billete-devuelto"](kiosk)
    assert kiosk.view.notices[0].text == "Se le devolvió el billete: es más de lo que falta."
    assert kiosk.world.cash is not None
    assert kiosk.world.cash.bus.notes.back[2000] == 1


def test_nobody_is_wiped_away_while_their_money_is_inside(corner: Corner) -> None:
    corner.start()
    corner.put(50000)
    corner.kiosk.wait(60)
    assert corner.kiosk.flow.idle.phase is IdlePhase.ACTIVE
    assert not any(a.enabled for a in corner.kiosk.view.bar if a.id == "bar.back")
    assert corner.kiosk.view.seconds_left > 0
    corner.kiosk.tap("cash.more_time")
    assert corner.kiosk.view.seconds_left == 0


# --- how it ends --------------------------------------------------------------------------------------


def test_complete_money_ends_with_change_and_one_receipt(corner: Corner) -> None:
    corner.start()
    corner.put(*(50000,) * 6, 5000)
    corner.until_end()
    assert corner.kiosk.screen is Screen.IMPRIMIENDO
    assert corner.kiosk.view.phase is PrintPhase.PRINTED
    assert corner.payment.state is PaymentState.RECEIPTED
    assert corner.payment.change_centavos == 305000 - PAY
    assert corner.bus.hopper.paid == 18
    assert corner.kiosk.world.printer.originals_of(corner.payment.folio) == 1
    assert corner.payment.concepts[-1] == ("Ajuste al peso", -41)


def test_a_cancelled_payment_gives_back_what_the_hopper_can(corner: Corner) -> None:
    corner.start()
    corner.put(1000)
    corner.kiosk.tap("cash.cancel")
    corner.until_end()
    assert corner.kiosk.view.end is CashEnd.CANCELLED
    assert corner.kiosk.view.text == "Se le devolvió todo: $ 10.00."
    assert corner.bus.hopper.paid == 10
    corner.kiosk.tap("cash.pase")
    assert corner.kiosk.screen is Screen.PASE_DE_CAJA


def test_what_cannot_come_back_is_owed_on_a_paper_with_its_folio(corner: Corner) -> None:
    corner.start()
    corner.put(50000)
    corner.kiosk.tap("cash.cancel")
    corner.until_end()
    assert corner.kiosk.view.end is CashEnd.OWED
    assert corner.kiosk.view.headline == "Le debemos $ 500.00"
    assert corner.kiosk.view.folio == corner.payment.folio
    assert "921" in corner.kiosk.view.promise
    corner.kiosk.tap("cash.print")
    assert corner.kiosk.view.phase is PrintPhase.PRINTED
    [paper] = corner.papers("COMPROBANTE DE EFECTIVO")
    assert corner.payment.folio in paper
    assert corner.payment.state is PaymentState.REFUND_OWED


def test_missing_change_is_a_paper_of_its_own_and_then_the_receipt(corner: Corner) -> None:
    corner.bus.hopper.jams_after = 3
    corner.start()
    corner.put(*(50000,) * 6, 5000)
    corner.until_end()
    assert corner.kiosk.view.end is CashEnd.CHANGE_OWED
    assert corner.kiosk.view.headline == "Pago hecho. Le debemos $ 15.00"
    corner.kiosk.tap("cash.print", "print.next")
    assert len(corner.papers("COMPROBANTE DE EFECTIVO")) == 1
    assert corner.payment.state is PaymentState.RECEIPTED


def test_who_walks_away_leaves_a_folio_that_owes_them(corner: Corner) -> None:
    corner.start()
    corner.put(50000)
    corner.kiosk.wait(100)
    corner.until_end()
    assert corner.payment.state is PaymentState.REFUND_OWED
    assert corner.payment.owed_centavos == 50000


def test_a_bus_that_falls_silent_ends_with_folio_paper_and_phone(corner: Corner) -> None:
    corner.start()
    corner.put(50000)
    corner.bus.is_silent = True
    corner.kiosk.wait(40, step=0.25)
    corner.until_end()
    view = corner.kiosk.view
    assert view.phase is CashPhase.END
    assert view.folio
    assert "921" in view.promise
    assert view.actions[0].id == "cash.print"


def test_a_jammed_validator_is_said_while_coins_go_on(corner: Corner) -> None:
    corner.start()
    corner.bus.notes.jam()
    corner.kiosk.wait(5, step=0.25)
    assert "no recibe billetes" in corner.kiosk.view.notices[0].text
    assert [r.label for r in corner.kiosk.view.accepted] == ["Monedas"]


def test_a_ledger_that_cannot_store_takes_no_money(corner: Corner) -> None:
    corner.see_debt()
    corner.kiosk.tap("pay.cash")
    corner.kiosk.world.ledger.refuse = NotRecordedCause.DISK_FULL
    corner.kiosk.tap("cash.start")
    assert corner.kiosk.view.end is CashEnd.NOT_SAVED
    assert not corner.kiosk.world.ledger.payments
    corner.kiosk.wait(2, step=0.25)
    assert not corner.bus.notes.insert(50000, 1e6)


# --- after a restart ------------------------------------------------------------------------------------


def test_a_payment_cut_short_by_a_crash_is_offered_its_paper(corner: Corner) -> None:
    corner.start()
    corner.put(50000)
    corner.kiosk.restart()
    corner.kiosk.wait(12, step=0.25)
    assert corner.payment.folio in corner.kiosk.view.offer_notice.text
    corner.kiosk.tap("home.receipt")
    assert corner.kiosk.view.phase is PrintPhase.PRINTED
    assert len(corner.papers("COMPROBANTE DE EFECTIVO")) == 1
    corner.kiosk.tap("print.done")
    corner.kiosk.wait(4, step=0.25)
    assert corner.kiosk.view.offer is None


def test_the_paper_of_a_cut_payment_is_not_offered_for_long(corner: Corner) -> None:
    corner.start()
    corner.put(50000)
    corner.kiosk.restart()
    corner.kiosk.wait(12, step=0.25)
    assert corner.kiosk.view.offer is not None
    corner.kiosk.world.clock.boot_ms += 16 * 60 * 1000
    corner.kiosk.wait(4, step=0.25)
    assert corner.kiosk.view.offer is None


def test_a_complete_payment_without_receipt_is_offered_it_after_a_restart(corner: Corner) -> None:
    corner.kiosk.world.printer.state = DeviceState.ATTENTION
    corner.start()
    corner.put(*(50000,) * 6, 2000, 1000)
    line = corner.kiosk.world.cash
    assert line is not None
    corner.bus.coins.insert(200, line.now)
    line.run(3)
    corner.kiosk.restart()
    corner.kiosk.wait(12, step=0.25)
    assert corner.payment.state is PaymentState.TAKEN
    assert corner.payment.method is PaymentMethod.CASH
    assert corner.kiosk.view.offer_notice.text.startswith("Pago en efectivo de $ 3,032.00")
    corner.kiosk.tap("home.receipt")
    assert corner.kiosk.world.printer.originals_of(corner.payment.folio) == 1


# --- words ----------------------------------------------------------------------------------------------


def test_every_obstacle_and_every_returned_note_has_its_own_words() -> None:
    reasons = {block: why_blocked(block, str) for block in CashBlock}
    assert len(set(reasons.values())) == len(CashBlock) - 1  # DISABLED is never shown
    assert len({why_returned(refused, str) for refused in RefusedNote}) == len(RefusedNote)


@pytest.mark.parametrize(
    ("name", "play"), CASH_PLAYS, ids=lambda p: p if isinstance(p, str) else ""
)
def test_every_state_is_spoken_and_can_be_left(
    name: str, play: Callable[[SimulatedKiosk], None]
) -> None:
    kiosk = SimulatedKiosk()
    play(kiosk)
    assert kiosk.view.speech.endswith((".", "?"))
    assert kiosk.view.busy or any(item.enabled for item in kiosk.view.focus)
    kiosk.words.switch(ENGLISH)
    kiosk.tick()


def test_the_person_is_forgotten_with_the_session(corner: Corner) -> None:
    corner.start()
    corner.put(1000)
    corner.kiosk.tap("cash.cancel")
    corner.until_end()
    corner.kiosk.tap("cash.done")
    view = corner.kiosk.presenters[Screen.PAGO_EFECTIVO].view
    assert (view.folio, view.amount, view.figures) == ("", "", ())


@pytest.mark.parametrize(
    ("coins", "notes", "said"),
    [
        ({1000}, {5000}, "Inserte sus billetes de uno en uno y sus monedas."),
        ({1000}, set(), "Inserte sus monedas de una en una."),
        (set(), {5000}, "Inserte sus billetes de uno en uno."),
    ],
)
def test_only_the_money_that_may_go_in_is_asked_for(
    coins: set[int], notes: set[int], said: str
) -> None:
    offer = Inserting(303200, 301500, frozenset(coins), frozenset(notes))

    assert say_insert(offer, str) == said
