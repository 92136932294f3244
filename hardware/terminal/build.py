"""The card terminal that a node's settings name."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hardware.terminal.driver import EcrTerminal
from municipio.settings import Settings

if TYPE_CHECKING:
    from hardware.terminal.mercadopago.driver import PointTerminal

SERIAL, MERCADOPAGO = "serial", "mercadopago"
Wall = Callable[[], float | None]


def terminal_place(settings: Settings) -> str:
    """Port, or the terminal's id at its service; empty when the node has none."""
    if not settings.flag("terminal.enabled"):
        return ""
    is_serial = settings.text("terminal.kind") == SERIAL
    return settings.text("terminal.port" if is_serial else "terminal.point_id")


def build_terminal(settings: Settings, data: Path, wall: Wall) -> EcrTerminal | PointTerminal:
    """`data`: the node's directory, where the credential and the file of orders are kept.

    `wall`: Unix seconds, or None while this node's date cannot be trusted.
    """
    if settings.text("terminal.kind") == SERIAL:
        return EcrTerminal(settings.text("terminal.port"), settings.number("terminal.baud"))
    return _point(settings, data, data / "terminal" / "orders.jsonl", wall)


def build_to_look(settings: Settings, data: Path) -> EcrTerminal | PointTerminal:
    """For somebody who only asks how it is: it never touches the orders of the kiosk's program."""
    if settings.text("terminal.kind") == SERIAL:
        return EcrTerminal(settings.text("terminal.port"), settings.number("terminal.baud"))
    with tempfile.TemporaryDirectory(prefix="plaza-point-") as elsewhere:
        return _point(settings, data, Path(elsewhere) / "orders.jsonl", lambda: None)


def _point(settings: Settings, data: Path, orders: Path, wall: Wall) -> PointTerminal:
    from hardware.terminal.mercadopago.driver import PointAccount, PointTerminal

    account = PointAccount(
        url=settings.text("terminal.api_url"),
        terminal_id=settings.text("terminal.point_id"),
        token_file=data / settings.text("terminal.token_file"),
        orders_file=orders,
        expires_s=settings.number("terminal.expires_s"),
    )
    return PointTerminal(account, wall)
