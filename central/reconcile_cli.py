"""`plaza-central reconcile`: the files of banks, shops and acquirers against the kiosks' facts."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

import click

from central.city import City
from central.cli_parts import clear_errors, db_options, opened
from central.reconcile import GRACE, Imported, Reconciled, import_file, reconcile, totals
from central.reconcile_differences import Difference
from central.settlements import FileMapping, SettlementError, parse_mapping, read_file
from central.store import Store
from central.wiring import utc_now
from municipio.money import format_mxn

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command("reconcile")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=_FILE)
@click.option("--mapping", type=_FILE, help="TOML that says what the columns of these files mean.")
@click.option("--grace", default=GRACE.days, show_default=True, type=click.IntRange(0, 60),
              metavar="DAYS", help="How long money may be on its way.")  # fmt: skip
@click.option("--at", type=click.DateTime(["%Y-%m-%d"]), help="As of that day, instead of today.")
@db_options
@click.option("--json", "as_json", is_flag=True)
def reconcile_command(
    files: tuple[Path, ...], mapping: Path | None, grace: int, at: datetime | None,
    db: str, inegi: str, as_json: bool,
) -> None:  # fmt: skip
    """Import bank files, match them with payments, pases and cash cuts, and list what differs.

    The same file, and the same movement in another file, counts once. Without a FILE it matches what
    is there and lists.
    """
    if files and mapping is None:
        raise click.UsageError("say what the columns mean: --mapping FILE")
    city = City(inegi=inegi)
    now = utc_now() if at is None else at.replace(hour=23, tzinfo=city.zone)
    with clear_errors(), opened(db) as store:
        taken = []
        if mapping is not None:
            known = _mapping(mapping)
            taken = [_import(store, city, file, known, now) for file in files]
        found = reconcile(store, city, now, timedelta(days=grace))
    click.echo(_as_json(taken, found) if as_json else _as_text(taken, found))


def _mapping(path: Path) -> FileMapping:
    try:
        return parse_mapping(path.read_text(encoding="utf-8"))
    except (SettlementError, UnicodeDecodeError) as e:
        raise click.ClickException(f"{path}: {e}") from e


def _import(store: Store, city: City, path: Path, mapping: FileMapping, at: datetime) -> Imported:
    try:
        return import_file(
            store, city, path.name, read_file(path.read_bytes(), mapping), mapping, at
        )
    except SettlementError as e:
        raise click.ClickException(f"{path}: {e}; nothing of it was taken") from e


def _as_json(taken: list[Imported], found: Reconciled) -> str:
    document = {"files": [asdict(one) for one in taken], **asdict(found)}
    return json.dumps(document, ensure_ascii=False)


def _as_text(taken: list[Imported], found: Reconciled) -> str:
    lines = []
    for one in taken:
        news = "imported before" if one.again else f"{one.fresh} of {one.lines} movements are new"
        lines.append(f"{one.name}: {news}")
    lines.append(
        f"{found.matched} movements matched, {found.resolved} charges resolved, "
        f"{found.pases_paid} pases paid"
    )
    if not found.differences:
        return "\n".join([*lines, "no differences"])
    counted = ", ".join(f"{kind} {n}" for kind, n in sorted(totals(found.differences).items()))
    return "\n".join([*lines, f"differences: {counted}", *map(_row, found.differences)])


def _row(found: Difference) -> str:
    money = f"{format_mxn(found.expected_centavos):>14} {format_mxn(found.found_centavos):>14}"
    about = f"{found.kind:12} {found.subject:22} {found.node:7}"
    return f"{found.age_days:4} d  {about} {money}  {found.detail}"
