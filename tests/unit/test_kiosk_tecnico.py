"""The technician's place on the kiosk: how it opens, what it shows and does, and how it forgets."""

from __future__ import annotations

import pytest

from hardware.keypad.keys import Key
from kiosk.aids import Aids, Mouth
from kiosk.background import InlineBackground
from kiosk.flow import Screen
from kiosk.presenters.frame import HeaderPresenter
from kiosk.presenters.views_tecnico import TecnicoPhase
from kiosk.simulated_kiosk import SimulatedKiosk, World
from kiosk.simulated_technician import PIN, ServiceCorner
from municipio.devices import DeviceState, PrintVerdict
from municipio.technicians import IDLE_MS, OVERALL_MS
from municipio.usecases.ports import LinkState


def equipped(**corner: bool) -> SimulatedKiosk:
    world = World()
    world.service = ServiceCorner(**corner)
    return SimulatedKiosk(world)


@pytest.fixture
def kiosk() -> SimulatedKiosk:
    return equipped()


def corner(kiosk: SimulatedKiosk) -> ServiceCorner:
    assert kiosk.world.service is not None
    return kiosk.world.service


def insert(kiosk: SimulatedKiosk, badge: str = "T-014", **looks: object) -> None:
    corner(kiosk).reader.insert(corner(kiosk).card(badge, **looks))
    kiosk.tick()


def log_in(kiosk: SimulatedKiosk, badge: str = "T-014") -> None:
    insert(kiosk, badge)
    kiosk.type(PIN, "tecnico.key")
    kiosk.tap("tecnico.enter")
    kiosk.tick()
    kiosk.tick()


def acts(kiosk: SimulatedKiosk) -> list[tuple[str, str]]:
    data = [f.data for f in kiosk.world.ledger.facts if f.type == "technician.acted"]
    return [(d["action"], d.get("cause", "")) for d in data]


def rows(kiosk: SimulatedKiosk) -> dict[str, str]:
    return {row.id: row.text for _, group in kiosk.view.groups for row in group}


def test_a_kiosk_without_a_reader_has_no_such_screen() -> None:
    assert Screen.TECNICO not in SimulatedKiosk().presenters


def test_a_card_on_the_first_screen_asks_for_its_pin(kiosk: SimulatedKiosk) -> None:
    insert(kiosk)
    assert kiosk.screen is Screen.TECNICO
    assert kiosk.view.phase is TecnicoPhase.PIN
    assert "Le quedan 3 intentos." in [n.text for n in kiosk.view.notices]


def test_the_pin_is_never_shown_spoken_or_kept(kiosk: SimulatedKiosk) -> None:
    kiosk.audio.on = True
    insert(kiosk)
    kiosk.type("98765", "tecnico.key")
    for _ in kiosk.view.focus:
        kiosk.audio.next()
    typed = kiosk.view.typed
    kiosk.tap("tecnico.key.4")
    said = " ".join(kiosk.speaker.said)

    assert typed == "•••••"
    assert not any(digit in said.replace("T-014", "").replace("3 intentos", "") for digit in PIN)
    kiosk.tap("tecnico.enter")
    assert kiosk.view.typed == ""
    assert kiosk.presenters[Screen.TECNICO]._pin == bytearray()


def test_five_digits_are_no_pin_and_erasing_works(kiosk: SimulatedKiosk) -> None:
    insert(kiosk)
    kiosk.type("12345", "tecnico.key")
    enabled = {a.id: a.enabled for a in kiosk.view.actions}
    kiosk.tap("tecnico.key.6", "tecnico.key.erase")
    shorter = kiosk.view.typed
    kiosk.tap("tecnico.key.clear")

    assert not enabled["tecnico.enter"]
    assert (shorter, kiosk.view.typed) == ("•••••", "")


def test_the_numeric_keypad_types_the_pin_and_enters(kiosk: SimulatedKiosk) -> None:
    insert(kiosk)
    aids = Aids(
        flow=kiosk.flow,
        presenters=kiosk.presenters,
        audio=kiosk.audio,
        mouth=Mouth(),
        words=kiosk.words,
        mask="",
        now=lambda: kiosk.now_s,
    )
    for digit in PIN:
        aids.key(Key(digit))
    aids.key(Key.ENTER)
    kiosk.tick()
    kiosk.tick()
    assert kiosk.view.phase is TecnicoPhase.PAGE


