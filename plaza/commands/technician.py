"""`plaza technician`: prepare a technician's card, and bring the city's list to this node."""

from __future__ import annotations

import base64
import json
import textwrap
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from municipio.device_words import technician_words
from municipio.devices import CardReader, Slot, SlotState
from municipio.settings import SettingsError
from municipio.technicians import TechnicianList, validity
from municipio.wire.technician_list import MAX_LIST_BYTES, ListProblem
from plaza.options import data_option, json_option
from sync.allow_list import check_list, list_file, store_list
from sync.clock import SystemClock, quality_with
from sync.datadir import DataDir
from sync.keys import KeyMissing, load_city_key

WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Known:
    """What a person needs to know of a list."""

    serial: int
    technicians: int
    valid_until: str
    validity: str


@click.group()
def technician() -> None:
    """Technicians' cards, and the city's list of them."""


@technician.command("read-card")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="Public key (PEM) for the city's clerk.")  # fmt: skip
@click.option("--reader", default="", help="Part of the reader's name; default: any.")
@click.option("--seconds", default=WAIT_S, show_default=True, help="How long to wait for a card.")
def read_card(out: Path, reader: str, seconds: float) -> None:
    """Write the public key of the card that is put in. Needs no PIN."""
    from hardware.card.driver import PivReader

    opened = PivReader(reader)
    try:
        slot = _card(opened, seconds)
    finally:
        opened.close()
    if slot.state is not SlotState.READY:
        reason = technician_words("card", slot.cause) if slot.cause else "no hay tarjeta"
        raise click.ClickException(reason)
    try:
        out.write_text(_pem(slot.public_key), encoding="ascii")
    except OSError as e:
        raise click.ClickException(f"{out}: {e.strerror}") from e
    click.echo(f"{out}: public key of the card in {slot.reader}. The city's clerk runs:\n")
    click.echo(f"  plaza-central technician add T-000 --key {out.name}")


@technician.command("install")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@data_option
@json_option
def install(file: Path, data: Path, as_json: bool) -> None:
    """Check the city's list FILE and make it this node's, if it is not older."""
    place = DataDir(data)
    with file.open("rb") as opened:
        raw = opened.read(MAX_LIST_BYTES + 1)
    listed = _checked(place, raw, file)
    try:
        store_list(place, raw)
    except OSError as e:
        raise click.ClickException(f"{list_file(place)}: {e.strerror}") from e
    _tell(_known(place, listed), as_json)


@technician.command("show")
@data_option
@json_option
def show(data: Path, as_json: bool) -> None:
    """The list that this node goes by. Exit 1 when it opens nothing."""
    place = DataDir(data)
    target = list_file(place)
    try:
        with target.open("rb") as opened:
            raw = opened.read(MAX_LIST_BYTES + 1)
    except OSError as e:
        raise click.ClickException(f"{target}: {e.strerror}") from e
    known = _known(place, _checked(place, raw, target))
    _tell(known, as_json)
    if known.validity not in ("valid", "unsure"):
        raise click.exceptions.Exit(1)


def _checked(place: DataDir, raw: bytes, file: Path) -> TechnicianList:
    public = load_city_key(place)
    if isinstance(public, KeyMissing):
        raise click.ClickException(public.detail)
    try:
        inegi = place.settings().text("city.inegi")
    except SettingsError as e:
        raise click.ClickException(str(e)) from e
    listed = check_list(place, raw, public, inegi)
    if isinstance(listed, ListProblem):
        raise click.ClickException(f"{file}: {listed.trouble.value}: {listed.detail}")
    return listed


def _known(place: DataDir, listed: TechnicianList) -> Known:
    settings = place.settings()
    at = SystemClock(place.link_file, quality_with(settings.flag("node.rtc"))).now()
    today = None if at.time is None else at.time.date()
    says = validity(listed.valid_from, listed.valid_until, today, trusted=at.is_trusted)
    until = listed.valid_until.isoformat()
    return Known(listed.serial, len(listed.technicians), until, says.value)


def _tell(known: Known, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(known)))
        return
    click.echo(
        f"list {known.serial}: {known.technicians} technicians, until {known.valid_until}"
        f" ({known.validity})"
    )


def _card(reader: CardReader, seconds: float) -> Slot:
    """The slot once a card settled in it, or as it is when the time is over."""
    end = time.monotonic() + seconds
    slot = reader.slot()
    while slot.state not in (SlotState.READY, SlotState.CARD_ERROR) and time.monotonic() < end:
        time.sleep(0.05)
        slot = reader.slot()
    return slot


def _pem(public_key: bytes) -> str:
    body = "\n".join(textwrap.wrap(base64.b64encode(public_key).decode(), 64))
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"
