"""A kiosk that cannot serve promises nothing: neither that it keeps what is done, nor whose it is."""

from __future__ import annotations

from kiosk.presenters.frame import HeaderPresenter
from kiosk.simulated_kiosk import SimulatedKiosk
from municipio.settings import parse_settings
from municipio.site_file.node_files import WAITING_SETTINGS


def test_the_header_does_not_say_that_anything_is_kept() -> None:
    kiosk = SimulatedKiosk()
    desk = kiosk.desk
    header = HeaderPresenter(
        desk.words, desk.background, desk.settings, kiosk.world.link, serves=False
    )
    header.tick(0)

    assert header.view.link_text == "Este kiosco está fuera de servicio"
    assert "guarda" not in header.view.speech


def test_a_node_without_its_site_file_bears_no_other_place_s_name() -> None:
    waiting = parse_settings(WAITING_SETTINGS)

    assert waiting.text("node.site") == "sin configurar"