def test_a_wrong_pin_says_so_and_counts_down(kiosk: SimulatedKiosk) -> None:
    insert(kiosk)
    kiosk.type("999999", "tecnico.key")
    kiosk.tap("tecnico.enter")
    assert kiosk.view.phase is TecnicoPhase.CHECKING
    kiosk.tick()

    told = [n.text for n in kiosk.view.notices]
    assert told == ["El NIP no es correcto. Le quedan 2 intentos."]
    assert acts(kiosk) == [("login_failed", "wrong_pin")]


def test_the_last_try_is_only_spent_after_a_yes(kiosk: SimulatedKiosk) -> None:
    insert(kiosk, tries_left=1)
    assert kiosk.view.phase is TecnicoPhase.LAST_TRY
    kiosk.tap("tecnico.agree")
    kiosk.type(PIN, "tecnico.key")
    kiosk.tap("tecnico.enter")
    kiosk.tick()
    assert kiosk.view.phase is TecnicoPhase.PAGE


def test_guessing_makes_everybody_wait_and_says_how_long(kiosk: SimulatedKiosk) -> None:
    for _ in range(3):
        insert(kiosk, tries_left=3)
        for _again in range(2):
            if kiosk.view.phase is TecnicoPhase.PIN:
                kiosk.type("999999", "tecnico.key")
                kiosk.tap("tecnico.enter")
                kiosk.tick()
        corner(kiosk).reader.remove()
        kiosk.tick()
    insert(kiosk)

    assert kiosk.view.phase is TecnicoPhase.WAIT
    assert "segundos" in kiosk.view.text
    assert not any(c.isdigit() for c in kiosk.view.speech), "a count is not read out each second"


@pytest.mark.parametrize("kind", ["stranger", "blocked"])
def test_another_card_is_sent_away_with_a_reason(kiosk: SimulatedKiosk, kind: str) -> None:
    card = corner(kiosk).stranger() if kind == "stranger" else corner(kiosk).card(tries_left=0)
    corner(kiosk).reader.insert(card)
    kiosk.tick()

    assert kiosk.view.phase is TecnicoPhase.REFUSED
    assert kiosk.view.text.endswith(".")
    kiosk.tap("tecnico.cancel")
    kiosk.wait(3)
    assert kiosk.screen is Screen.HOME, "one insertion opens the screen once"


def test_the_page_tells_every_device_and_the_node(kiosk: SimulatedKiosk) -> None:
    world = kiosk.world
    world.printer.state, world.printer.cause = DeviceState.ATTENTION, "paper_end"
    world.link.state, world.link.waiting = LinkState.OFFLINE, 7
    log_in(kiosk)

    told = rows(kiosk)
    assert told["tecnico.device.printer"].startswith("Necesita atención. No hay papel: ponga")
    assert told["tecnico.device.terminal"] == "Funciona"
    assert told["tecnico.device.card"] == "Funciona"
    assert told["tecnico.item.supply"] == "5080 mV"
    assert told["tecnico.item.temperature"].startswith("74 °C. ")
    assert told["tecnico.queue"] == "7 por enviar a la ciudad"
    assert told["tecnico.content"] == "Del 20 de enero de 2026, de hoy"
    assert "T-014" in kiosk.view.title


def test_the_test_strip_and_new_paper_are_done_and_noted(kiosk: SimulatedKiosk) -> None:
    log_in(kiosk)
    kiosk.tap("tecnico.print")
    assert kiosk.view.notices[0].text == "La tira de prueba salió."
    kiosk.world.printer.verdict, kiosk.world.printer.cause = PrintVerdict.FAILED, "paper_end"
    kiosk.tap("tecnico.print")
    assert kiosk.view.notices[0].text == "La tira de prueba no salió."
    kiosk.world.printer.cause = ""
    kiosk.tap("tecnico.paper")

    assert kiosk.view.notices[0].text.endswith("La impresora dice: Funciona")
    assert "PRUEBA DE IMPRESORA" in kiosk.world.printer.papers[0]
    assert acts(kiosk) == [
        ("login", ""),
        ("print_test", "printed"),
        ("print_test", "paper_end"),
        ("paper_loaded", "ready"),
    ]


