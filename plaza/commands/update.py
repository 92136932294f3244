"""`plaza update`: what version runs, what is offered, and the way from one to the other and back."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from municipio.wire.software import Bundle
from plaza.image import IMAGE_FILE, ImageInfo, read_image
from plaza.options import data_option, json_option
from plaza.unit_control import SystemdUnits
from plaza.updates.fetch import Round, come
from plaza.updates.health_look import Looker
from plaza.updates.rauc import RaucCommand, RaucTrouble
from plaza.updates.rules import WORDS, No, is_under_way, refusal
from plaza.updates.state import Event, Journal, RuleBroken, Source, State
from plaza.updates.told import ROUNDS, STATES, status_document, status_text
from plaza.updates.updater import Did, NoWayBack
from plaza.updates.watch import watch as watch_version
from plaza.updates.wiring import House, restart_machine, updates_folder
from sync.datadir import DataDir
from sync.notify import supervisor

_image = click.option(
    "--image", type=click.Path(path_type=Path), default=IMAGE_FILE, hidden=True,
    help="What this image is.",
)  # fmt: skip


@click.group()
def update() -> None:
    """The node's software: two slots, one runs, the other takes the next version."""


@update.command()
@data_option
@_image
@json_option
def status(data: Path, image: Path, as_json: bool) -> None:
    """Which version runs, what is under way, and what it waits for."""
    info = read_image(image)
    if info is None:
        _say({"image": None, "state": "no_slots"}, _NO_SLOTS, as_json)
        return
    with _house(data, info) as house:
        journal, slots = house.journal.read(), RaucCommand().status()
        updater = house.updater(RaucCommand(), restart_machine)
        waits = updater.may_install(journal) if journal.state in _GOES_ON else None
        here = come(updates_folder(house.data), journal.bundle)
    document = status_document(info, journal, slots, waits, here)
    _say(document, status_text(info, journal, slots, waits, here), as_json)


@update.command()
@data_option
@_image
@click.option("--from", "mirror", type=click.Path(path_type=Path, file_okay=False, exists=True),
              help="A mirror of the city's repository in a folder, such as a stick.")  # fmt: skip
@json_option
def check(data: Path, image: Path, mirror: Path | None, as_json: bool) -> None:
    """Ask the city, or a stick, for a newer version, and fetch it; nothing is installed by this."""
    # What reads the city's repository is large, and the judge of every start does without it.
    from plaza.updates.offers import SearchTrouble, bring_newest

    with _house(data, _slotted(image)) as house:
        ended = bring_newest(house, mirror)
        if isinstance(ended, SearchTrouble):
            _fail(ended.detail)
        version = house.journal.read().version
    said = ROUNDS[ended] if isinstance(ended, Round) else WORDS[ended]
    text = f"{version or house.image.version}: {said}"
    _say({"round": ended.value, "version": version}, text, as_json)
    if ended in (Round.BROKEN_OFF, Round.WRONG):
        sys.exit(1)


@update.command("apply")
@data_option
@_image
@json_option
def apply_(data: Path, image: Path, as_json: bool) -> None:
    """Install what is ready and start anew, if this is a good moment for it. Needs root."""
    with _house(data, _slotted(image)) as house:
        _advance(house, as_json)


@update.command()
@data_option
@_image
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--older", is_flag=True, help="Also when it is older than the one that runs.")
@json_option
def install(data: Path, image: Path, file: Path, older: bool, as_json: bool) -> None:
    """Install the bundle FILE now and start anew. Needs root.

    Its signature must be of a key that this image trusts. The hours of service do not count; a payment, a
    person at the kiosk and a low battery do: then it waits, and goes on by itself.
    """
    info = _slotted(image)
    found = RaucCommand().info(file.absolute())
    if isinstance(found, RaucTrouble):
        _fail(f"{file}: {found.detail}")
    if found.compatible != f"plaza-{info.board}":
        _fail(f"{file}: {WORDS[No.BOARD]} ({found.compatible})")
    bundle = Bundle(found.version, info.board, 0, 0, 9, None, older, "", file.stat().st_size, "")
    with _house(data, info) as house:
        trouble = _bring(house, bundle, file.absolute())
        if trouble:
            _fail(f"{file}: {trouble}")
        _advance(house, as_json)


