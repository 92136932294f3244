"""Putting a kiosk up: the checklist, the site code that opens once, and how it gives way to citizens."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.flow import HANDS_FULL_S, Idle, Screen
from kiosk.installation_wiring import NodeSights, comes_up
from kiosk.presenters.registry import Ports
from kiosk.presenters.views_tecnico import TecnicoPhase
from kiosk.simulated_installation import CODE, InstallationCorner
from kiosk.simulated_kiosk import SimulatedKiosk, World
from kiosk.usecases.installation import MOST_SHEETS
from municipio.acceptance import Sight, Snapshot
from municipio.technicians import IDLE_MS
from sync.acceptance import SightBook
from sync.datadir import DataDir


def standing(corner: InstallationCorner) -> SimulatedKiosk:
    world = World()
    world.installing = corner
    kiosk = SimulatedKiosk(world)
    kiosk.flow.go(Screen.PUESTA)
    kiosk.tick()
    return kiosk


@pytest.fixture
def kiosk() -> SimulatedKiosk:
    return standing(InstallationCorner())


def opened(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("puesta.code")
    kiosk.type(CODE, "puesta.key")
    kiosk.tap("puesta.enter")
    kiosk.wait(3, step=0.25)


def rows(kiosk: SimulatedKiosk) -> dict[str, str]:
    return {row.id: row.text for _title, group in kiosk.view.groups for row in group}


def test_the_list_says_what_is_missing_and_what_to_do(kiosk: SimulatedKiosk) -> None:
    shown = rows(kiosk)

    assert shown["step.file"] == "Correcto"
    assert "se da de alta solo" in shown["step.city"].lower()
    assert "Desconecte la corriente" in shown["step.power"]


def test_nobody_tests_without_the_code_and_the_sheet_comes_out_a_few_times(
    kiosk: SimulatedKiosk,
) -> None:
    assert [a.id for a in kiosk.view.actions] == ["puesta.code", "puesta.sheet", "puesta.serve"]

    for _ in range(MOST_SHEETS):
        kiosk.tap("puesta.sheet")
        assert "Salió el papel" in kiosk.view.notices[0].text
    kiosk.tap("puesta.sheet")

    assert "No se hizo" in kiosk.view.notices[0].text


def test_the_site_code_opens_the_acts_once(kiosk: SimulatedKiosk) -> None:
    opened(kiosk)
    assert {"puesta.print", "puesta.sheet"} <= {a.id for a in kiosk.view.actions}
    assert kiosk.view.busy, "nobody is wiped away while working"

    kiosk.tap("puesta.serve")
    kiosk.flow.go(Screen.PUESTA)
    kiosk.tick()

    assert [a.id for a in kiosk.view.actions] == ["puesta.sheet", "puesta.serve"]


def test_a_wrong_code_is_said_and_nothing_of_it_is_shown(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("puesta.code")
    kiosk.type("1234", "puesta.key")
    assert kiosk.view.typed == "••••"
    assert "1234" not in str(kiosk.view)

    kiosk.type("5678", "puesta.key")
    kiosk.tap("puesta.enter")

    assert kiosk.view.phase is TecnicoPhase.PIN
    assert "no es correcta" in kiosk.view.notices[0].text


def test_the_sheet_comes_out_and_the_printer_is_seen_to_work(kiosk: SimulatedKiosk) -> None:
    opened(kiosk)

    kiosk.tap("puesta.sheet")
    kiosk.wait(3, step=0.25)

    installing = kiosk.world.installing
    assert installing is not None
    assert Sight.RECEIPT in installing.seen.sights
    assert "Salió un papel" in rows(kiosk)["step.receipt"]


def test_acts_with_the_code_are_on_record(kiosk: SimulatedKiosk) -> None:
    opened(kiosk)

    kiosk.tap("puesta.print")

    facts = [f.data for f in kiosk.world.ledger.facts if f.type == "technician.acted"]
    assert ("print_test", "SITIO") in {(f["action"], f["technician"]) for f in facts}


def test_half_an_hour_without_a_touch_locks_it(kiosk: SimulatedKiosk) -> None:
    opened(kiosk)

    kiosk.world.clock.boot_ms += IDLE_MS
    kiosk.wait(3, step=0.25)

    assert "puesta.print" not in {a.id for a in kiosk.view.actions}


def test_left_alone_the_list_gives_way_to_the_citizens(kiosk: SimulatedKiosk) -> None:
    kiosk.wait(HANDS_FULL_S - 60, step=1)
    assert kiosk.screen is Screen.PUESTA, "whoever works on the box has no hand free"
    assert kiosk.flow.idle == Idle()

    kiosk.wait(90, step=1)

    assert kiosk.screen is Screen.HOME


def test_a_wrong_later_file_is_explained_line_by_line() -> None:
    fault = "Línea 6: la clave «nunber» no existe en [site]."
    kiosk = standing(InstallationCorner(Snapshot("kept"), (fault,)))

    assert rows(kiosk)["fault.0"] == fault
    assert "sigue el anterior" in rows(kiosk)["step.file"]


def test_a_wrong_first_file_leaves_one_screen_that_explains() -> None:
    faults = tuple(f"Línea {n}: algo" for n in range(1, 6))
    world = World()
    world.installing = InstallationCorner(faults=faults, is_waiting=True)
    kiosk = SimulatedKiosk(world)
    kiosk.flow.go(Screen.FUERA_DE_SERVICIO)

    assert "plaza.toml no se puede usar" in kiosk.view.headline
    assert "Línea 3" in kiosk.view.text
    assert "Y 2 más" in kiosk.view.text
    assert kiosk.view.actions == ()


def _ports(kiosk: SimulatedKiosk) -> Ports:
    from dataclasses import fields

    class _Only:
        link = kiosk.world.link
        printer = None

    assert {"link", "printer"} <= {f.name for f in fields(Ports)}
    return _Only()  # type: ignore[return-value]  # the two that are asked for


def test_it_comes_up_only_on_a_node_of_a_site_file_and_until_all_was_seen(
    tmp_path: Path, kiosk: SimulatedKiosk
) -> None:
    data, ports = DataDir(tmp_path), _ports(kiosk)
    data.create()
    assert not comes_up(data, ports)

    (tmp_path / "site-state.json").write_text('{"standing":"good","node":"COA007"}')
    assert comes_up(data, ports)

    data.city_pub.write_text("(key)")
    (tmp_path / "site-boots.json").write_text('{"boot":"b","power_cuts":1,"starts":3}')
    for sight in set(Sight) - {Sight.ACCEPTED}:
        SightBook(data).note(sight)
    assert comes_up(data, ports), "the last sheet is still to be printed"

    SightBook(data).note(Sight.ACCEPTED)
    assert NodeSights(SightBook(data), ports).snapshot().sights == frozenset(Sight)
    assert not comes_up(data, ports)


def test_whoever_lets_citizens_in_when_all_is_done_accepts_the_node() -> None:
    done = Snapshot("good", False, frozenset(Sight) - {Sight.ACCEPTED}, True, 0, 1)
    for seen, accepted in ((Snapshot("good"), False), (done, True)):
        kiosk = standing(InstallationCorner(seen))
        kiosk.tap("puesta.serve")
        installing = kiosk.world.installing
        assert installing is not None
        assert (Sight.ACCEPTED in installing.seen.sights) is accepted