def test_taking_the_card_out_logs_out_at_once_and_forgets(kiosk: SimulatedKiosk) -> None:
    log_in(kiosk)
    corner(kiosk).reader.remove()
    kiosk.tick(0.25)

    assert kiosk.screen is Screen.HOME
    view = kiosk.presenters[Screen.TECNICO].view
    assert (view.groups, view.typed, view.phase) == ((), "", TecnicoPhase.READING)
    assert acts(kiosk)[-1] == ("logout", "card_out")


def test_taking_the_card_out_while_typing_leaves_nothing(kiosk: SimulatedKiosk) -> None:
    insert(kiosk)
    kiosk.type("12345", "tecnico.key")
    corner(kiosk).reader.remove()
    kiosk.tick()
    insert(kiosk)
    assert (kiosk.screen, kiosk.view.typed) == (Screen.TECNICO, "")


def test_another_card_does_not_inherit_the_session(kiosk: SimulatedKiosk) -> None:
    log_in(kiosk)
    corner(kiosk).reader.insert(corner(kiosk).card("T-021"))
    kiosk.wait(1, step=0.25)
    assert kiosk.view.phase is TecnicoPhase.PIN
    assert "T-021" in kiosk.view.text


def test_logging_out_goes_home_and_the_card_that_stays_does_not_reopen(
    kiosk: SimulatedKiosk,
) -> None:
    log_in(kiosk)
    kiosk.tap("tecnico.logout")
    kiosk.wait(3)
    assert kiosk.screen is Screen.HOME
    assert acts(kiosk)[-1] == ("logout", "asked")
    corner(kiosk).reader.remove()
    kiosk.tick()
    insert(kiosk)
    assert kiosk.view.phase is TecnicoPhase.PIN


@pytest.mark.parametrize(("passed_ms", "hours"), [(IDLE_MS, "media hora"), (OVERALL_MS, "doce")])
def test_a_session_ends_by_itself(kiosk: SimulatedKiosk, passed_ms: int, hours: str) -> None:
    log_in(kiosk)
    kiosk.world.clock.boot_ms += passed_ms
    kiosk.tick()
    assert kiosk.view.phase is TecnicoPhase.OUT
    assert hours in kiosk.view.text
    kiosk.tap("tecnico.done")
    assert kiosk.screen is Screen.HOME


def test_the_citizens_idle_time_does_not_end_a_technicians_session(kiosk: SimulatedKiosk) -> None:
    log_in(kiosk)
    kiosk.wait(300)
    assert kiosk.view.phase is TecnicoPhase.PAGE


def test_idling_is_warned_of_and_one_touch_goes_on(kiosk: SimulatedKiosk) -> None:
    log_in(kiosk)
    kiosk.world.clock.boot_ms += IDLE_MS - 30_000
    kiosk.tick()
    assert any("menos de un minuto" in n.text for n in kiosk.view.notices)
    kiosk.tap("tecnico.stay")
    kiosk.tick()
    assert "tecnico.stay" not in [a.id for a in kiosk.view.actions]