@update.command("mark-good")
@data_option
@_image
def mark_good(data: Path, image: Path) -> None:
    """Say that the version that runs is good, without waiting for its trial to end. Needs root."""
    with _house(data, _slotted(image)) as house:
        updater = house.updater(RaucCommand(), restart_machine)
        settled = updater.started()
        if not isinstance(settled, RaucTrouble) and settled.state is State.TRIAL:
            settled = updater.found_good()
    if isinstance(settled, RaucTrouble):
        _fail(settled.detail)
    click.echo(f"{house.image.version}: buena")


@update.command()
@data_option
@_image
@json_option
def rollback(data: Path, image: Path, as_json: bool) -> None:
    """Go back to the version in the other slot and start anew. Needs root.

    This version is not taken again by itself. What people did here stays, in both versions.
    """
    with _house(data, _slotted(image)) as house:
        updater = house.updater(RaucCommand(), restart_machine)
        settled = updater.settle()
        if isinstance(settled, RaucTrouble):
            _fail(settled.detail)
        if settled.state not in (State.IDLE, State.TRIAL):
            _fail(f"hay una actualización en curso ({STATES[settled.state]})")
        _tell(updater.go_back(), as_json)


@update.command()
@data_option
@_image
def watch(data: Path, image: Path) -> None:
    """After a start: judge a new version by its health, keep it or go back. Run by plaza-health.service."""
    info, listener = _slotted(image), supervisor()

    def wait(seconds: float) -> None:
        listener.alive()
        time.sleep(seconds)

    with _house(data, info) as house:
        looker = Looker(house.data, SystemdUnits(), rows_before=house.journal.read().rows_before)
        try:
            ended = watch_version(
                house.updater(RaucCommand(), restart_machine), house.trial(), looker.look,
                house.somebody_pays, wait,
            )  # fmt: skip
        finally:
            looker.close()
    if isinstance(ended, RaucTrouble):
        _fail(ended.detail)
    click.echo(f"{info.version}: {ended.value}")


_NO_SLOTS = "este nodo no tiene ranuras (Debian con install.sh): se actualiza con images/install.sh"
_GOES_ON = (State.READY, State.INSTALLED)


def _bring(house: House, bundle: Bundle, file: Path) -> str:
    """Put a person's bundle in the journal; why not, empty when it is there."""
    journal = house.journal.read()
    if is_under_way(journal.state):
        return f"hay una actualización en curso ({STATES[journal.state]})"
    # A person may try again what did not serve here.
    returned = {v: n for v, n in journal.returned.items() if v != bundle.version}
    no = refusal(bundle, house.here(), Journal(returned=returned))
    if no is not None:
        return WORDS[no]
    house.journal.move(
        Event.BROUGHT, bundle=bundle, version=bundle.version, file=str(file), source=Source.HAND,
        told=True, attempts=0, returned=returned,
    )  # fmt: skip
    return ""


def _advance(house: House, as_json: bool) -> None:
    """Settle, then go as far as this moment allows."""
    updater = house.updater(RaucCommand(), restart_machine)
    settled = updater.settle()
    if isinstance(settled, RaucTrouble):
        _fail(settled.detail)
    done = updater.advance()
    if done is Did.INSTALLED:
        done = updater.advance()
    _tell(done, as_json)


def _tell(done: Did | No | RaucTrouble | NoWayBack, as_json: bool) -> None:
    if isinstance(done, RaucTrouble | NoWayBack):
        _fail(done.detail)
    said = f"espera: {WORDS[done]}" if isinstance(done, No) else _DID[done]
    _say({"did": "waits" if isinstance(done, No) else done.value, "why": done.value}, said, as_json)
    if done is Did.FAILED:
        sys.exit(1)


_DID = {
    Did.NOTHING: "nada que instalar",
    Did.INSTALLED: "instalada en la otra ranura",
    Did.FAILED: "no se pudo instalar; sigue la versión de antes",
    Did.STARTING: "el nodo se reinicia",
}


@contextmanager
def _house(data: Path, info: ImageInfo) -> Iterator[House]:
    house = House(DataDir(data), info)
    try:
        yield house
    except OSError as e:
        _fail(f"{e.filename or data}: {e.strerror or e}")
    except RuleBroken:
        _fail("otro programa actualiza este nodo ahora mismo; vea plaza update status")
    finally:
        house.close()


def _slotted(image: Path) -> ImageInfo:
    info = read_image(image)
    if info is None:
        _fail(_NO_SLOTS)
    return info


def _say(document: dict[str, Any], text: str, as_json: bool) -> None:
    click.echo(json.dumps(document, ensure_ascii=False) if as_json else text)


def _fail(text: str) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(1)