def test_a_card_while_a_citizen_is_served_waits_with_a_note(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.predial")
    insert(kiosk)
    kiosk.wait(3)
    assert kiosk.screen is Screen.PREDIAL_CLAVE
    assert corner(kiosk).waits
    kiosk.tap("bar.restart")
    kiosk.tick()
    kiosk.tick()
    assert kiosk.screen is Screen.TECNICO
    assert not corner(kiosk).waits


def test_who_puts_a_card_in_is_there_and_not_asked_whether(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.predial", "bar.back")
    kiosk.wait(44)
    insert(kiosk)
    kiosk.wait(5)
    assert kiosk.flow.idle.seconds_left == 0
    kiosk.wait(70)
    assert kiosk.screen is Screen.HOME, "a card left in without a PIN does not hold the screen"


def test_the_header_says_that_a_card_waits_and_then_how_the_link_is(kiosk: SimulatedKiosk) -> None:
    header = HeaderPresenter(kiosk.words, InlineBackground(), kiosk.settings, kiosk.world.link)
    header.tick(0)
    before = header.view
    header.service_card(waits=True)
    waiting = header.view
    header.service_card(waits=False)

    assert waiting.link_text == "Tarjeta de servicio: espere a que esta persona termine"
    assert waiting.link_text in waiting.speech
    assert header.view == before


# --- cash cut ---------------------------------------------------------------------------------


def count(kiosk: SimulatedKiosk, centavos: str, hopper: str) -> None:
    kiosk.tap("tecnico.cut")
    kiosk.type(centavos, "tecnico.key")
    kiosk.tap("tecnico.enter")
    kiosk.type(hopper, "tecnico.key")
    kiosk.tap("tecnico.enter")


def test_without_cash_nobody_is_offered_a_cut(kiosk: SimulatedKiosk) -> None:
    log_in(kiosk)
    assert "tecnico.cut" not in [a.id for a in kiosk.view.actions]


def test_one_person_makes_a_cut_where_the_city_allows_it() -> None:
    kiosk = equipped(has_cash=True, two_person=False)
    log_in(kiosk)
    count(kiosk, "12050", "80")
    assert "Contado: $ 120.50" in kiosk.view.text
    kiosk.tap("tecnico.sign")

    assert "Corte guardado con folio" in kiosk.view.notices[0].text
    cut = kiosk.world.ledger.facts[-1].data
    assert (cut["technicians"], cut["counted_centavos"], cut["hopper_coins"]) == (
        ["T-014"],
        12050,
        80,
    )


def test_the_hopper_is_filled_without_a_cut_and_every_coin_is_on_record() -> None:
    kiosk = equipped(has_cash=True, two_person=True)
    log_in(kiosk)
    kiosk.tap("tecnico.fill")
    assert not next(a for a in kiosk.view.actions if a.id == "tecnico.enter").enabled
    kiosk.type("200", "tecnico.key")
    kiosk.tap("tecnico.enter")

    done = kiosk.world.ledger.facts[-1].data
    assert (done["action"], done["technicians"]) == ("hopper_filled", ["T-014"])
    assert (done["coin_centavos"], done["hopper_coins"], done["before"]) == (100, 200, 0)
    assert any("200" in n.text for n in kiosk.view.notices)
    kiosk.wait(2)
    kiosk.tap("tecnico.fill")
    assert "200" in kiosk.view.text


def test_a_cut_for_two_needs_another_card_and_the_first_may_not_sign_twice() -> None:
    kiosk = equipped(has_cash=True)
    log_in(kiosk)
    count(kiosk, "5000", "10")
    kiosk.tap("tecnico.sign")
    kiosk.tick(1)
    assert "tecnico.confirm" not in [a.id for a in kiosk.view.actions]
    assert "cash_cut" not in [a for a, _ in acts(kiosk)]
    corner(kiosk).reader.remove()
    kiosk.tick()
    log_in(kiosk, "T-021")
    kiosk.tap("tecnico.confirm")

    cut = kiosk.world.ledger.facts[-1].data
    assert (cut["action"], cut["technicians"], cut["counted_centavos"]) == (
        "cash_cut",
        ["T-014", "T-021"],
        5000,
    )


def test_a_first_signature_does_not_wait_for_ever() -> None:
    kiosk = equipped(has_cash=True)
    log_in(kiosk)
    count(kiosk, "5000", "10")
    kiosk.tap("tecnico.sign")
    corner(kiosk).reader.remove()
    kiosk.tick()
    kiosk.world.clock.boot_ms += 11 * 60 * 1000
    log_in(kiosk, "T-021")
    assert "tecnico.confirm" not in [a.id for a in kiosk.view.actions]


def test_a_node_that_knows_no_day_keeps_its_money_closed() -> None:
    kiosk = equipped(has_cash=True)
    kiosk.world.clock.quality = type(kiosk.world.clock.quality).FLOOR
    log_in(kiosk)
    assert "tecnico.cut" not in [a.id for a in kiosk.view.actions]
    assert any("solo diagnóstico" in n.text for n in kiosk.view.notices)
